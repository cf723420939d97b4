import Foundation
import Yams

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
        let word: String
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
    /// JSON is YAML too, whose reader keeps the order.
    init(_ bytes: some Collection<UInt8>) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let node = try Yams.compose(yaml: text) else { throw Malformed(word: text) }
        try self.init(node)
    }

    private init(_ node: Node) throws {
        switch node {
        case .mapping(let mapping):
            self = .object(try mapping.map { (key: $0.key.scalar?.string ?? "", value: try OrderedJSON($0.value)) })
        case .sequence(let sequence): self = .array(try sequence.map { try OrderedJSON($0) })
        case .scalar(let scalar) where scalar.style == .doubleQuoted: self = .text(scalar.string)
        case .scalar(let scalar):
            switch scalar.string {
            case "true": self = .bool(true)
            case "false": self = .bool(false)
            case "null": self = .null
            case let word:
                guard Double(word) != nil else { throw Malformed(word: word) }
                self = .number(word)
            }
        case .alias(let alias): throw Malformed(word: "\(alias.anchor)")
        }
    }
}
