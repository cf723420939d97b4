/// `Documentation/events.md`, made from `Config/events.schema.json` and one line of each type.
struct EventReference {
    /// The sums that hold at every moment: a counter and its parts.
    static let equations: [(total: String, parts: [String])] = [
        ("frames_decoded", ["frames_sampled", "frames_unsampled"]),
        (
            "faces_observed",
            [
                "faces_analysed", "faces_reused", "faces_rejected_quality", "faces_dropped_overload", "faces_failed",
                "faces_pending",
            ]
        ),
        (
            "crops_queued",
            [
                "crops_described", "crops_replaced", "crops_expired", "crops_dropped_overload", "crops_failed",
                "crops_pending",
            ]
        ),
    ]

    let schema: OrderedJSON
    /// One line of each type.
    let examples: [OrderedJSON]

    private var definitions: OrderedJSON { schema["$defs"] ?? .null }

    /// The names of the types in the schema's order.
    var types: [String] { (schema["properties"]?["type"]?["enum"]?.items ?? []).compactMap(\.string) }

    // MARK: - The page

    var markdown: String {
        var text = Self.opening
        text += "\n## The envelope\n\n\(Self.envelope)\n\n" + table(schema, allRequired: ["schema", "type"])
        for type in types {
            text += "\n## `\(type)`\n\n" + section(definitions[type] ?? .null)
            if let example = examples.first(where: { $0["type"]?.string == type }) {
                text += "\n```json\n\(example.broken(width: 118))\n```\n"
            }
        }
        text += "\n## Objects\n\nWhat several types carry.\n"
        for (name, definition) in definitions.members where isObject(definition) {
            text += "\n### `\(name)`\n\n" + section(definition)
        }
        return text + Self.ledger + Self.subscribing + Self.commanding
    }

    private func section(_ definition: OrderedJSON) -> String {
        var text = (definition["description"]?.string ?? "") + "\n"
        let fields = fields(of: definition)
        if fields["properties"] != nil { text += "\n" + table(fields) }
        if let entries = fields["additionalProperties"] {
            text += "\nEach value: \(kind(entries))." + words(entries) + "\n"
        }
        if fields["type"]?.string == "array" { text += "\n\(kind(fields).capitalizedFirst).\n" }
        return text
    }

    private func words(_ node: OrderedJSON) -> String { description(of: node).map { " \($0)" } ?? "" }

    /// The definition itself, or the one that it stands for.
    private func fields(of definition: OrderedJSON) -> OrderedJSON {
        definition["properties"] == nil ? target(of: definition) ?? definition : definition
    }

    private func table(_ object: OrderedJSON, allRequired: [String]? = nil) -> String {
        "| field | type | unit | meaning | absent |\n|---|---|---|---|---|\n"
            + rows(object, "", allRequired: allRequired)
    }

    private func rows(_ object: OrderedJSON, _ path: String, allRequired: [String]? = nil) -> String {
        let required = allRequired ?? (object["required"]?.items ?? []).compactMap(\.string)
        let hasCommonRule = (object["description"]?.string ?? "").contains("A name is absent ")
        var text = ""
        for (name, property) in object["properties"]?.members ?? [] {
            let (meaning, absent) = Self.parted(description(of: property) ?? "")
            let when = required.contains(name) ? "never" : absent ?? (hasCommonRule ? "as above" : "")
            text += "| `\(path)\(name)` | \(kind(property)) | \(Self.unit(of: name)) | \(meaning) | \(when) |\n"
            if property["$ref"] == nil, property["properties"] != nil { text += rows(property, "\(path)\(name).") }
        }
        return text
    }

    // MARK: - Parts of a schema

    private func isObject(_ definition: OrderedJSON) -> Bool {
        let type = definition["type"]?.string
        return type == "object" || type == "array" || definition["properties"] != nil && definition["type"] != nil
    }

    private func name(of node: OrderedJSON) -> String? {
        node["$ref"]?.string.flatMap { $0.split(separator: "/").last }.map(String.init)
    }

    private func target(of node: OrderedJSON) -> OrderedJSON? { name(of: node).flatMap { definitions[$0] } }

    /// A property's own words, or those of the definition that it refers to.
    func description(of node: OrderedJSON) -> String? {
        node["description"]?.string ?? target(of: node)?["description"]?.string
    }

    /// What a value may be, as a cell of a table.
    private func kind(_ node: OrderedJSON) -> String {
        if let name = name(of: node), let target = definitions[name] {
            guard isObject(target) else { return kind(target) }
            let values = node["properties"]?["value"].map { ", value: \(kind($0))" } ?? ""
            return "[`\(name)`](#\(name))\(values)"
        }
        if let constant = node["const"] { return "`\(constant.string ?? constant.compact)`" }
        if let words = node["enum"] {
            return words.items.map { "`\($0.string ?? $0.compact)`" }.joined(separator: ", ")
        }
        if let choices = node["anyOf"] { return choices.items.map(kind).joined(separator: " or ") }
        if case .array(let types)? = node["type"] {
            return types.compactMap(\.string).map(Self.plain).joined(separator: " or ")
        }
        switch node["type"]?.string {
        case "array":
            let items = node["items"] ?? .null
            if let count = node["maxItems"]?.compact, count == node["minItems"]?.compact {
                return "list of \(count): \(kind(items))"
            }
            return "list of: \(kind(items))"
        case "integer", "number": return Self.plain(node["type"]?.string ?? "") + range(node)
        case let type?: return Self.plain(type)
        case nil: return "any"
        }
    }

    private static func plain(_ type: String) -> String {
        switch type {
        case "integer": "whole number"
        case "string": "text"
        case "boolean": "`true` or `false`"
        default: type
        }
    }

    private func range(_ node: OrderedJSON) -> String {
        let least = node["minimum"]?.compact, most = node["maximum"]?.compact
        switch (least, most) {
        case (let least?, let most?): return " \(least) to \(most)"
        case (let least?, nil): return " ≥ \(least)"
        case (nil, let most?):
            return node["exclusiveMinimum"].map { " > \($0.compact), ≤ \(most)" } ?? " ≤ \(most)"
        case (nil, nil): return ""
        }
    }

    /// Units are a part of the names.
    private static func unit(of name: String) -> String {
        let units = [("_ms", "ms"), ("_s", "s"), ("_px", "px"), ("_deg", "°"), ("_years", "years")]
        if name == "fps" { return "1/s" }
        return units.first { name.hasSuffix($0.0) }?.1 ?? ""
    }

    /// What a field means, and when it is absent: the sentence that says so.
    static func parted(_ description: String) -> (meaning: String, absent: String?) {
        guard let place = description.firstRange(of: " Absent ") else { return (description, nil) }
        let rest = description[place.upperBound...]
        return (String(description[..<place.lowerBound]), rest.hasSuffix(".") ? String(rest.dropLast()) : String(rest))
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
