import Analysis
import Events
import Foundation
import Journal
import Logging
import Service
import TestSupport
import Testing

/// What takes effect while the daemon runs, and what it says of the rest.
@Suite("Reload", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct ReloadTests {
    @Test("sinks come, go and change with the configuration; no line is written twice or left out")
    func sinks() async throws {
        let folder = try TemporaryFolder()
        func sink(_ name: String, _ more: String = "") -> String { "  - {path: \(name).jsonl\(more)}\n" }
        try await LocalDaemon.with(folder, "sinks:\n" + sink("a") + sink("b")) { local async throws in
            try local.publish(1)
            #expect(
                try await local.reload("sinks:\n" + sink("b", ", rotate_keep: 7") + sink("c")) == ["sinks: changed"]
            )
            try local.publish(2)
            // A place that cannot be written to is told, and tried again the next time.
            let missing = sink("nowhere/d")
            let changes = try await local.reload("sinks:\n" + sink("b", ", rotate_keep: 7") + sink("c") + missing)
            #expect(changes.first == "sinks: changed")
            #expect(changes.dropFirst().first?.hasPrefix("sinks[2]: cannot open") == true, "\(changes)")
            try local.publish(3)
            try FileManager.default.createDirectory(
                atPath: folder.path("state/nowhere"),
                withIntermediateDirectories: true
            )
            #expect(
                try await local.reload("sinks:\n" + sink("b", ", rotate_keep: 7") + sink("c") + missing)
                    == ["sinks: changed"]
            )
            try local.publish(4)
            #expect(try await local.reload("sinks:\n" + sink("b", ", rotate_keep: 7")) == ["sinks: changed"])
            try local.publish(5)
        }
        let found = try ["a", "b", "c", "nowhere/d"].map {
            try LocalDaemon.numbers(in: folder.path("state/\($0).jsonl"))
        }
        #expect(found == [[1], [1, 2, 3, 4, 5], [2, 3, 4], [4]])
    }

    @Test("a sink that changes under a stream of lines loses and doubles none")
    func sinkUnderLoad() async throws {
        let folder = try TemporaryFolder()
        let lines = 3000
        try await LocalDaemon.with(folder, "sinks: [{path: a.jsonl}]") { local async throws in
            let publishing = Task {
                for number in 0..<lines {
                    try local.publish(number)
                    if number.isMultiple(of: 50) { try await Task.sleep(for: .milliseconds(1)) }
                }
            }
            for keep in 1...20 { _ = try await local.reload("sinks: [{path: a.jsonl, rotate_keep: \(keep)}]") }
            try await publishing.value
        }
        #expect(try LocalDaemon.numbers(in: folder.path("state/a.jsonl")) == Array(0..<lines))
    }

    @Test("the level of the log changes at once, and what needs a restart is told by every reload")
    func levels() async throws {
        let levels = Shared<[Configuration.LogLevel]>([])
        try await LocalDaemon.with(
            try TemporaryFolder(),
            "",
            setLogLevel: { level in levels.change { $0.append(level) } }
        ) { local async throws in
            let changed = "daemon: {log_level: debug}\njournal: {path: other.sqlite}\nhttp: {listen: 127.0.0.1:9}\n"
            #expect(
                try await local.reload(changed) == [
                    "daemon.log_level: changed", "needs a restart: journal.path", "needs a restart: http.listen",
                ]
            )
            #expect(levels.value == [.debug])
            #expect(
                try await local.reload(changed) == ["needs a restart: journal.path", "needs a restart: http.listen"]
            )
            #expect(try await local.reload("") == ["daemon.log_level: changed"])
            #expect(levels.value == [.debug, .info])
        }
    }

    @Test("lines that are older than a new limit go with the reload")
    func retention() async throws {
        let folder = try TemporaryFolder()
        // A journal of last month.
        let past = Timestamp(millisecondsSince1970: Timestamp.now().millisecondsSince1970 - 20 * 86_400_000)
        let old = try Journal(directory: folder.path("state"), instanceID: "old", now: { past }) { _ in }
        let bus = EventBus(instanceID: "old", store: old, now: { past })
        for number in 1...3 {
            try bus.publish(.error(ErrorRecord(code: "a", message: "\(number)", retryable: false)), source: "test")
        }
        await old.flush()
        await old.close()
        try await LocalDaemon.with(folder, "journal: {max_age_days: 30}") { local async throws in
            func oldest() async throws -> String? {
                (try await local.ask(.status)["journal"] as? [String: Any])?["oldest"] as? String
            }
            #expect(try await oldest() == past.description)
            #expect(try await local.reload("journal: {max_age_days: 10}") == ["journal.max_age_days: changed"])
            #expect(try await oldest() != past.description)
        }
    }

    @Test("who may connect is decided anew for every connection after a reload")
    func sockets() async throws {
        let folder = try TemporaryFolder()
        let parts = { @Sendable (facts: DaemonFacts) in
            DaemonServers.parts(
                of: facts,
                activated: [:],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        try await LocalDaemon.with(folder, "", parts: parts) { local async throws in
            let client = ControlClient(path: folder.path("run/control.sock"), timeout: .seconds(10))
            #expect(try await client.ask("status")["ready"] == .bool(true))
            #expect(
                try await local.reload("sockets: {events: {max_subscribers: 1}}")
                    == ["sockets.events.max_subscribers: changed"]
            )
            let greeted = Shared(0)
            let first = Task {
                try await EventsClient(path: folder.path("run/events.sock")).run { _ in
                    greeted.change { $0 += 1 }
                }
            }
            while greeted.value == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let second = EventsClient(path: folder.path("run/events.sock"))
            var refused = false
            do {
                try await second.run { update in
                    if case .disconnected = update { throw CancellationError() }
                    if case .connected = update { Issue.record("one too many was let in") }
                }
            } catch {
                refused = true
            }
            #expect(refused)
            first.cancel()
            _ = await first.result
        }
    }

    @Test("budgets of the describer change without a new connection")
    func budgets() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 12)
        func requests(changing change: ((SourceSupervisor, Configuration.Engine) async throws -> Void)?) async throws
            -> Int
        {
            let describer = GatedDescriber()
            let tape = Tape()
            var surroundings = try SourceSupervisor.Surroundings.test(tape, pool: await .ready(describer))
            surroundings.engine.refreshIntervalSeconds = 1
            surroundings.engine.changeSpacingSeconds = 1
            let supervisor = SourceSupervisor(try .test("clip", clip), surroundings)
            await supervisor.prepare()
            let run = Task { await supervisor.run() }
            await describer.isAsked()
            try await change?(supervisor, surroundings.engine)
            describer.open()
            await run.value
            tape.bus.finish()
            let events = try await tape.rest()
            #expect(events.statuses.map(\.status) == [.online, .ended])
            #expect(supervisor.state.ledger.violations(atEnd: true) == [])
            return describer.requests
        }
        #expect(try await requests(changing: nil) > 2)
        let smaller = try await requests { supervisor, engine in
            let settings = try SourceSettings.test("clip", clip) { $0.describe.maxPerTrack = 2 }
            await supervisor.apply(settings, engine, at: .now())
        }
        #expect(smaller == 2)
        let rarer = try await requests { supervisor, engine in
            var engine = engine
            engine.refreshIntervalSeconds = 3600
            engine.changeSpacingSeconds = 3600
            await supervisor.apply(nil, engine, at: .now())
        }
        #expect(rarer == 1)
    }
}

/// A describer whose first answer waits until it may be given.
private final class GatedDescriber: FaceDescriber {
    let provenance = Provenance(describer: "facellm", model: "fake", versions: ["facellm": RunProvenance.version])
    private let asked = AsyncStream.makeStream(of: Void.self)
    private let gate = AsyncStream.makeStream(of: Void.self)
    private let count = Shared(0)

    var requests: Int { count.value }

    func isAsked() async { for await _ in asked.stream { return } }

    func open() { gate.continuation.finish() }

    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        count.change { $0 += 1 }
        asked.continuation.yield()
        for await _ in gate.stream {}
        return DescriptionAnswer(status: .ok)
    }
}
