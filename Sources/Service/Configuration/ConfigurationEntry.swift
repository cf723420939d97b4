/// When a changed value takes effect.
package enum Effect: String, Sendable, Hashable, CaseIterable {
    /// At once when the configuration is loaded again.
    case reload
    /// The source is closed and opened again.
    case source
    /// With the next start of the daemon.
    case daemon
}

/// A key of the configuration as documents and dumps need it.
package struct DescribedKey: Sendable, Hashable {
    package indirect enum Content: Sendable, Hashable {
        /// What may stand there, and what stands there, as YAML on one line.
        case value(kind: String, text: String)
        case section([DescribedKey])
        /// What an entry of the list may have, and the entries.
        case list(entry: [DescribedKey], items: [[DescribedKey]])
    }

    package let name: String
    /// What it is for, whole sentences.
    package let summary: String
    package let effect: Effect
    /// The variable by which systemd gives another default.
    package let systemVariable: String?
    package let content: Content
}

/// A key of a mapping: the one place from which reading, dumps, documents and comparisons are made.
struct ConfigurationEntry<Owner: Sendable>: Sendable {
    let name: String
    let read: @Sendable (ConfigurationNode, String, inout Owner, inout ConfigurationReading) -> Void
    let describe: @Sendable (Owner) -> DescribedKey
    /// The keys below this one whose values differ.
    let changes: @Sendable (Owner, Owner) -> [ConfigurationChange]
    /// Takes from the second what a running daemon can change, and leaves the rest of the first.
    let adopt: @Sendable (inout Owner, Owner) -> Void

    /// A single value.
    static func value<Format: ValueFormat>(
        _ name: String,
        _ keyPath: any WritableKeyPath<Owner, Format.Value> & Sendable,
        _ format: Format,
        effect: Effect = .daemon,
        systemVariable: String? = nil,
        _ summary: String
    ) -> Self {
        Self(
            name: name,
            read: { node, path, owner, reading in
                if let value = format.read(node, path, &reading) { owner[keyPath: keyPath] = value }
            },
            describe: { owner in
                DescribedKey(
                    name: name,
                    summary: summary,
                    effect: effect,
                    systemVariable: systemVariable,
                    content: .value(kind: format.kind, text: format.text(owner[keyPath: keyPath]))
                )
            },
            changes: { old, new in
                old[keyPath: keyPath] == new[keyPath: keyPath] ? [] : [ConfigurationChange(path: name, effect: effect)]
            },
            adopt: { old, new in if effect != .daemon { old[keyPath: keyPath] = new[keyPath: keyPath] } }
        )
    }

    /// A mapping of its own.
    static func section<Child>(
        _ name: String,
        _ keyPath: any WritableKeyPath<Owner, Child> & Sendable,
        _ entries: [ConfigurationEntry<Child>],
        _ summary: String
    ) -> Self {
        Self(
            name: name,
            read: { node, path, owner, reading in
                reading.mapping(node, path, entries, into: &owner[keyPath: keyPath])
            },
            describe: { owner in
                DescribedKey(
                    name: name,
                    summary: summary,
                    effect: .reload,
                    systemVariable: nil,
                    content: .section(entries.map { $0.describe(owner[keyPath: keyPath]) })
                )
            },
            changes: { old, new in
                entries.flatMap { $0.changes(old[keyPath: keyPath], new[keyPath: keyPath]) }.map {
                    ConfigurationChange(path: "\(name).\($0.path)", effect: $0.effect)
                }
            },
            adopt: { old, new in
                for entry in entries { entry.adopt(&old[keyPath: keyPath], new[keyPath: keyPath]) }
            }
        )
    }

    /// A list of mappings.
    ///
    /// - Parameter prototype: an entry before anything is said about it.
    static func list<Child: Hashable>(
        _ name: String,
        _ keyPath: any WritableKeyPath<Owner, [Child]> & Sendable,
        _ entries: [ConfigurationEntry<Child>],
        prototype: @escaping @Sendable (Owner) -> Child,
        limit: Int,
        effect: Effect,
        _ summary: String
    ) -> Self {
        Self(
            name: name,
            read: { node, path, owner, reading in
                if node.isEmpty { return }
                guard case .list(let items) = node.content, items.count <= limit else {
                    reading.refuse(node, path, "expected a list of at most \(limit) entries (- key: value)")
                    return
                }
                owner[keyPath: keyPath] = items.enumerated().map { index, item in
                    var child = prototype(owner)
                    reading.origins["\(path)[\(index)]"] = item.origin
                    if item.isEmpty { reading.refuse(item, "\(path)[\(index)]", "the entry is empty") }
                    reading.mapping(item, "\(path)[\(index)]", entries, into: &child)
                    return child
                }
            },
            describe: { owner in
                DescribedKey(
                    name: name,
                    summary: summary,
                    effect: effect,
                    systemVariable: nil,
                    content: .list(
                        entry: entries.map { $0.describe(prototype(owner)) },
                        items: owner[keyPath: keyPath].map { item in entries.map { $0.describe(item) } }
                    )
                )
            },
            changes: { old, new in
                old[keyPath: keyPath] == new[keyPath: keyPath] ? [] : [ConfigurationChange(path: name, effect: effect)]
            },
            adopt: { old, new in if effect != .daemon { old[keyPath: keyPath] = new[keyPath: keyPath] } }
        )
    }

    /// The same key, seen from what holds the owner.
    func lifted<Outer>(_ keyPath: any WritableKeyPath<Outer, Owner> & Sendable) -> ConfigurationEntry<Outer> {
        ConfigurationEntry<Outer>(
            name: name,
            read: { node, path, outer, reading in read(node, path, &outer[keyPath: keyPath], &reading) },
            describe: { describe($0[keyPath: keyPath]) },
            changes: { changes($0[keyPath: keyPath], $1[keyPath: keyPath]) },
            adopt: { adopt(&$0[keyPath: keyPath], $1[keyPath: keyPath]) }
        )
    }
}
