import FoundationEssentials

/// Any JSON, for files whose keys differ from one version of their writer to the next.
enum JSONValue: Decodable, Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }

    /// Reads a file whose outermost value is an object.
    ///
    /// - Parameter limit: bytes.
    static func object(at path: String, limit: Int) throws(CheckpointError) -> [String: JSONValue] {
        let bytes = try MappedFile.read(path, expected: "a JSON file", limit: limit)
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw CheckpointError(.malformed, file: path, expected: "JSON", found: explain(error))
        }
        guard case .object(let members) = value else {
            throw CheckpointError(.malformed, file: path, expected: "a JSON object", found: value.brief)
        }
        return members
    }

    /// A member of an object; `nil` for other values, for an absent key and for null.
    subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    /// The value as a person would name it in an error.
    var brief: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
        case .string(let value): "\"\(CheckpointError.printable(value))\""
        case .array(let elements): "a list of \(elements.count)"
        case .object(let members): "an object with \(members.count) keys"
        }
    }

    /// What a decoder complains of, in a few words.
    static func explain(_ error: any Error) -> String {
        let context: DecodingError.Context
        switch error as? DecodingError {
        case .dataCorrupted(let found), .keyNotFound(_, let found), .typeMismatch(_, let found),
            .valueNotFound(_, let found):
            context = found
        default: return "something else"
        }
        let place = context.codingPath.map(\.stringValue).joined(separator: "/")
        let reason = CheckpointError.printable(context.debugDescription)
        return place.isEmpty ? reason : "\(reason) at \"\(CheckpointError.printable(place))\""
    }
}

/// A key that is not known beforehand.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
