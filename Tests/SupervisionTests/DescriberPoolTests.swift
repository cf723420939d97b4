import Analysis
import Events
import Service
import Testing

@Suite("Describer pool")
struct DescriberPoolTests {
    private struct NotThere: Error, CustomStringConvertible { let description = "no model" }

    /// A clock that a test advances: each sleep ends when it says so.
    private final class StepClock: Clock, Sendable {
        typealias Instant = ContinuousClock.Instant

        let sleeps: AsyncStream<Duration>
        private let entered: AsyncStream<Duration>.Continuation
        private let steps: AsyncStream<Void>
        private let step: AsyncStream<Void>.Continuation

        init() {
            (sleeps, entered) = AsyncStream.makeStream()
            (steps, step) = AsyncStream.makeStream()
        }

        var now: Instant { .now }
        var minimumResolution: Duration { .zero }

        func advance() { step.yield() }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            entered.yield(deadline - .now)
            for await _ in steps { return }
        }
    }

    @Test("three sources that always want more get the same number of turns, in turn")
    func fair() async throws {
        let pool = await DescriberPool.ready(FakeDescriber())
        let order = Shared<[Int]>([])
        let first = try #require(await pool.takeTurn())
        await withDiscardingTaskGroup { group in
            for source in 0..<3 {
                group.addTask {
                    for _ in 0..<20 {
                        guard let turn = await pool.takeTurn() else { return }
                        order.change { $0.append(source) }
                        await Task.yield()
                        turn.end()
                    }
                }
            }
            while pool.waitingSources < 3 { await Task.yield() }
            first.end()
        }
        let turns = order.value
        #expect(turns.count == 60)
        for source in 0..<3 {
            #expect(turns.count { $0 == source } == 20)
            // Nobody waits for more than the turns of the others, whatever they do in between.
            let places = turns.indices.filter { turns[$0] == source }
            #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 <= 4 }, "source \(source): \(turns)")
        }
    }

    @Test("a describer that cannot be opened is tried again after the interval, and those who wait get their turn")
    func recovery() async {
        let attempts = Shared(0)
        let clock = StepClock()
        let pool = DescriberPool(retryInterval: .seconds(60), clock: clock) {
            if attempts.change({ $0 += 1 }) < 3 { throw NotThere() }
            return FakeDescriber()
        }
        let opening = Task { await pool.run() }
        let patient = Task { await pool.takeTurn() }
        for await sleep in clock.sleeps.prefix(2) {
            #expect(sleep > .seconds(59) && sleep <= .seconds(60))
            #expect(pool.failure == "no model")
            #expect(await pool.takeTurn(isPatient: false) == nil)
            clock.advance()
        }
        await opening.value
        #expect(await patient.value != nil)
        #expect(attempts.value == 3)
        #expect(pool.failure == nil)
    }

    @Test("who waits impatiently is sent away when the opening fails")
    func impatience() async {
        let gate = AsyncStream.makeStream(of: Void.self)
        let pool = DescriberPool {
            for await _ in gate.stream { break }
            throw NotThere()
        }
        let opening = Task { await pool.run() }
        let waiting = Task { await pool.takeTurn(isPatient: false) }
        while pool.waitingSources < 1 { await Task.yield() }
        gate.continuation.yield()
        #expect(await waiting.value == nil)
        opening.cancel()
        await opening.value
    }

    @Test("cancelling and closing send away, and leave the turn to others")
    func leaving() async {
        let pool = await DescriberPool.ready(FakeDescriber())
        #expect(await pool.takeTurn() != nil)
        let cancelled = Task { await pool.takeTurn() }
        while pool.waitingSources < 1 { await Task.yield() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        let closed = Task { await pool.takeTurn() }
        while pool.waitingSources < 1 { await Task.yield() }
        pool.close()
        #expect(await closed.value == nil)
        #expect(await pool.takeTurn() == nil)
    }

    @Test("without a describer requests are answered at once, with the reason")
    func unavailable() async throws {
        let pool = DescriberPool { throw NotThere() }
        let opening = Task { await pool.run() }
        while pool.failure == nil { await Task.yield() }
        opening.cancel()
        #expect(pool.provenance.describer == "facellm")
        #expect(pool.provenance.model == nil)
    }

    @Test("behind a describer that hangs nobody waits; it is known for how long, and that it came back")
    func stuck() async throws {
        let describer = HangingDescriber()
        let pool = await DescriberPool.ready(describer)
        let request = try DescriptionRequest.test()
        let first = Task { await pool.describe(request) }
        await describer.hasBegun()
        #expect(pool.stuck == nil)
        first.cancel()
        while pool.stuck == nil { await Task.yield() }
        for _ in 0..<3 {
            let answer = await pool.describe(request)
            #expect(answer.status == .timeout && answer.reason == "engine_stuck")
        }
        let time = try #require(pool.stuck)
        #expect(try #require(pool.stuck) >= time)
        describer.letGo()
        #expect(await first.value.status == .ok)
        #expect(pool.stuck == nil)
        let second = Task { await pool.describe(request) }
        #expect(await second.value.status == .ok)
    }
}
