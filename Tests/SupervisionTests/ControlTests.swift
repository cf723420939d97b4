import Analysis
import Events
import Foundation
import Logging
import Service
import TestSupport
import Testing

/// Commands to a daemon within the test's own process.
@Suite("Commands", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct ControlTests {
    private static let peer = PeerCredentials(processID: 1, userID: 0, groupID: 0)

    /// Runs a daemon without sources around `body`.
    private func withDaemon(_ body: (Daemon, TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        var loader = ConfigurationLoader(environment: [:])
        loader.flags["daemon.state_directory"] = folder.path("state")
        loader.flags["perception.models_directory"] = Installation.models
        loader.flags["perception.cache_directory"] = try Installation.cache.get().path
        let load = { @Sendable [loader] () throws(ConfigurationError) in try loader.load(file: nil) }
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        var options = Daemon.Options(
            configuration: try load(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            load: load,
            describer: { _ in nil }
        )
        options.tell = { if $0 == .ready { isReady.yield() } }
        let daemon = try Daemon(options)
        let run = Task { await daemon.run() }
        for await _ in ready { break }
        try await body(daemon, folder)
        daemon.stop(.terminated)
        #expect(await run.value == 143)
    }

    private func json(_ result: ControlResult, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String:
        Any]
    {
        guard case .ok(let text) = result else {
            Issue.record("\(result)", sourceLocation: sourceLocation)
            return [:]
        }
        #expect(!text.contains("\n"))
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(object as? [String: Any], sourceLocation: sourceLocation)
    }

    private func code(_ result: ControlResult) -> String? {
        if case .failed(let code, _) = result { code } else { nil }
    }

    @Test("sources come and go, are paused and purged; status tells")
    func sources() async throws {
        try await withDaemon { daemon, folder in
            let lines = daemon.bus.subscribe()
            let clip = try await folder.portrait(seconds: 2)
            let add = ControlCommand.sourcesAdd(JSONText: "{\"name\": \"clip\", \"url\": \"\(clip)\"}")
            #expect(try json(await daemon.handle(add, peer: Self.peer))["added"] as? String == "clip")
            #expect(code(await daemon.handle(add, peer: Self.peer)) == "source_exists")
            let nonsense = ControlCommand.sourcesAdd(JSONText: "{\"name\": \"a\", \"urk\": 1}")
            #expect(code(await daemon.handle(nonsense, peer: Self.peer)) == "invalid_source")

            var types: [String] = []
            let decoder = EventDecoder()
            while types.count(where: { $0 == "source.status" }) < 2, let batch = await lines.next() {
                types += try batch.map { try decoder.event($0.line.bytes).type }
            }
            #expect(types.contains("track.started"))

            let status = try json(await daemon.handle(.status, peer: Self.peer))
            let sources = try #require(status["sources"] as? [[String: Any]])
            #expect(sources.map { $0["name"] as? String } == ["clip"])
            #expect(sources.first?["status"] as? String == "ended")
            #expect((status["ledger"] as? [String: Any])?["frames_decoded"] as? Int == 50)
            #expect(status["ready"] as? Bool == true)
            #expect((status["memory_mb"] as? Double ?? 0) > 1)

            #expect(try json(await daemon.handle(.pause(nil), peer: Self.peer))["sources"] as? [String] == ["clip"])
            #expect(try json(await daemon.handle(.resume("clip"), peer: Self.peer))["sources"] as? [String] == ["clip"])
            #expect(code(await daemon.handle(.pause("yard"), peer: Self.peer)) == "unknown_source")

            let purged = try json(await daemon.handle(.purge(before: nil, source: "clip"), peer: Self.peer))
            #expect(purged["purged"] as? Int == types.count)

            // What is gone stays in the ledger.
            _ = try json(await daemon.handle(.sourcesRemove("clip"), peer: Self.peer))
            #expect(code(await daemon.handle(.sourcesRemove("clip"), peer: Self.peer)) == "unknown_source")
            #expect(await daemon.ledger.framesDecoded == 50)
        }
    }

    @Test("reading an unchanged configuration again changes nothing")
    func reload() async throws {
        try await withDaemon { daemon, _ in
            let reply = try json(await daemon.handle(.reload, peer: Self.peer))
            #expect(reply["changes"] as? [String] == ["nothing changed"])
        }
    }
}
