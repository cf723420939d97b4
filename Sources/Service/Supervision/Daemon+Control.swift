internal import Events
internal import FoundationEssentials
internal import Journal
internal import Logging

/// What can be asked of a running daemon.
extension Daemon: ControlHandler {
    package func handle(_ command: ControlCommand, peer: PeerCredentials) async -> ControlResult {
        if command != .status, command != .sourcesList {
            logger.notice("command from user \(peer.userID), process \(peer.processID): \(command.name)")
        }
        switch command {
        case .status: return .ok(json: ControlJSON.text(await status))
        case .sourcesList: return .ok(json: ControlJSON.text(["sources": running.map(\.supervisor.state)]))
        case .reload:
            switch await reload() {
            case .success(let diff):
                return .ok(json: ControlJSON.text(["changes": "\(diff)".split(separator: "\n").map(String.init)]))
            case .failure(let error): return .failed(code: "invalid_configuration", message: "\(error)")
            }
        case .sourcesAdd(let text): return await inTurn { await $0.add(text) }
        case .sourcesRemove(let name): return await inTurn { await $0.remove(name) }
        case .pause(let name): return await forEach(name) { await $0.pause() }
        case .resume(let name): return await forEach(name) { await $0.resume() }
        case .purge(let before, let source): return await purge(before: before, source: source)
        }
    }

    // MARK: - Sources

    /// Adds a source until the daemon ends or the source is removed.
    private func add(_ text: String) async -> ControlResult {
        let source: SourceSettings
        do throws(ConfigurationError) {
            var loader = ConfigurationLoader(environment: options.environment)
            // JSON is YAML, so a request is checked as the file is.
            let document = "{\"sources\": [\(text)]}"
            loader.environment = loader.environment.filter { !$0.key.hasPrefix("FACELLM_") }
            let loaded = try loader.load(bytes: Array(document.utf8), file: "request")
            guard let first = loaded.configuration.sources.first, loaded.configuration.sources.count == 1 else {
                return .failed(code: "invalid_source", message: "one source was expected")
            }
            source = first
        } catch {
            return .failed(code: "invalid_source", message: "\(error)")
        }
        guard supervisor(source.name) == nil else {
            return .failed(code: "source_exists", message: "there is a source \(source.name) already")
        }
        await open([source])
        return .ok(json: ControlJSON.text(["added": source.name]))
    }

    private func remove(_ name: String) async -> ControlResult {
        guard supervisor(name) != nil else { return Self.unknown(name) }
        await close([name])
        return .ok(json: ControlJSON.text(["removed": name]))
    }

    private func forEach(
        _ name: String?,
        _ body: (SourceSupervisor) async -> Void
    ) async -> ControlResult {
        let chosen = running.map(\.supervisor).filter { name == nil || $0.name == name }
        if let name, chosen.isEmpty { return Self.unknown(name) }
        for supervisor in chosen { await body(supervisor) }
        return .ok(json: ControlJSON.text(["sources": chosen.map(\.name)]))
    }

    private static func unknown(_ name: String) -> ControlResult {
        .failed(code: "unknown_source", message: "there is no source \(name)")
    }

    // MARK: - Journal

    private func purge(before: Date?, source: String?) async -> ControlResult {
        guard let journal else { return .failed(code: "no_journal", message: "the journal is switched off") }
        do throws(JournalError) {
            let limit = before.flatMap { Timestamp(secondsSince1970: $0.timeIntervalSince1970) }
            return .ok(json: ControlJSON.text(["purged": try await journal.purge(before: limit, source: source)]))
        } catch {
            return .failed(code: "purge_failed", message: error.description)
        }
    }
}

extension ControlCommand {
    /// For the log, without what it carries.
    fileprivate var name: String {
        switch self {
        case .status: "status"
        case .reload: "reload"
        case .sourcesList: "sources.list"
        case .sourcesAdd: "sources.add"
        case .sourcesRemove(let name): "sources.remove \(name)"
        case .pause(let name): "pause \(name ?? "all")"
        case .resume(let name): "resume \(name ?? "all")"
        case .purge: "purge"
        }
    }
}
