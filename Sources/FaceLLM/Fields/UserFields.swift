internal import FoundationEssentials

/// A file of a user's fields and rules.
///
/// ```json
/// {"fields": [{"name": "earrings", "stem": "The person wears", "options": [
///     {"value": "none", "phrase": "no earrings"}, {"value": "earrings"}]}],
///  "rules": [{"name": "hood_hides_earrings", "if": {"field": "headwear", "values": ["hood"], "probability": 0.6},
///     "then": {"field": "earrings", "not_applicable": true}, "decided_by": "condition"}]}
/// ```
package struct UserFields: Sendable, Hashable, Codable {
    /// None when absent.
    package let fields: [FieldDefinition]?
    /// In addition to the built-in rules; none when absent.
    package let rules: [ConsistencyRule]?
    /// Whether the built-in rules hold too; true when absent.
    package let builtInRules: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case fields, rules
        case builtInRules = "built_in_rules"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(closed: CodingKeys.self)
        fields = try container.decodeIfPresent([FieldDefinition].self, forKey: .fields)
        rules = try container.decodeIfPresent([ConsistencyRule].self, forKey: .rules)
        builtInRules = try container.decodeIfPresent(Bool.self, forKey: .builtInRules)
    }

    /// Bytes of a file that is read at all.
    private static let longestFile = 1 << 20

    /// - Parameter json: the content of the file.
    package init(json: [UInt8]) throws(FieldError) {
        guard json.count <= Self.longestFile else {
            throw FieldError(
                "",
                expected: "at most \(Self.longestFile) bytes",
                found: "\(json.count)",
                remedy: "Is this the right file?"
            )
        }
        do {
            self = try JSONDecoder().decode(UserFields.self, from: Data(json))
        } catch {
            throw Self.named(Self.fieldError(error), json)
        }
    }

    /// The fields to ask, and the rules for their answers.
    package func resolved() throws(FieldError) -> (catalogue: FieldCatalogue, rules: ConsistencyRules) {
        let catalogue = try FieldCatalogue(fields ?? [])
        let rules = try ConsistencyRules(rules ?? [], includesBuiltIn: builtInRules ?? true, for: catalogue)
        return (catalogue, rules)
    }

    // MARK: - Errors

    private static func fieldError(_ error: any Error) -> FieldError {
        if let error = error as? FieldError { return error }
        let context: DecodingError.Context
        var path: [any CodingKey]
        var expected = "JSON in the documented form"
        var found = "something else"
        switch error as? DecodingError {
        case .keyNotFound(let key, let where_):
            context = where_
            path = context.codingPath + [key]
            expected = "the key \"\(key.stringValue)\""
            found = "none"
        case .typeMismatch(let type, let where_), .valueNotFound(let type, let where_):
            context = where_
            path = context.codingPath
            expected = "a value of the type \(type)"
        case .dataCorrupted(let where_):
            context = where_
            path = context.codingPath
            found = context.debugDescription
        default:
            return FieldError("", expected: expected, found: found, remedy: "Compare with the documentation.")
        }
        return FieldError(
            FieldPath.subject(path),
            key: FieldPath.key(path),
            expected: expected,
            found: found,
            remedy: "Correct the value, or add it where it is missing."
        )
    }

    /// The same error with the subject's name besides its place in the file, where it has one.
    private static func named(_ error: FieldError, _ json: [UInt8]) -> FieldError {
        guard let file = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { return error }
        for list in ["fields", "rules"] {
            guard case .array(let entries) = file[list] else { continue }
            for (index, entry) in entries.enumerated() where error.subject == "\(list)[\(index)]" {
                guard case .string(let name) = entry["name"] else { return error }
                return FieldError(
                    "\(error.subject) \"\(name)\"",
                    key: error.key,
                    expected: error.expected,
                    found: error.found,
                    remedy: error.remedy
                )
            }
        }
        return error
    }
}
