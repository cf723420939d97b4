import Analysis
import Dispatch
import Events
import Foundation
import Logging
import NIOPosix
import Service
import Synchronization
import TestSupport
import Testing

/// Each stage of a daemon within the test's own process, made to hang in turn.
@Suite("Stages that hang", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct HangTests {
    /// Opens once; whoever waits, waits on a thread.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)

        func wait() {
            semaphore.wait()
            semaphore.signal()
        }

        func open() { semaphore.signal() }
    }

    /// A describer whose answer comes when the gate opens, and that does not listen to anybody meanwhile.
    private final class StuckDescriber: FaceDescriber {
        let provenance = Provenance(describer: "facellm", model: "stuck", versions: [:])
        let gate: Gate

        init(_ gate: Gate) { self.gate = gate }

        func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { [gate] in
                    gate.wait()
                    continuation.resume()
                }
            }
            return DescriptionAnswer(status: .engineError, reason: "late")
        }
    }

    /// Keeps messages, and blocks whoever logs one of them until the gate opens.
    private struct BlockingLog: LogHandler {
        let gate: Gate
        /// The words of the message that blocks.
        let trigger: String?
        let messages: Shared<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = event.message.description
            messages.change { $0.append(text) }
            if let trigger, text.contains(trigger) { gate.wait() }
        }
    }

    private enum Stage: String, CaseIterable, CustomTestStringConvertible {
        case source = "source door"
        case describer = "the describer"
        case journal = "the journal"
        case sockets = "the sockets"
        var testDescription: String { rawValue }
    }

    /// What the daemon told, in order, and a way to wait for more of it.
    private final class Phases: Sendable {
        private let stream = AsyncStream.makeStream(of: DaemonPhase.self)
        func tell(_ phase: DaemonPhase) { stream.continuation.yield(phase) }

        /// The phases up to the first that satisfies `isLast`.
        func upTo(_ isLast: (DaemonPhase) -> Bool) async -> [DaemonPhase] {
            var phases: [DaemonPhase] = []
            for await phase in stream.stream {
                phases.append(phase)
                if isLast(phase) { break }
            }
            return phases
        }
    }

    private static func opener(_ gate: Gate) -> DescriberPool.Opener { { StuckDescriber(gate) } }

    private func daemon(
        _ stage: Stage,
        _ gate: Gate,
        _ folder: TemporaryFolder,
        _ phases: Phases,
        _ log: Shared<[String]>
    )
        async throws -> Daemon
    {
        if stage == .journal {
            // A damaged journal is put aside and that is told of, on the journal's own queue.
            try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: false)
            try folder.file("state/journal.sqlite", Data(repeating: 0x2A, count: 10_000))
        }
        let file = try DaemonProcess.configure(
            folder,
            sources: try await DaemonProcess.chatter(folder),
            sinks: "  - {kind: jsonl, path: events.jsonl}\n",
            more: "engine: {timeout_s: 1, patience_s: 0.1}\n"
        )
        var loader = ConfigurationLoader(environment: [:])
        loader.flags["daemon.state_directory"] = folder.path("state")
        loader.flags["perception.models_directory"] = Installation.models
        let load = { @Sendable [loader] () throws(ConfigurationError) in try loader.load(file: file) }
        let logger = Logger(label: "test") { _ in
            BlockingLog(gate: gate, trigger: stage == .journal ? "was put aside" : nil, messages: log)
        }
        let opener: DescriberPool.Opener? = stage == .describer ? Self.opener(gate) : nil
        var options = Daemon.Options(configuration: try load(), logger: logger, load: load, describer: { _ in opener })
        options.tell = { phases.tell($0) }
        options.pulseInterval = .milliseconds(100)
        options.describerGrace = .milliseconds(100)
        options.grace = .seconds(1)
        return try Daemon(options)
    }

    @Test(
        "the daemon is no longer told to be alive for exactly that reason, until the stage goes on",
        arguments: Stage.allCases
    )
    private func hang(_ stage: Stage) async throws {
        let (folder, gate) = (try TemporaryFolder(), Gate())
        let (phases, log) = (Phases(), Shared<[String]>([]))
        let daemon = try await daemon(stage, gate, folder, phases, log)
        let run = Task { await daemon.run() }
        _ = await phases.upTo { $0 == .ready }
        switch stage {
        case .source:
            let supervisor = try #require(await daemon.supervisor("door"))
            Task { await supervisor.hang { gate.wait() } }
        case .sockets:
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { loop.execute { gate.wait() } }
        case .describer, .journal: break
        }
        let words = "no sign of life from \(stage.rawValue)"
        _ = await phases.upTo { $0 == .status(words) }
        // From then on nothing but that is told, however often it is looked.
        for _ in 0..<5 { #expect(await phases.upTo { _ in true } == [.status(words)]) }
        #expect(log.value.count { $0 == words } == 1)
        gate.open()
        _ = await phases.upTo { $0 == .alive }
        #expect(log.value.contains("every stage answers again"))
        daemon.stop(.terminated)
        #expect(await run.value == 143)
    }

    @Test(
        "told to end while a stage hangs it ends in time, and the last line is kept",
        arguments: [Stage.source, .describer]
    )
    private func ends(_ stage: Stage) async throws {
        let (folder, gate) = (try TemporaryFolder(), Gate())
        let (phases, log) = (Phases(), Shared<[String]>([]))
        let daemon = try await daemon(stage, gate, folder, phases, log)
        let run = Task { await daemon.run() }
        _ = await phases.upTo { $0 == .ready }
        if stage == .source {
            let supervisor = try #require(await daemon.supervisor("door"))
            Task { await supervisor.hang { gate.wait() } }
        }
        _ = await phases.upTo { $0 == .status("no sign of life from \(stage.rawValue)") }
        let beginning = ContinuousClock.now
        daemon.stop(.terminated)
        #expect(await run.value == 143)
        #expect(ContinuousClock.now - beginning < .seconds(5))
        #expect(log.value.contains { $0.contains("sources hang") })
        gate.open()
        let kept = try await DaemonProcess.journal(of: folder)
        #expect(kept.map(\.envelope.seq) == Array(1...kept.count))
        #expect(kept.summary?.exitReason == .terminated)
    }
}

extension SourceSupervisor {
    /// Blocks the queue of the source, as a network that never answers would.
    fileprivate func hang(_ wait: @Sendable () -> Void) { wait() }
}
