/// What is gathered while a configuration is read.
struct ConfigurationReading {
    var problems: [ConfigurationProblem] = []
    /// Of every value that was given, by its path.
    var origins: [String: Origin] = [:]

    mutating func refuse(_ node: ConfigurationNode, _ path: String, _ message: String) {
        problems.append(ConfigurationProblem(node.origin, path, message))
    }

    mutating func refuse(_ node: ConfigurationNode, _ path: String, expected: String) {
        refuse(node, path, "expected \(expected), found \(node.found)")
    }

    /// Reads a mapping by the table of its keys, in the table's order.
    mutating func mapping<Owner>(
        _ node: ConfigurationNode,
        _ path: String,
        _ entries: [ConfigurationEntry<Owner>],
        into owner: inout Owner
    ) {
        if node.isEmpty { return }
        guard case .mapping(let pairs) = node.content else {
            // A text here may be an address with a password: it is not repeated.
            let found = if case .scalar = node.content { "a text" } else { node.found }
            refuse(node, path, "expected a mapping (key: value), found \(found)")
            return
        }
        let names = entries.map(\.name)
        let prefix = path.isEmpty ? "" : path + "."
        for pair in pairs {
            if pair.name.first == ConfigurationYAML.duplicateMark {
                let name = String(pair.name.drop { $0 == ConfigurationYAML.duplicateMark })
                let second = pairs.last { $0.name == name } ?? pair
                let first = if case .file(let line, _) = pair.origin { " (first in line \(line))" } else { "" }
                let message = "this key is given twice\(first); remove one of them"
                problems.append(ConfigurationProblem(second.origin, prefix + printable(name), message))
            } else if !names.contains(pair.name) {
                let hint =
                    EditDistance.nearest(to: pair.name, among: names).map { "did you mean \($0)?" }
                    ?? "there are \(names.joined(separator: ", "))"
                let message = "unknown key; \(hint)"
                problems.append(ConfigurationProblem(pair.origin, prefix + printable(pair.name), message))
            }
        }
        for entry in entries {
            guard let pair = pairs.first(where: { $0.name == entry.name }) else { continue }
            origins[prefix + entry.name] = pair.value.isEmpty ? pair.origin : pair.value.origin
            entry.read(pair.value, prefix + entry.name, &owner, &self)
        }
    }
}
