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
        case .sourcesList: return .ok(json: ControlJSON.text(["sources": sourceStates]))
        case .reload:
            switch await reload() {
            case .success(let changes): return .ok(json: ControlJSON.text(["changes": changes]))
            case .failure(let error): return .failed(code: "invalid_configuration", message: "\(error)")
            }
        case .sourcesAdd(let text): return await inTurn { await $0.add(text) }
        case .sourcesRemove(let name): return await inTurn { await $0.remove(name) }
        case .pause(let name):
            return await forEach(name) { daemon, supervisor in
                daemon.paused.insert(supervisor.name)
                await supervisor.pause()
            }
        case .resume(let name):
            return await forEach(name) { daemon, supervisor in
                daemon.paused.remove(supervisor.name)
                await supervisor.resume()
            }
        case .purge(let before, let source): return await purge(before: before, source: source)
        }
    }

    // MARK: - Sources

    /// Adds a source, for this start of the daemon and the following ones.
    private func add(_ text: String) async -> ControlResult {
        let source: SourceSettings
        do throws(ConfigurationError) {
            source = try ConfigurationLoader(environment: options.environment)
                .source(JSONText: text, defaults: configuration.sourceDefaults)
        } catch {
            return .failed(code: "invalid_source", message: "\(error)")
        }
        guard !configuration.sources.contains(where: { $0.name == source.name }) else {
            return .failed(code: "source_exists", message: "there is a source \(source.name) already")
        }
        configuration.sources.append(source)
        var answer: [String: JSONValue] = ["added": .string(source.name), "kept": .bool(true)]
        if let problem = added.add(source.name, text) {
            logger.error("the source \(source.name) is watched until the daemon ends: \(problem)")
            answer["kept"] = .bool(false)
            answer["note"] = .string("it is watched until the daemon ends: \(problem)")
        }
        await open([source])
        return .ok(json: JSONValue.object(answer).description)
    }

    /// Removes a source; one that stands in the file comes back when that is read again.
    private func remove(_ name: String) async -> ControlResult {
        guard configuration.sources.contains(where: { $0.name == name }) else { return Self.unknown(name) }
        configuration.sources.removeAll { $0.name == name }
        paused.remove(name)
        var answer: [String: JSONValue] = ["removed": .string(name)]
        if added.contains(name) {
            if let problem = added.remove(name) {
                logger.error("the source \(name) will be watched again by the next start: \(problem)")
                answer["note"] = .string("it will be watched again by the next start: \(problem)")
            }
        } else {
            answer["note"] = .string(
                "it stands in the configuration, and is watched again when that is read the next time"
            )
        }
        await close([name])
        return .ok(json: JSONValue.object(answer).description)
    }

    private func forEach(
        _ name: String?,
        _ body: (isolated Daemon, SourceSupervisor) async -> Void
    ) async -> ControlResult {
        let chosen = running.map(\.supervisor).filter { name == nil || $0.name == name }
        if let name, chosen.isEmpty { return Self.unknown(name) }
        for supervisor in chosen { await body(self, supervisor) }
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
