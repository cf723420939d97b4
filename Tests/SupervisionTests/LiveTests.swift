import Analysis
import Events
import Foundation
import Service
import TestSupport
import Testing

/// Sources that go on whether anybody looks or not, from the scripted camera.
@Suite("Live sources", .serialized, .needsInstallation, .needsCamera, .timeLimit(.minutes(3)))
struct LiveTests {
    private func url(_ camera: Server) -> String { "rtsp://127.0.0.1:\(camera.port)/stream" }

    private func prepared(
        _ source: SourceSettings,
        _ tape: Tape,
        pool: DescriberPool? = nil,
        engine: Configuration.Engine = Configuration().engine
    ) async throws -> (SourceSupervisor, Task<Void, Never>) {
        var surroundings = try SourceSupervisor.Surroundings.test(tape, pool: pool)
        surroundings.engine = engine
        let supervisor = SourceSupervisor(source, surroundings)
        await supervisor.prepare()
        return (supervisor, Task { await supervisor.run() })
    }

    @Test("a describer that is far too slow costs descriptions, and not one look at a picture")
    func overload() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let describer = FakeDescriber(delay: .seconds(600))
        let tape = Tape()
        var engine = Configuration().engine
        engine.refreshIntervalSeconds = 1
        engine.changeSpacingSeconds = 0
        engine.patienceSeconds = 0.1
        engine.queueCapacity = 1
        let (supervisor, run) = try await prepared(
            try .test("door", url(camera)) { $0.observations = true },
            tape,
            pool: await .ready(describer),
            engine: engine
        )
        let events = try await tape.read { $0.type == "face.observation" && supervisor.state.ledger.cropsQueued >= 4 }
        supervisor.stop(.terminated)
        await run.value
        tape.bus.finish()
        let all = events + (try await tape.rest())
        let state = supervisor.state
        #expect(describer.requests.count == 1)
        #expect(all.analyses.isEmpty)
        #expect(state.ledger.cropsDescribed == 0)
        #expect(state.ledger.cropsReplaced + state.ledger.cropsExpired + state.ledger.cropsDroppedOverload >= 4)
        #expect(state.ledger.violations(atEnd: true) == [])
        #expect(all.ended.map(\.trackID).sorted() == all.started.map(\.trackID).sorted())
        // Of a picture a fifth of a second hardly any may be missed; a busy machine may miss some.
        #expect(Double(state.framesDropped) <= 0.25 * Double(state.ledger.framesSampled), "\(state)")
    }

    @Test("paused it ends its tracks and closes the connection; off schedule likewise, until its time comes")
    func pausing() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let tape = Tape()
        let night = TimeWindow(days: Set(TimeWindow.Day.allCases), begin: 22 * 60, end: 6 * 60)
        let (supervisor, run) = try await prepared(
            try .test("door", url(camera)) { $0.schedule = [night] },
            tape
        )
        var events = try await tape.read { $0.type == "track.started" }
        await supervisor.pause()
        events = try await tape.read { $0.type == "source.status" }
        #expect(events.ended.map(\.reason) == [.interrupted])
        #expect(events.statuses.map(\.status) == [.paused])
        #expect(events.statuses.map(\.reason) == ["paused"])
        await supervisor.follow(schedule: LocalTime(day: .mon, minute: 12 * 60))
        await supervisor.resume()
        #expect(supervisor.state.status == "paused")
        await supervisor.follow(schedule: LocalTime(day: .mon, minute: 23 * 60))
        events = try await tape.read { $0.type == "track.started" }
        #expect(events.gaps.map(\.reason) == ["paused"])
        #expect(events.started.map(\.trackID) == ["t2"])
        await supervisor.follow(schedule: LocalTime(day: .tue, minute: 6 * 60))
        events = try await tape.read { $0.type == "source.status" }
        #expect(events.statuses.map(\.reason) == ["schedule"])
        supervisor.stop(.terminated)
        await run.value
        #expect(supervisor.state.ledger.violations(atEnd: true) == [])
    }

    @Test("a describer that comes back describes the faces that are there")
    func recovery() async throws {
        struct NoModel: Error {}
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let isThere = Shared(false)
        let describer = FakeDescriber()
        let pool = DescriberPool(retryInterval: .milliseconds(50)) {
            if !isThere.value { throw NoModel() }
            return describer
        }
        let opening = Task { await pool.run() }
        while pool.failure == nil { await Task.yield() }
        let tape = Tape()
        let (supervisor, run) = try await prepared(try .test("door", url(camera)), tape, pool: pool)
        let before = try await tape.read { $0.type == "track.started" }
        #expect(before.started.map(\.analysis?.status) == [.engineError])
        isThere.change { $0 = true }
        let after = try await tape.read { $0.type == "face.analysis" }
        #expect(after.analyses.map(\.analysis.status) == [.ok])
        #expect(after.last?.envelope.time != nil)
        supervisor.stop(.terminated)
        await run.value
        await opening.value
        #expect(supervisor.state.ledger.violations(atEnd: true) == [])
    }
}
