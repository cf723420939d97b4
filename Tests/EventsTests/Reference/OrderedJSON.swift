import Foundation

/// JSON whose objects keep the order of the text: documents follow the order in which a schema was written.
indirect enum OrderedJSON {
    case object([(key: String, value: OrderedJSON)])
    case array([OrderedJSON])
    case text(String)
    /// As it was written.
    case number(String)
    case bool(Bool)
    case null

    struct Malformed: Error {
        let offset: Int
    }

    init(_ bytes: some Collection<UInt8>) throws {
        var reader = Reader(bytes: Array(bytes))
        self = try reader.value()
        try reader.end()
    }

    // MARK: - Looking inside

    var members: [(key: String, value: OrderedJSON)] {
        if case .object(let members) = self { members } else { [] }
    }

    var items: [OrderedJSON] {
        if case .array(let items) = self { items } else { [] }
    }

    var string: String? {
        if case .text(let text) = self { text } else { nil }
    }

    subscript(_ key: String) -> OrderedJSON? { members.first { $0.key == key }?.value }

    // MARK: - Writing

    /// On one line.
    var compact: String {
        switch self {
        case .object(let members): "{\(members.map { "\(Self.quoted($0)): \($1.compact)" }.joined(separator: ", "))}"
        case .array(let items): "[\(items.map(\.compact).joined(separator: ", "))]"
        case .text(let text): Self.quoted(text)
        case .number(let digits): digits
        case .bool(let value): "\(value)"
        case .null: "null"
        }
    }

    /// Broken into lines where it is wider than `width` columns, `lead` of which are taken in the first line.
    func broken(width: Int, indentation: String = "", lead: Int = 0) -> String {
        guard indentation.count + lead + compact.count >= width else { return compact }
        let inner = indentation + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { key, value in
                let name = "\(Self.quoted(key)): "
                return inner + name + value.broken(width: width, indentation: inner, lead: name.count)
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indentation)}"
        case .array(let items) where !items.isEmpty:
            let lines = items.map { inner + $0.broken(width: width, indentation: inner) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(indentation)]"
        default: return compact
        }
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

// MARK: - Reading

extension OrderedJSON {
    private struct Reader {
        let bytes: [UInt8]
        var offset = 0

        mutating func value() throws -> OrderedJSON {
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return .object(try object())
            case UInt8(ascii: "["): return .array(try array())
            case UInt8(ascii: "\""): return .text(try text())
            default: return try word()
            }
        }

        mutating func end() throws {
            skipSpace()
            guard offset == bytes.count else { throw Malformed(offset: offset) }
        }

        private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

        private mutating func skipSpace() {
            while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { offset += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard next == UInt8(ascii: character) else { return false }
            offset += 1
            return true
        }

        private mutating func expect(_ character: Unicode.Scalar) throws {
            guard take(character) else { throw Malformed(offset: offset) }
        }

        private mutating func object() throws -> [(key: String, value: OrderedJSON)] {
            try expect("{")
            var members: [(key: String, value: OrderedJSON)] = []
            if take("}") { return members }
            repeat {
                skipSpace()
                let key = try text()
                try expect(":")
                members.append((key, try value()))
            } while take(",")
            try expect("}")
            return members
        }

        private mutating func array() throws -> [OrderedJSON] {
            try expect("[")
            var items: [OrderedJSON] = []
            if take("]") { return items }
            repeat { items.append(try value()) } while take(",")
            try expect("]")
            return items
        }

        private mutating func text() throws -> String {
            let start = offset
            try expect("\"")
            while let byte = next, byte != UInt8(ascii: "\"") { offset += byte == UInt8(ascii: "\\") ? 2 : 1 }
            try expect("\"")
            return try JSONDecoder().decode(String.self, from: Data(bytes[start..<offset]))
        }

        private mutating func word() throws -> OrderedJSON {
            let start = offset
            let ends = Array(",]} \n\r\t".utf8)
            while let byte = next, !ends.contains(byte) { offset += 1 }
            let word = String(decoding: bytes[start..<offset], as: UTF8.self)
            switch word {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .null
            default:
                guard Double(word) != nil else { throw Malformed(offset: start) }
                return .number(word)
            }
        }
    }
}
