/// A piece of a configuration as it was written, with its place.
struct ConfigurationNode: Sendable {
    indirect enum Content: Sendable {
        case scalar(String, isQuoted: Bool)
        case list([ConfigurationNode])
        case mapping([Pair])
    }

    struct Pair: Sendable {
        let name: String
        let origin: Origin
        var value: ConfigurationNode
    }

    var content: Content
    let origin: Origin

    static func empty(_ origin: Origin) -> ConfigurationNode {
        ConfigurationNode(content: .scalar("", isQuoted: false), origin: origin)
    }

    /// Nothing behind the colon, or one of YAML's words for nothing.
    var isEmpty: Bool {
        guard case .scalar(let text, false) = content else { return false }
        return ["", "~", "null"].contains(text)
    }

    /// What to call it in "expected …, found …".
    var found: String {
        switch content {
        case _ where isEmpty: "no value"
        case .scalar(let text, _): "\"\(printable(text))\""
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The node at a path of names, or nil.
    subscript(path: ArraySlice<String>) -> ConfigurationNode? {
        guard let first = path.first else { return self }
        guard case .mapping(let pairs) = content else { return nil }
        return pairs.first { $0.name == first }?.value[path.dropFirst()]
    }

    /// Puts `value` at a path of names, making the mappings on the way where they are missing.
    ///
    /// What stands in the way and is no mapping stays, for it will be told as an error of its own.
    mutating func put(_ value: ConfigurationNode, at path: ArraySlice<String>) {
        guard let first = path.first else {
            self = value
            return
        }
        var pairs: [Pair] = []
        if case .mapping(let known) = content { pairs = known } else if !isEmpty { return }
        if let index = pairs.firstIndex(where: { $0.name == first }) {
            pairs[index].value.put(value, at: path.dropFirst())
        } else {
            var child = ConfigurationNode.empty(value.origin)
            child.put(value, at: path.dropFirst())
            pairs.append(Pair(name: first, origin: value.origin, value: child))
        }
        content = .mapping(pairs)
    }
}
