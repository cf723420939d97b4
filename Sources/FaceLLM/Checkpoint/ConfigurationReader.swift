/// Reads keys of one JSON object and says in each error which key of which file is at fault, and what belongs there.
struct ConfigurationReader {
    let file: String
    /// The path to this object, with dots, empty for the outermost one.
    let path: String
    let members: [String: JSONValue]

    init(file: String, path: String = "", members: [String: JSONValue]) {
        self.file = file
        self.path = path
        self.members = members
    }

    /// The value of a key; null counts as absent.
    subscript(_ key: String) -> JSONValue? {
        guard let value = members[key], value != .null else { return nil }
        return value
    }

    /// An object inside this one.
    func object(_ key: String) throws(CheckpointError) -> ConfigurationReader {
        guard let found = try optionalObject(key) else { throw invalid(key, expected: "an object") }
        return found
    }

    func optionalObject(_ key: String) throws(CheckpointError) -> ConfigurationReader? {
        switch self[key] {
        case nil: return nil
        case .object(let members): return ConfigurationReader(file: file, path: qualified(key), members: members)
        default: throw invalid(key, expected: "an object")
        }
    }

    /// A whole number in a range.
    ///
    /// - Parameter fallback: the value where the key is absent; without it the key is required.
    func integer(
        _ key: String,
        in range: ClosedRange<Int>,
        default fallback: Int? = nil
    ) throws(CheckpointError) -> Int {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let value = self[key] else {
            guard let fallback else { throw invalid(key, expected: expected) }
            return fallback
        }
        guard case .number(let number) = value, let integer = Int(exactly: number), range.contains(integer) else {
            throw invalid(key, expected: expected)
        }
        return integer
    }

    /// A number above `range.lowerBound` (exclusive) and up to `range.upperBound`.
    func number(
        _ key: String,
        in range: ClosedRange<Double>,
        default fallback: Double? = nil
    ) throws(CheckpointError) -> Double {
        let expected = "a number above \(range.lowerBound) and up to \(range.upperBound)"
        guard let value = self[key] else {
            guard let fallback else { throw invalid(key, expected: expected) }
            return fallback
        }
        guard case .number(let number) = value, number > range.lowerBound, number <= range.upperBound else {
            throw invalid(key, expected: expected)
        }
        return number
    }

    func bool(_ key: String, default fallback: Bool) throws(CheckpointError) -> Bool {
        switch self[key] {
        case nil: return fallback
        case .bool(let value): return value
        default: throw invalid(key, expected: "true or false")
        }
    }

    /// One of a few words.
    func word(_ key: String, of allowed: [String], default fallback: String? = nil) throws(CheckpointError) -> String {
        let expected = allowed.map { "\"\($0)\"" }.joined(separator: " or ")
        guard let value = self[key] else {
            guard let fallback else { throw invalid(key, expected: expected) }
            return fallback
        }
        guard case .string(let word) = value, allowed.contains(word) else { throw invalid(key, expected: expected) }
        return word
    }

    /// A square, as one side or as a pair of equal sides, in pixels.
    func square(_ key: String, in range: ClosedRange<Int>, default fallback: Int) throws(CheckpointError) -> Int {
        guard let value = self[key] else { return fallback }
        let sides: [JSONValue] = if case .array(let elements) = value { elements } else { [value] }
        guard (1...2).contains(sides.count), sides.allSatisfy({ $0 == sides[0] }), case .number(let number) = sides[0],
            let side = Int(exactly: number), range.contains(side)
        else {
            throw invalid(key, expected: "a square of \(range.lowerBound) to \(range.upperBound) pixels")
        }
        return side
    }

    /// Refuses any value of a key but the given one, which is also what an absent key means.
    func require(_ key: String, _ only: JSONValue, remedy: String = "") throws(CheckpointError) {
        if let value = self[key], value != only { throw invalid(key, expected: only.brief, remedy: remedy) }
    }

    func invalid(
        _ key: String,
        kind: CheckpointError.Kind = .invalidConfiguration,
        expected: String,
        found: String? = nil,
        remedy: String = ""
    ) -> CheckpointError {
        CheckpointError(
            kind,
            file: file,
            key: qualified(key),
            expected: expected,
            found: found ?? self[key]?.brief ?? "nothing",
            remedy: remedy
        )
    }

    private func qualified(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
