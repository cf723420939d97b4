/// What texts in users' definitions may be.
enum FieldText {
    static let longestName = 64
    static let longestQuestion = 500
    static let longestStem = 200
    static let longestPhrase = 80
    static let optionCounts = 2...32

    /// A name or value: lower-case letters, digits and `_`, beginning with a letter.
    static func checkName(_ text: String, of subject: String, key: String) throws(FieldError) {
        let bytes = text.utf8
        let isLetter: (UInt8) -> Bool = { (0x61...0x7A).contains($0) }
        guard
            let first = bytes.first, isLetter(first), bytes.count <= longestName,
            bytes.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") })
        else {
            throw FieldError(
                subject,
                key: key,
                expected: "a lower-case word of at most \(longestName) letters, digits and underscores",
                found: quoted(text),
                remedy: "Put the wording in \"phrase\" and a short name here."
            )
        }
    }

    /// A text for the model: one line, neither empty nor with space around it.
    static func check(_ text: String, of subject: String, key: String, longest: Int) throws(FieldError) {
        let scalars = text.unicodeScalars
        func refusal(_ expected: String, _ remedy: String) -> FieldError {
            FieldError(subject, key: key, expected: expected, found: quoted(text), remedy: remedy)
        }
        guard let first = scalars.first, let last = scalars.last else {
            throw refusal("a text", "Leave the key out where it may be absent.")
        }
        guard scalars.count <= longest else {
            throw refusal("at most \(longest) characters", "Each word costs time for every face; shorten it.")
        }
        guard !first.properties.isWhitespace, !last.properties.isWhitespace else {
            throw refusal("no space around the text", "Spaces between the parts are put in by the program.")
        }
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                throw refusal("one line without control characters", "Remove the line break or control character.")
            default: continue
            }
        }
    }

    static func checkNew(
        _ text: String,
        in seen: inout Set<String>,
        of subject: String,
        key: String
    ) throws(FieldError) {
        guard seen.insert(text).inserted else {
            throw FieldError(
                subject,
                key: key,
                expected: "a text that no other has",
                found: quoted(text),
                remedy: "Remove or reword one of the two."
            )
        }
    }

    static func quoted(_ text: String) -> String { "\"\(CheckpointError.printable(text))\"" }
}

extension Decoder {
    /// A container whose keys are all known.
    func container<Key: CodingKey & CaseIterable & RawRepresentable<String>>(
        closed type: Key.Type
    ) throws -> KeyedDecodingContainer<Key> {
        let found = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        let known = Set(type.allCases.map(\.rawValue))
        if let unknown = found.first(where: { !known.contains($0) }) {
            throw FieldError(
                FieldPath.subject(codingPath),
                key: FieldPath.key(codingPath, unknown),
                expected: "one of the keys \(type.allCases.map(\.rawValue).joined(separator: ", "))",
                found: "\"\(unknown)\"",
                remedy: "Correct or remove the key."
            )
        }
        return try container(keyedBy: type)
    }
}

/// Places in a definitions file: the first two levels (`fields[2]`) name the subject, the rest the key.
enum FieldPath {
    static func subject(_ path: [any CodingKey]) -> String { written(path.prefix(2)) }

    static func key(_ path: [any CodingKey], _ last: String = "") -> String {
        let key = written(path.dropFirst(2))
        return key.isEmpty || last.isEmpty ? key + last : "\(key).\(last)"
    }

    private static func written(_ path: some Sequence<any CodingKey>) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}
