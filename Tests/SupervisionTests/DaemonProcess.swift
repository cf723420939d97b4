import Events
import Foundation
import Journal
import TestSupport
import Testing

/// A daemon with a state directory of its own, whose events come on standard output.
final class DaemonProcess {
    let folder: TemporaryFolder
    let command: RunningCommand

    init(
        in folder: TemporaryFolder,
        sources: String,
        more: String = "",
        arguments: [String] = [],
        seconds: Double = 60
    ) throws {
        self.folder = folder
        let file = try Self.configure(folder, sources: sources, more: more)
        var options = RunningCommand.Options()
        options.seconds = seconds
        options.environment = try Self.environment()
        command = try RunningCommand(
            Installation.facellmd,
            ["--config", file, "--state-dir", folder.path("state"), "--runtime-dir", folder.path("run")] + arguments,
            options
        )
    }

    /// Writes the configuration; sources are entries of a list, indented by two blanks.
    static func configure(_ folder: TemporaryFolder, sources: String, more: String = "") throws -> String {
        let head = "sinks:\n  - kind: stdout\nperception:\n  cache_directory: \(try Installation.cache.get().path)\n"
        return try folder.file("facellmd.yaml", head + more + (sources.isEmpty ? "" : "sources:\n\(sources)\n"))
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
