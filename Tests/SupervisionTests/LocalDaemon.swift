import Analysis
import Events
import Foundation
import Logging
import Service
import TestSupport
import Testing

/// A daemon within the test's own process; its configuration is a file of the folder, read again at each reload.
struct LocalDaemon {
    static let peer = PeerCredentials(processID: 1, userID: 0, groupID: 0)

    let daemon: Daemon
    let folder: TemporaryFolder

    /// Runs a daemon around `body`, which must leave it alive.
    static func with(
        _ folder: TemporaryFolder,
        _ yaml: String,
        setLogLevel: @escaping @Sendable (Configuration.LogLevel) -> Void = { _ in },
        parts: @escaping @Sendable (DaemonFacts) throws -> [any DaemonPart] = { _ in [] },
        _ body: (LocalDaemon) async throws -> Void
    ) async throws {
        let file = try folder.file("facellmd.yaml", yaml)
        var loader = ConfigurationLoader(environment: [:])
        loader.flags["daemon.state_directory"] = folder.path("state")
        loader.flags["daemon.runtime_directory"] = folder.path("run")
        loader.flags["perception.models_directory"] = Installation.models
        loader.flags["perception.cache_directory"] = try Installation.cache.get().path
        let load = { @Sendable [loader] () throws(ConfigurationError) in try loader.load(file: file) }
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        var options = Daemon.Options(
            configuration: try load(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            load: load,
            describer: { _ in nil }
        )
        options.setLogLevel = setLogLevel
        options.parts = parts
        options.tell = { if $0 == .ready { isReady.yield() } }
        let daemon = try Daemon(options)
        let run = Task { await daemon.run() }
        for await _ in ready { break }
        do {
            try await body(LocalDaemon(daemon: daemon, folder: folder))
        } catch {
            daemon.stop(.terminated)
            _ = await run.value
            throw error
        }
        daemon.stop(.terminated)
        #expect(await run.value == 143)
    }

    /// Gives a command that must succeed.
    func ask(_ command: ControlCommand, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String: Any]
    {
        let result = await daemon.handle(command, peer: Self.peer)
        guard case .ok(let text) = result else {
            Issue.record("\(result)", sourceLocation: sourceLocation)
            return [:]
        }
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(object as? [String: Any], sourceLocation: sourceLocation)
    }

    /// The code with which a command is refused.
    func refusal(_ command: ControlCommand) async -> String? {
        if case .failed(let code, _) = await daemon.handle(command, peer: Self.peer) { code } else { nil }
    }

    /// Writes another configuration and has it read.
    func reload(_ yaml: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String] {
        _ = try folder.file("facellmd.yaml", yaml)
        return try await ask(.reload, sourceLocation: sourceLocation)["changes"] as? [String] ?? []
    }

    /// Name and origin of every source.
    func sources() async throws -> [String: String] {
        let list = try await ask(.sourcesList)["sources"] as? [[String: Any]] ?? []
        return Dictionary(uniqueKeysWithValues: list.map { ("\($0["name"] ?? "")", "\($0["origin"] ?? "")") })
    }

    func status(of name: String) async throws -> String? {
        let list = try await ask(.sourcesList)["sources"] as? [[String: Any]] ?? []
        return list.first { $0["name"] as? String == name }?["status"] as? String
    }

    /// Frames a second of every source, by its name.
    var sampleRates: [String: Double] {
        get async {
            let sources = await daemon.configuration.sources
            return Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0.watch.sampleFPS) })
        }
    }

    /// Publishes a line that anybody can recognise.
    func publish(_ number: Int) throws {
        try daemon.bus.publish(
            .error(ErrorRecord(code: "line", message: "\(number)", retryable: false)),
            source: "test"
        )
    }

    /// The numbers that `publish` left in a file of lines.
    static func numbers(in path: String) throws -> [Int] {
        let decoder = EventDecoder()
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard case .error(let record) = try decoder.event(line.utf8).payload else { return nil }
            return Int(record.message)
        }
    }
}
