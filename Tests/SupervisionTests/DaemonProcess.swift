import Events
import Foundation
import Journal
import Service
import TestSupport
import Testing

/// A daemon with a state directory of its own, whose events come on standard output.
final class DaemonProcess {
    let folder: TemporaryFolder
    let command: RunningCommand
    /// All that it wrote, once it was stopped.
    private(set) var ending: CommandLineRun?

    init(
        in folder: TemporaryFolder,
        sources: String,
        sinks: String = standardOutput,
        more: String = "",
        arguments: [String] = [],
        seconds: Double = 60,
        output: RunningCommand.Options.Output = .kept
    ) throws {
        self.folder = folder
        let file = try Self.configure(folder, sources: sources, sinks: sinks, more: more)
        var options = RunningCommand.Options()
        options.seconds = seconds
        options.output = output
        options.environment = try Self.environment()
        command = try RunningCommand(
            Installation.facellmd,
            ["--config", file, "--state-dir", folder.path("state"), "--runtime-dir", folder.path("run")] + arguments,
            options
        )
    }

    /// The sink that `event` and `stop` need.
    static let standardOutput = "  - kind: stdout\n"

    /// Writes the configuration; sources and sinks are entries of lists, indented by two blanks.
    static func configure(
        _ folder: TemporaryFolder,
        sources: String,
        sinks: String = standardOutput,
        more: String = "",
        name: String = "facellmd.yaml"
    ) throws -> String {
        let head = "sinks:\n\(sinks)perception:\n  cache_directory: \(try Installation.cache.get().path)\n"
        return try folder.file(name, head + more + (sources.isEmpty ? "" : "sources:\n\(sources)\n"))
    }

    static func environment() throws -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FACELLM_") }
        environment["FACELLM_PREFIX"] = Installation.prefix
        environment["TMPDIR"] = nil
        return environment
    }

    static func camera(_ name: String, port: Int) -> String {
        "  - name: \(name)\n    url: rtsp://127.0.0.1:\(port)/stream\n    limits: {reconnect_longest_s: 2}"
    }

    /// A recording that outlasts any test, with an event for each of its pictures.
    static func chatter(_ folder: TemporaryFolder, more: String = "") async throws -> String {
        let clip = try await folder.endlessPortrait()
        return """
              - name: door
                url: \(clip)
                sample_fps: 25
                tiling: "off"
                observations: true
            """ + (more.isEmpty ? "" : "\n    \(more)")
    }

    var eventsSocket: String { folder.path("run/events.sock") }
    var controlSocket: String { folder.path("run/control.sock") }

    /// The daemon's answer to a command.
    func ask(_ op: String, _ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        try await ControlClient(path: controlSocket).ask(op, fields)
    }

    /// Waits until both sockets take connections.
    func listens() async throws {
        while (try? RawClient(controlSocket)) == nil {
            guard command.isRunning else {
                throw Ended(description: "the daemon ended: \(await command.finish().standardError)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Connects to the events socket and has `hello` behind it.
    ///
    /// - Parameter request: fields of the request, as JSON without braces; nil to send none.
    func subscriber(_ request: String? = nil) async throws -> RawClient {
        let client = try RawClient(eventsSocket)
        guard let hello = try await client.line(), hello.contains("\"type\":\"hello\"") else {
            throw RawClient.Failure(description: "the first line is no hello")
        }
        guard let request else { return client }
        await client.send("{\"op\":\"subscribe\",\"request_id\":1\(request.isEmpty ? "" : ",")\(request)}")
        while let line = try await client.line() {
            if line.contains("\"type\":\"reply\"") { return client }
        }
        throw RawClient.Failure(description: "no reply")
    }

    /// Waits for lines until one is such an event.
    func event(_ isIt: (Event) -> Bool) async throws -> Event {
        let decoder = EventDecoder()
        for await line in command.lines {
            let event = try decoder.event(line.utf8)
            if isIt(event) { return event }
        }
        throw Ended(description: "the daemon ended: \(await command.finish().standardError)")
    }

    struct Ended: Error, CustomStringConvertible { let description: String }

    /// Ends it in order, and checks what must hold then.
    ///
    /// - Returns: all events of this start.
    func stop(
        by signal: Int32 = SIGTERM,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Event] {
        let start = ContinuousClock.now
        command.send(signal)
        let run = await command.finish()
        ending = run
        #expect(ContinuousClock.now - start < .seconds(5), sourceLocation: sourceLocation)
        #expect(run.status == 128 + signal, "\(run.standardError)", sourceLocation: sourceLocation)
        let decoder = EventDecoder()
        let events = try run.text.split(separator: "\n").map { try decoder.event($0.utf8) }
        let summary = try #require(events.summary, "the last line is no run.summary", sourceLocation: sourceLocation)
        #expect(summary.ledger.violations(atEnd: true) == [], sourceLocation: sourceLocation)
        #expect(summary.ledger.tracksStarted == events.started.count, sourceLocation: sourceLocation)
        #expect(summary.ledger.tracksEnded == events.ended.count, sourceLocation: sourceLocation)
        #expect(events.map(\.envelope.seq) == Array(1...events.count), sourceLocation: sourceLocation)
        let kept = try await Self.journal(of: folder).filter { $0.envelope.instanceID == events[0].envelope.instanceID }
        #expect(kept.count == events.count, "the journal is complete", sourceLocation: sourceLocation)
        return events
    }

    /// What the journal of a daemon that has ended holds.
    static func journal(of folder: TemporaryFolder, after cursor: String? = nil) async throws -> [Event] {
        let journal = try Journal(directory: folder.path("state"), instanceID: "reader") { _ in }
        let decoder = EventDecoder()
        var position = cursor.flatMap(Cursor.init).map { ReplayPosition.after($0) } ?? .oldest
        var events: [Event] = []
        while true {
            let page = await journal.read(from: position)
            for item in page.items {
                guard case .event(let event) = item else {
                    Issue.record("lines are missing: \(item)")
                    continue
                }
                events.append(try decoder.event(event.line.bytes))
            }
            if page.isAtEnd { break }
            position = page.position
        }
        await journal.close()
        return events
    }
}
