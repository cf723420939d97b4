import Analysis
import Events
import FaceLLM
import Service
import Synchronization
import Testing

/// Several sources that have the turn together.
@Suite("Describing together", .timeLimit(.minutes(1)))
struct DescribingRoundTests {
    /// Answers when the test lets it, with the names of the tracks; remembers what it was asked together.
    private final class Group: FaceDescriber {
        let provenance = Provenance(describer: "facellm", model: "fake", versions: [:])
        let mostTogether: Int
        let asked: AsyncStream<[String]>
        private let entered: AsyncStream<[String]>.Continuation
        private let steps: AsyncStream<Void>
        private let step: AsyncStream<Void>.Continuation
        private let stopped = Shared(0)

        init(_ mostTogether: Int) {
            self.mostTogether = mostTogether
            (asked, entered) = AsyncStream.makeStream()
            (steps, step) = AsyncStream.makeStream()
        }

        func open() { step.yield() }
        /// How often it was told to stop.
        var stops: Int { stopped.value }

        func describe(_ request: DescriptionRequest) async -> DescriptionAnswer { await describe([request])[0] }

        func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
            entered.yield(requests.map(\.trackID))
            for await _ in steps { break }
            if Task.isCancelled { stopped.change { $0 += 1 } }
            return requests.map { request in
                var answer = DescriptionAnswer(status: Task.isCancelled ? .partial : .ok)
                answer.description = DescriptionRecord(text: request.trackID, method: .vlm)
                return answer
            }
        }
    }

    private static func request(_ track: String) throws -> DescriptionRequest {
        DescriptionRequest(
            trackID: track,
            frame: try #require(
                FrameRecord(index: 0, pts: nil, timeBase: nil, mediaTimeSeconds: 0, width: 64, height: 48)
            ),
            face: FaceRecord(boundingBox: try #require(BoundingBox(left: 0, top: 0, width: 0.5, height: 0.5))),
            picture: try RGBImage(width: 1, height: 1, red: 0, green: 0, blue: 0),
            reason: .new,
            quality: 50
        )
    }

    /// Turns for `count` sources at once.
    private func turns(_ count: Int, of pool: DescriberPool) async throws -> [DescriberPool.Turn] {
        // Somebody has the turn while they gather.
        let first = try #require(await pool.takeTurn())
        let waiting = (0..<count).map { _ in Task { await pool.takeTurn() } }
        while pool.waitingSources < count { await Task.yield() }
        first.end()
        var turns: [DescriberPool.Turn] = []
        for task in waiting { turns.append(try #require(await task.value)) }
        return turns
    }

    @Test(
        "each source gets the same number of faces, and no more than the describer takes",
        arguments: [(1, 4, 4), (2, 4, 2), (3, 4, 1), (4, 4, 1), (2, 1, 1)]
    )
    func shares(sources: Int, together: Int, faces: Int) async throws {
        let pool = await DescriberPool.ready(Group(together))
        let seated = min(sources, together)
        let first = try #require(await pool.takeTurn())
        let waiting = (0..<sources).map { _ in Task { await pool.takeTurn() } }
        while pool.waitingSources < sources { await Task.yield() }
        first.end()
        while pool.waitingSources > sources - seated { await Task.yield() }
        #expect(pool.waitingSources == sources - seated)
        for task in waiting {
            let turn = try #require(await task.value)
            #expect(turn.mostTogether == faces && turn.share <= together)
            turn.end()
        }
    }

    @Test("what several ask goes out once, and each gets its own answers")
    func together() async throws {
        let describer = Group(4)
        let pool = await DescriberPool.ready(describer)
        let turns = try await turns(2, of: pool)
        let requests = try ["a1", "a2", "b1"].map(Self.request)
        async let a = turns[0].describe(Array(requests[..<2]))
        async let b = turns[1].describe(requests[2])
        for await tracks in describer.asked {
            #expect(tracks.sorted() == ["a1", "a2", "b1"])
            break
        }
        describer.open()
        #expect(await a.map(\.description?.text) == ["a1", "a2"])
        #expect(await b.description?.text == "b1")
        // The turn goes on only when both have ended theirs.
        let next = Task { await pool.takeTurn() }
        turns[0].end()
        while pool.waitingSources < 1 { await Task.yield() }
        turns[1].end()
        #expect(await next.value?.mostTogether == 4)
    }

    @Test("who has nothing to ask after all does not hold up the others")
    func passing() async throws {
        let describer = Group(2)
        let pool = await DescriberPool.ready(describer)
        let turns = try await turns(2, of: pool)
        async let a = turns[0].describe(try Self.request("a"))
        turns[1].end()
        describer.open()
        #expect(try await a.description?.text == "a")
        turns[0].end()
        let both = try await self.turns(2, of: pool)
        for turn in both { turn.end() }
        #expect(await pool.takeTurn() != nil)
    }

    @Test("a turn that ends before it has its answers leaves nobody waiting")
    func endingEarly() throws {
        let told = Shared<[String]>([])
        func reply(_ name: String) -> DescribingRound.Reply {
            { answers in told.change { $0.append("\(name) \(answers.map { $0.reason ?? "answered" })") } }
        }
        func carryOut(_ actions: [DescribingRound.Action]) -> [String] {
            actions.map { action in
                switch action {
                case .start(let requests): return "start \(requests.map(\.trackID))"
                case .answer(let reply, let answers):
                    reply(answers)
                    return "answer"
                case .cancel(let task):
                    task.cancel()
                    return "cancel"
                case .end: return "end"
                }
            }
        }
        // While the other has not asked yet, and while the describer works for both.
        var round = DescribingRound(seats: 2)
        #expect(carryOut(round.ask([try Self.request("a")], at: 0, reply: reply("a"))) == [])
        #expect(carryOut(round.end(0)) == ["answer"] && told.value == ["a [\"cancelled\"]"])
        #expect(carryOut(round.ask([try Self.request("b")], at: 1, reply: reply("b"))) == ["start [\"b\"]"])
        let work = Task<Void, Never> {}
        #expect(carryOut(round.began(work)) == [])
        // The last one who waits stops the describer; what that says late reaches nobody twice.
        #expect(carryOut(round.end(1)) == ["answer", "cancel"] && work.isCancelled)
        #expect(carryOut(round.finish([DescriptionAnswer(status: .partial)])) == ["end"])
        #expect(told.value == ["a [\"cancelled\"]", "b [\"cancelled\"]"])
    }

    @Test("who is cancelled gets his answer at once and leaves the others theirs")
    func cancellingOne() async throws {
        let describer = Group(2)
        let pool = await DescriberPool.ready(describer)
        let turns = try await turns(2, of: pool)
        let (a, b) = (try Self.request("a"), try Self.request("b"))
        let leaving = Task { await turns[0].describe(a) }
        let staying = Task { await turns[1].describe(b) }
        for await _ in describer.asked { break }
        leaving.cancel()
        let cancelled = await leaving.value
        #expect(cancelled.status == .engineError && cancelled.reason == "cancelled")
        turns[0].end()
        describer.open()
        #expect(await staying.value.description?.text == "b")
        #expect(describer.stops == 0)
        turns[1].end()
        #expect(await pool.takeTurn() != nil)
    }

    @Test("when all are cancelled the describer stops, and the last gets what there is")
    func cancellingAll() async throws {
        let describer = Group(2)
        let pool = await DescriberPool.ready(describer)
        let turns = try await turns(2, of: pool)
        let (a, b) = (try Self.request("a"), try Self.request("b"))
        let first = Task { await turns[0].describe(a) }
        let second = Task { await turns[1].describe(b) }
        for await _ in describer.asked { break }
        first.cancel()
        #expect(await first.value.reason == "cancelled")
        second.cancel()
        let last = await second.value
        #expect(last.status == .partial && last.description?.text == "b")
        #expect(describer.stops == 1)
        for turn in turns { turn.end() }
        #expect(await pool.takeTurn() != nil)
    }

    @Test("who is cancelled before the others have asked is left out")
    func cancellingEarly() async throws {
        let describer = Group(3)
        let pool = await DescriberPool.ready(describer)
        let turns = try await turns(3, of: pool)
        let (a, b, c) = (try Self.request("a"), try Self.request("b"), try Self.request("c"))
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await turns[0].describe(a)
        }
        #expect(await early.value.reason == "cancelled")
        let asking = Task { await turns[1].describe(b) }
        let other = Task { await turns[2].describe(c) }
        for await tracks in describer.asked {
            #expect(tracks.sorted() == ["b", "c"])
            break
        }
        describer.open()
        #expect(await asking.value.description?.text == "b")
        #expect(await other.value.description?.text == "c")
        for turn in turns { turn.end() }
        #expect(await pool.takeTurn() != nil)
    }

    @Test("sources of different hunger get the same number of answers")
    func fair() async throws {
        struct Fast: FaceDescriber {
            let provenance = Provenance(describer: "facellm", versions: [:])
            let mostTogether = 4
            func describe(_ request: DescriptionRequest) async -> DescriptionAnswer { .init(status: .ok) }
        }
        let pool = await DescriberPool.ready(Fast())
        let answered = Shared<[Int]>([]), asking = Shared(3), served = Shared(0)
        let some = try (0..<4).map { try Self.request("t\($0)") }
        let first = try #require(await pool.takeTurn())
        await withDiscardingTaskGroup { group in
            for source in 0..<3 {
                group.addTask {
                    defer { asking.change { $0 -= 1 } }
                    for _ in 0..<30 {
                        guard let turn = await pool.takeTurn() else { return }
                        served.change { $0 += 1 }
                        let count = await turn.describe(Array(some.prefix(turn.mostTogether))).count
                        answered.change { $0 += Array(repeating: source, count: count) }
                        // Who has not asked again is not waiting, however busy the machine is.
                        while pool.waitingSources + served.value < asking.value { await Task.yield() }
                        served.change { $0 -= 1 }
                        turn.end()
                    }
                }
            }
            while pool.waitingSources < 3 { await Task.yield() }
            first.end()
        }
        // While all three want something, none is ahead of another by more than a round.
        var counts = [0, 0, 0]
        for source in answered.value.prefix(60) {
            counts[source] += 1
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 6, "\(counts)")
        }
    }
}
