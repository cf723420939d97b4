import Analysis
import Events
import Foundation
import Service
import TestSupport
import Testing

/// Sources that are files: everything happens in the media's own time.
@Suite("Recorded sources", .serialized, .needsInstallation, .timeLimit(.minutes(3)))
struct RecordingTests {
    private struct NoModel: Error {}

    /// Runs a source to its end.
    private func play(
        _ source: SourceSettings,
        pool: DescriberPool? = nil,
        numbering: SourceSupervisor.Numbering = .init(),
        engine: Configuration.Engine = Configuration().engine
    ) async throws -> (events: [Event], state: SourceState, next: SourceSupervisor.Numbering) {
        let tape = Tape()
        var surroundings = try SourceSupervisor.Surroundings.test(tape, pool: pool)
        surroundings.engine = engine
        let supervisor = SourceSupervisor(source, surroundings, numbering: numbering)
        await supervisor.prepare()
        await supervisor.run()
        tape.bus.finish()
        return (try await tape.rest(), supervisor.state, await supervisor.nextNumbering)
    }

    @Test("a file runs once: online, tracks, ended, and everything accounted for")
    func once() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 4)
        let describer = FakeDescriber()
        let (events, state, _) = try await play(try .test("clip", clip), pool: await .ready(describer))
        #expect(events.statuses.map(\.status) == [.online, .ended])
        #expect(events.statuses.last?.reason == "end_of_stream")
        #expect(events.started.count == 1)
        #expect(events.ended.map(\.reason) == [.endOfStream])
        #expect(events.allSatisfy { $0.envelope.source == "clip" })
        #expect(describer.requests.count == 1)
        #expect(events.analyses.map(\.analysis.status) == [.ok])
        // The answer comes before the line that ends the track, and is counted there.
        #expect(events.ended.first?.analyses == 1)
        #expect(state.status == "ended")
        #expect(state.ledger.violations(atEnd: true) == [])
        #expect(state.ledger.framesDecoded == 100)
        #expect(state.ledger.framesSampled == 21)
        #expect(state.ledger.cropsDescribed == 1)
        #expect(state.ledger.eventsPublished == events.count)
    }

    @Test("off schedule or paused nothing of it is looked at; then it goes on, and says both")
    func paused() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 2)
        let tape = Tape()
        let supervisor = SourceSupervisor(try .test("clip", clip), try .test(tape))
        await supervisor.prepare()
        await supervisor.pause()
        let run = Task { await supervisor.run() }
        let before = try await tape.read { $0.type == "source.status" }
        #expect(before.statuses.map(\.status) == [.paused] && before.statuses.map(\.reason) == ["paused"])
        #expect(supervisor.state.ledger.framesDecoded == 0)
        await supervisor.resume()
        let first = try await tape.read { $0.type == "track.started" }
        #expect(first.statuses.map(\.status) == [.online])
        await run.value
        tape.bus.finish()
        #expect(try await tape.rest().statuses.map(\.status) == [.ended])
        #expect(supervisor.state.ledger.framesDecoded == 50)
        #expect(supervisor.state.ledger.violations(atEnd: true) == [])

        // Told to end, it does not wait for being resumed.
        let other = SourceSupervisor(try .test("clip", clip), try .test(Tape()))
        await other.prepare()
        await other.pause()
        let ending = Task { await other.run() }
        while other.state.status != "paused" { await Task.yield() }
        other.stop(.terminated)
        await ending.value
        #expect(other.state.status == "ended" && other.state.ledger.framesDecoded == 0)
    }

    @Test("a source opened again goes on with its numbers")
    func numbering() async throws {
        let folder = try TemporaryFolder()
        let source = try SourceSettings.test("clip", try await folder.portrait(seconds: 2))
        let first = try await play(source)
        let second = try await play(source, numbering: first.next)
        #expect(first.events.started.map(\.trackID) == ["t1"])
        #expect(second.events.started.map(\.trackID) == ["t2"])
        #expect(second.events.allSatisfy { $0.envelope.epoch == 1 })
    }

    @Test("what a mask covers is not seen, and neither is what lies outside of the zones")
    func masksAndZones() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 2)
        let seen = try await play(try .test("clip", clip))
        let box = try #require(seen.events.started.first?.face.boundingBox)
        func area(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double) throws -> Polygon {
            try Polygon([.init(left, top), .init(right, top), .init(right, bottom), .init(left, bottom)])
        }
        let face = try area(
            max(0, box.left - 0.1),
            max(0, box.top - 0.1),
            min(1, box.left + box.width + 0.1),
            min(1, box.top + box.height + 0.1)
        )
        let corner = try area(0, 0, 0.05, 0.05)
        let masked = try await play(try .test("clip", clip) { $0.masks = [face] })
        #expect(masked.events.started.isEmpty)
        #expect(masked.state.ledger.facesAnalysed == 0)
        #expect(try await play(try .test("clip", clip) { $0.masks = [corner] }).events.started.count == 1)
        #expect(try await play(try .test("clip", clip) { $0.zones = [corner] }).events.started.isEmpty)
        #expect(try await play(try .test("clip", clip) { $0.zones = [corner, face] }).events.started.count == 1)
    }

    @Test("attributes and the least size of a face are the source's own")
    func selection() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 2)
        let few = try await play(try .test("clip", clip) { $0.attributes = [.eyes] })
        let change = try #require(few.events.started.first)
        #expect(change.expression == nil)
        #expect(Set((change.attributes ?? [:]).keys).isSubset(of: [.eyes]))
        #expect(try await play(try .test("clip", clip) { $0.minFacePixels = 500 }).events.started.isEmpty)
    }

    @Test("a face that never changes is described no oftener than its budget allows")
    func budget() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 60, rate: 2)
        var engine = Configuration().engine
        engine.refreshIntervalSeconds = 15
        let describer = FakeDescriber()
        let all = try await play(try .test("clip", clip), pool: await .ready(describer), engine: engine)
        #expect((4...5).contains(describer.requests.count), "\(describer.requests.map(\.mediaTime))")
        let thrifty = FakeDescriber()
        let few = try await play(
            try .test("clip", clip) { $0.describe.maxPerTrack = 2 },
            pool: await .ready(thrifty),
            engine: engine
        )
        #expect(thrifty.requests.count == 2)
        #expect(few.state.ledger.violations(atEnd: true) == [])
        #expect(few.events.started.count == all.events.started.count)
    }

    @Test("two sources share one describer: each gets its answers")
    func sharing() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 3)
        let describer = FakeDescriber(delay: .milliseconds(20))
        let pool = await DescriberPool.ready(describer)
        async let door = play(try .test("door", clip), pool: pool)
        async let yard = play(try .test("yard", clip), pool: pool)
        let (a, b) = try await (door, yard)
        for events in [a.events, b.events] { #expect(events.analyses.map(\.analysis.status) == [.ok]) }
        #expect(describer.requests.count == 2)
        #expect(pool.waitingSources == 0)
    }

    @Test("without the model tracks go out all the same and say what is missing; later ones are described")
    func missingModel() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.portrait(seconds: 3)
        let pool = DescriberPool { throw NoModel() }
        let opening = Task { await pool.run() }
        while pool.failure == nil { await Task.yield() }
        opening.cancel()
        let without = try await play(try .test("clip", clip), pool: pool)
        #expect(without.events.started.map(\.analysis?.status) == [.engineError])
        #expect(without.events.analyses.map(\.analysis.status) == [.engineError])
        #expect(without.events.ended.map(\.analyses) == [0])
        #expect(without.state.ledger.cropsFailed == 1)
        #expect(without.state.ledger.violations(atEnd: true) == [])
        let with = try await play(try .test("clip", clip), pool: await .ready(FakeDescriber()))
        #expect(with.events.started.map(\.analysis?.status) == [.ok])
        #expect(with.events.analyses.map(\.analysis.status) == [.ok])
    }

    @Test("a file that cannot be read is told of, and the supervisor ends")
    func unreadable() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("clip.mp4", "no video at all")
        let (events, state, _) = try await play(try .test("clip", path))
        #expect(events.statuses.map(\.status) == [.failed])
        #expect(events.errors.map(\.code) == ["source_failed"])
        #expect(state.ledger.violations(atEnd: true) == [])
    }
}
