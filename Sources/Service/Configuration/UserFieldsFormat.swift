internal import FaceLLM
internal import FoundationEssentials

/// Fields of the user, in the form that `FieldDefinition` documents.
struct UserFieldsFormat: ValueFormat {
    var kind: String { "list of fields: name, stem, options (value, phrase), question, asked_when, replaces" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> [FieldDefinition]? {
        guard case .list(let items) = node.content, items.count <= FieldCatalogue.mostFields else {
            reading.refuse(node, path, expected: "a list of at most \(FieldCatalogue.mostFields) fields")
            return nil
        }
        let definitions = items.enumerated().compactMap { index, item in
            definition(item, "\(path)[\(index)]", &reading)
        }
        guard definitions.count == items.count else { return nil }
        do {
            _ = try FieldCatalogue(definitions)
            return definitions
        } catch {
            let index = definitions.lastIndex { $0.name == error.subject }
            let place = index.map { items[$0] } ?? node
            tell(error, of: place, index.map { "\(path)[\($0)]" } ?? path, &reading)
            return nil
        }
    }

    func text(_ value: [FieldDefinition]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON is YAML; texts and flags always encode.
        return (try? encoder.encode(value)).flatMap { String(validating: $0, as: UTF8.self) } ?? "[]"
    }

    // MARK: - One field

    private func definition(
        _ item: ConfigurationNode,
        _ path: String,
        _ reading: inout ConfigurationReading
    ) -> FieldDefinition? {
        do {
            let definition = try JSONDecoder().decode(FieldDefinition.self, from: JSONEncoder().encode(JSONForm(item)))
            _ = try definition.field()
            return definition
        } catch let error as FieldError {
            tell(error, of: item, path, &reading)
        } catch let error as DecodingError {
            tell(error, of: item, path, &reading)
        } catch {
            reading.refuse(item, path, expected: "a field with a name and options")
        }
        return nil
    }

    private func tell(
        _ error: FieldError,
        of item: ConfigurationNode,
        _ path: String,
        _ reading: inout ConfigurationReading
    ) {
        let steps = error.key.split { ".[]".contains($0) }.map(String.init)
        reading.refuse(
            Self.find(steps, in: item),
            error.key.isEmpty ? path : "\(path).\(error.key)",
            "expected \(error.expected), found \(error.found). \(error.remedy)"
        )
    }

    private func tell(
        _ error: DecodingError,
        of item: ConfigurationNode,
        _ path: String,
        _ reading: inout ConfigurationReading
    ) {
        var steps: [any CodingKey] = []
        var expected = "a field in the documented form"
        switch error {
        case .keyNotFound(let key, let context):
            steps = context.codingPath
            expected = "the key \(key.stringValue)"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            steps = context.codingPath
            expected =
                "\(type)" == "Bool" ? "`true` or `false`" : "\(type)" == "String" ? "a text" : "a list or mapping"
        case .dataCorrupted(let context): steps = context.codingPath
        @unknown default: break
        }
        let names = steps.map { $0.intValue.map(String.init) ?? $0.stringValue }
        let place = Self.find(names, in: item)
        let key = steps.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        reading.refuse(place, path + key, expected: expected)
    }

    /// The deepest node on a path of names and numbers.
    private static func find(_ steps: [String], in node: ConfigurationNode) -> ConfigurationNode {
        var node = node
        for step in steps {
            switch node.content {
            case .list(let items):
                guard let index = Int(step), items.indices.contains(index) else { return node }
                node = items[index]
            case .mapping(let pairs):
                guard let pair = pairs.first(where: { $0.name == step }) else { return node }
                node = pair.value
            case .scalar: return node
            }
        }
        return node
    }
}

/// A node in JSON: plain `true` and `false` are flags, all other scalars are texts.
private struct JSONForm: Encodable {
    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    let node: ConfigurationNode

    init(_ node: ConfigurationNode) { self.node = node }

    func encode(to encoder: any Encoder) throws {
        switch node.content {
        case .scalar(let text, let isQuoted):
            var container = encoder.singleValueContainer()
            if node.isEmpty {
                try container.encodeNil()
            } else if !isQuoted, let flag = Bool(text) {
                try container.encode(flag)
            } else {
                try container.encode(text)
            }
        case .list(let items):
            var container = encoder.unkeyedContainer()
            for item in items { try container.encode(JSONForm(item)) }
        case .mapping(let pairs):
            var container = encoder.container(keyedBy: Name.self)
            for pair in pairs { try container.encode(JSONForm(pair.value), forKey: Name(pair.name)) }
        }
    }
}
