import Analysis
import Events
import Foundation
import Logging
import Service
import TestSupport
import Testing

/// Describers that hang, break and are asked for far more than they can do.
@Suite("Engines that fail", .serialized, .needsInstallation, .needsCamera, .timeLimit(.minutes(3)))
struct EngineFaultTests {
    /// Sources that watch cameras.
    private final class Watch {
        let tape = Tape()
        let supervisors: [SourceSupervisor]
        private let runs: [Task<Void, Never>]

        init(
            _ sources: [SourceSettings],
            pool: DescriberPool?,
            _ change: (inout Configuration.Engine) -> Void = { _ in }
        ) async throws {
            var surroundings = try SourceSupervisor.Surroundings.test(tape, pool: pool)
            change(&surroundings.engine)
            let supervisors = sources.map { [surroundings] in SourceSupervisor($0, surroundings) }
            self.supervisors = supervisors
            for supervisor in supervisors { await supervisor.prepare() }
            runs = supervisors.map { supervisor in Task { await supervisor.run() } }
        }

        /// - Returns: the rest of the events.
        func stop() async throws -> [Event] {
            for supervisor in supervisors { supervisor.stop(.terminated) }
            for run in runs { await run.value }
            tape.bus.finish()
            let events = try await tape.rest()
            for supervisor in supervisors { #expect(supervisor.state.ledger.violations(atEnd: true) == []) }
            return events
        }
    }

    @Test("an engine that hangs: its question ends as timeout, so do later ones, and both cameras are watched on")
    func hangs() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let describer = HangingDescriber()
        let pool = await DescriberPool.ready(describer, patience: .milliseconds(500))
        let url = "rtsp://127.0.0.1:\(camera.port)/stream"
        let watch = try await Watch([try .test("door", url), try .test("yard", url)], pool: pool) {
            $0.timeoutSeconds = 1
            $0.patienceSeconds = 0.1
        }
        await describer.hasBegun()
        var events = try await watch.tape.read { $0.type == "face.analysis" }
        let first = try #require(events.analyses.first)
        #expect(first.analysis.status == .timeout && first.analysis.reason == "engine_stuck")
        // The other source's question is answered as well, and new faces are told of all the same.
        var silent: Set<String> = ["door", "yard"]
        events += try await watch.tape.read { event in
            if event.type == "track.ended", let source = event.envelope.source { silent.remove(source) }
            return silent.isEmpty
        }
        silent = ["door", "yard"]
        events += try await watch.tape.read { event in
            if event.type == "track.started", let source = event.envelope.source { silent.remove(source) }
            return silent.isEmpty
        }
        #expect(try #require(pool.stuck) > .zero)
        events += try await watch.stop()
        #expect(events.analyses.allSatisfy { $0.analysis.status == .timeout })
        #expect(Set(events.filter { $0.type == "face.analysis" }.map(\.envelope.source)).count == 2)
        let ledger = watch.supervisors.map(\.state.ledger).reduce(Ledger(), +)
        #expect(ledger.cropsDescribed == 0 && ledger.cropsFailed >= 2)
        describer.letGo()
    }

    @Test("an engine that fails every time costs descriptions alone, and the ledger tells how many")
    func breaks() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let describer = FakeDescriber(answer: DescriptionAnswer(status: .engineError, reason: "out_of_memory"))
        let pool = await DescriberPool.ready(describer)
        let watch = try await Watch([try .test("door", "rtsp://127.0.0.1:\(camera.port)/stream")], pool: pool) {
            $0.patienceSeconds = 0.1
        }
        var events = try await watch.tape.read { $0.type == "track.ended" }
        events += try await watch.tape.read { $0.type == "face.analysis" }
        events += try await watch.stop()
        #expect(events.analyses.count >= 2)
        #expect(
            events.analyses.allSatisfy { $0.analysis.status == .engineError && $0.analysis.reason == "out_of_memory" }
        )
        #expect(events.ended.allSatisfy { $0.analyses == 0 })
        let ledger = watch.supervisors[0].state.ledger
        #expect(ledger.cropsFailed == events.analyses.count && ledger.cropsDescribed == 0)
    }

    @Test("a crowd that wants twenty times what the engine can do: bounded, counted, and perception as fast as without")
    func overload() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.crowdFile()
        let camera = try await Server.camera(folder)
        // Nine faces, each asked about once a second; the engine answers once in 2.3 s.
        let describer = FakeDescriber(delay: .milliseconds(2300))
        let pool = await DescriberPool.ready(describer)
        let capacity = 4
        let watch = try await Watch(
            [try .test("square", "rtsp://127.0.0.1:\(camera.port)/stream") { $0.observations = true }],
            pool: pool
        ) {
            $0.queueCapacity = capacity
            $0.refreshIntervalSeconds = 1
            $0.changeSpacingSeconds = 0.5
            $0.patienceSeconds = 0.1
            $0.cropLifetimeSeconds = 3
        }
        let supervisor = watch.supervisors[0]
        var longest = 0
        var looks = 0
        var memory: [Double] = []
        var events = try await watch.tape.read { event in
            let state = supervisor.state
            longest = max(longest, state.queue)
            looks += 1
            if looks % 100 == 0 { memory.append(Self.residentMegabytes) }
            #expect(state.ledger.violations() == [])
            return state.ledger.framesSampled >= 60
        }
        events += try await watch.stop()
        let state = supervisor.state
        let ledger = state.ledger
        let faces = Set(events.started.map(\.trackID)).count
        print(
            "crowd: \(faces) tracks, \(ledger.cropsQueued) crops queued, \(ledger.cropsDescribed) described, "
                + "\(ledger.cropsReplaced) replaced, \(ledger.cropsExpired) expired, \(ledger.cropsDroppedOverload) "
                + "dropped; \(ledger.framesSampled) samples, \(state.framesDropped) dropped"
        )
        #expect(faces >= 9)
        #expect(longest <= capacity)
        #expect(ledger.cropsQueued >= 20 * max(1, ledger.cropsDescribed))
        let lost = ledger.cropsReplaced + ledger.cropsExpired + ledger.cropsDroppedOverload
        #expect(ledger.cropsDescribed + lost == ledger.cropsQueued)
        // Samples are missed where the machine is busy, and not by the share that the engine is too slow.
        #expect(Double(state.framesDropped) <= 0.25 * Double(ledger.framesSampled), "\(state)")
        if let first = memory.dropFirst().first, let last = memory.last { #expect(last - first < 64, "\(memory)") }
        // Of tracks that were never described each one is served before any is served twice in the same appearance.
        let asked = describer.requests.map(\.trackID)
        #expect(Set(asked).count == asked.count, "\(asked)")
    }

    private static var residentMegabytes: Double {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (pages?.dropFirst().first.flatMap { Double($0) } ?? 0) * 4096 / 1e6
    }

    @Test("the watchdog is not told that all is well while the engine hangs, and is again when it came back")
    func watchdog() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let file = try folder.file(
            "facellmd.yaml",
            "daemon: {state_directory: \(folder.path("state"))}\n"
                + "perception: {models_directory: \(Installation.models), "
                + "cache_directory: \(try Installation.cache.get().path)}\n"
                + "engine: {timeout_s: 1, patience_s: 0.1}\n"
                + "sources:\n  - {name: door, url: 'rtsp://127.0.0.1:\(camera.port)/stream'}\n"
        )
        let load = { @Sendable () throws(ConfigurationError) in
            try ConfigurationLoader(environment: [:]).load(file: file)
        }
        let describer = HangingDescriber()
        var options = Daemon.Options(
            configuration: try load(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            load: load,
            describer: { _ in { describer } }
        )
        options.pulseInterval = .milliseconds(50)
        options.describerGrace = .milliseconds(500)
        let beats = Shared(0)
        options.tell = { if $0 == .alive { beats.change { $0 += 1 } } }
        let daemon = try Daemon(options)
        let run = Task { await daemon.run() }
        await describer.hasBegun()
        let before = beats.value
        while beats.value < before + 3 { try await Task.sleep(for: .milliseconds(10)) }
        // Its question has a second, then the limit passes.
        var last = beats.value, since = ContinuousClock.now
        while ContinuousClock.now - since < .seconds(1) {
            try await Task.sleep(for: .milliseconds(20))
            if beats.value != last { (last, since) = (beats.value, .now) }
        }
        let status = await daemon.status
        #expect(status.describer?.status == "stuck")
        #expect(status.sources.map(\.status) == ["online"])
        describer.letGo()
        while beats.value == last { try await Task.sleep(for: .milliseconds(10)) }
        daemon.stop(.terminated)
        #expect(await run.value == 143)
    }
}
