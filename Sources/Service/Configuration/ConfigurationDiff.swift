/// A key whose value differs between two configurations.
package struct ConfigurationChange: Sendable, Hashable {
    /// From the top, or within a source.
    package let path: String
    package let effect: Effect
}

/// What a new configuration changes, for a reload.
package struct ConfigurationDiff: Sendable, Hashable {
    /// A source that both configurations have, under one name.
    package struct ChangedSource: Sendable, Hashable {
        package let settings: SourceSettings
        package let changes: [ConfigurationChange]

        /// Whether it has to be closed and opened again; otherwise it goes on under its new settings.
        package var needsRestart: Bool { changes.contains { $0.effect != .reload } }
    }

    package let added: [SourceSettings]
    /// Names.
    package let removed: [String]
    package let changed: [ChangedSource]
    /// Names.
    package let unchanged: [String]
    /// Keys outside of the sources that take effect at once.
    package let reloaded: [String]
    /// Keys that the running daemon cannot change.
    package let needingDaemonRestart: [String]

    package init(from old: Configuration, to new: Configuration) {
        let known = Dictionary(old.sources.map { ($0.name, $0) }) { first, _ in first }
        let names = Set(new.sources.map(\.name))
        added = new.sources.filter { known[$0.name] == nil }
        removed = old.sources.map(\.name).filter { !names.contains($0) }
        var changed: [ChangedSource] = []
        var unchanged: [String] = []
        for source in new.sources {
            guard let before = known[source.name] else { continue }
            var changes = SourceSettings.entries.flatMap { $0.changes(before, source) }
            // The reference may be the same and lead elsewhere.
            if changes.isEmpty, before != source { changes = [.init(path: "url_from", effect: .source)] }
            if changes.isEmpty {
                unchanged.append(source.name)
            } else {
                changed.append(ChangedSource(settings: source, changes: changes))
            }
        }
        self.changed = changed
        self.unchanged = unchanged
        // The defaults are in the sources already.
        let own = Configuration.entries.filter { !["sources", "source_defaults"].contains($0.name) }
        var changes = own.flatMap { $0.changes(old, new) }
        if old.http.token != new.http.token, old.http.tokenFrom == new.http.tokenFrom {
            changes.append(.init(path: "http.token_from", effect: .daemon))
        }
        reloaded = changes.filter { $0.effect == .reload }.map(\.path)
        needingDaemonRestart = changes.filter { $0.effect != .reload }.map(\.path)
    }

    /// Whether a key that takes effect at once, or one below it, has changed.
    func hasReloaded(_ path: String) -> Bool { reloaded.contains { $0 == path || $0.hasPrefix("\(path).") } }

    package var isEmpty: Bool {
        added.isEmpty && removed.isEmpty && changed.isEmpty && reloaded.isEmpty && needingDaemonRestart.isEmpty
    }
}

extension Configuration {
    /// This configuration with what a running daemon can take over from another one.
    ///
    /// Keys that need a restart keep their values, so that every later comparison tells of them again.
    func adopting(_ new: Configuration) -> Configuration {
        var result = self
        for entry in Self.entries { entry.adopt(&result, new) }
        return result
    }
}

extension ConfigurationDiff: CustomStringConvertible {
    /// One line a change, for logs and answers to `reload`.
    package var description: String {
        var lines = added.map { "source \($0.name): added" } + removed.map { "source \($0): removed" }
        lines += changed.map { source in
            let keys = source.changes.map(\.path).joined(separator: ", ")
            return "source \(source.settings.name): \(keys) changed\(source.needsRestart ? ", opened again" : "")"
        }
        lines += reloaded.map { "\($0): changed" }
        lines += needingDaemonRestart.map { "needs a restart: \($0)" }
        return lines.isEmpty ? "nothing changed" : lines.joined(separator: "\n")
    }
}
