import Events
import TestSupport
import Testing

@testable import Analysis

@Suite struct DescriptionQueueTests {
    private func tracks(_ queue: DescriptionQueue) -> Set<String> { Set(queue.waiting.map(\.trackID)) }

    private func order(_ requests: [DescriptionRequest]) -> [String] {
        var queue = DescriptionQueue(capacity: 100, lifetime: nil)
        for request in requests { queue.offer(request) }
        var served: [String] = []
        while let next = queue.take(upTo: 1).first {
            served.append(next.trackID)
            queue.finish(next, .described)
        }
        return served
    }

    @Test func undescribedTracksGoFirstThenLargeChangesThenNewOnes() throws {
        let requests = try [
            DescriptionRequest.sample("old", at: 1, reason: .refresh),
            .sample("newer", at: 2, reason: .refresh),
            .sample("smile", at: 1, reason: .changed([.expression])),
            .sample("turned smile", at: 0, reason: .changed([.expression, .pose])),
            .sample("first", at: 0),
            .sample("second", at: 3),
        ]
        let expected = ["second", "first", "turned smile", "smile", "newer", "old"]
        #expect(order(requests) == expected)
        #expect(order(requests.reversed()) == expected)
    }

    @Test func theBetterCropOfATrackStays() throws {
        var queue = DescriptionQueue(capacity: 4, lifetime: nil)
        let none = queue.offer(try .sample("t1", at: 0, quality: 50))
        #expect(none == nil)
        // Within the noise of the score.
        let same = queue.offer(try .sample("t1", at: 1, quality: 52))
        #expect(same?.lost.mediaTime == 1 && same?.as == .replaced)
        let better = queue.offer(try .sample("t1", at: 2, quality: 60))
        #expect(better?.lost.mediaTime == 0)
        #expect(queue.waiting.map(\.quality) == [60])
        #expect(queue.outcomes[.replaced] == 2 && queue.outcomes.pending == 1)
    }

    /// The newest state of a face is what counts, and a track of which nothing is known keeps its place in the line.
    @Test func aChangeReplacesWhatItMadeStale() throws {
        var queue = DescriptionQueue(capacity: 4, lifetime: nil)
        queue.offer(try .sample("t1", at: 0, quality: 90))
        queue.offer(try .sample("t1", at: 3, reason: .changed([.mouth]), quality: 40))
        #expect(queue.waiting.map(\.mediaTime) == [3])
        #expect(queue.waiting.map(\.reason) == [.new])
    }

    @Test func theLeastGoesWhenThereAreTooMany() throws {
        var queue = DescriptionQueue(capacity: 2, lifetime: nil)
        queue.offer(try .sample("t1", reason: .refresh))
        queue.offer(try .sample("t2", reason: .changed([.eyes])))
        let first = queue.offer(try .sample("t3"))
        #expect(first?.lost.trackID == "t1" && first?.as == .dropped)
        let second = queue.offer(try .sample("t4", reason: .refresh))
        #expect(second?.lost.trackID == "t4")
        #expect(tracks(queue) == ["t2", "t3"])
        #expect(queue.outcomes[.dropped] == 2)
    }

    @Test func staleCropsExpire() throws {
        var queue = DescriptionQueue(capacity: 4, lifetime: 10)
        queue.offer(try .sample("t1", at: 0))
        queue.offer(try .sample("t2", at: 5))
        let expired = [queue.expire(at: 10), queue.expire(at: 10.5)]
        #expect(expired.map { $0.map(\.trackID) } == [[], ["t1"]])
        #expect(queue.outcomes[.expired] == 1)
        var patient = DescriptionQueue(capacity: 4, lifetime: nil)
        patient.offer(try .sample("t1", at: 0))
        let gone = patient.expire(at: 1e6)
        #expect(gone.isEmpty && patient.waiting.count == 1)
    }

    @Test func aSmallerQueueLetsGoOfWhatWouldBeServedLast() throws {
        var queue = DescriptionQueue(capacity: 4, lifetime: 10)
        queue.offer(try .sample("t1", reason: .refresh))
        queue.offer(try .sample("t2"))
        queue.offer(try .sample("t3", reason: .changed([.eyes])))
        let lost = queue.limit(capacity: 1, lifetime: nil)
        #expect(lost.map(\.trackID) == ["t1", "t3"] && tracks(queue) == ["t2"])
        #expect(queue.outcomes[.dropped] == 2 && queue.outcomes.pending == 1)
        let expired = queue.expire(at: 1e6)
        #expect(expired.isEmpty)
    }

    @Test func whatIsInHandIsPending() throws {
        var queue = DescriptionQueue(capacity: 1, lifetime: nil)
        queue.offer(try .sample("t1"))
        let taken = try #require(queue.take(upTo: 1).first)
        #expect(taken.trackID == "t1" && [taken] == queue.inHand)
        #expect(queue.outcomes.pending == 1)
        // It may ask again meanwhile.
        queue.offer(try .sample("t1", at: 2, reason: .refresh))
        #expect(queue.waiting.count == 1)
        queue.finish(taken, .failed)
        queue.finish(taken, .failed)
        #expect(queue.outcomes[.failed] == 1 && queue.outcomes.pending == 1)
        queue.dropAll()
        #expect(queue.outcomes[.dropped] == 1 && queue.outcomes.pending == 0)
    }

    /// Whatever happens: bounded, one of a track, and every request in exactly one counter.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func nothingIsLostOrCountedTwice(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let capacity = Int.random(in: 1...5, using: &generator)
        var queue = DescriptionQueue(capacity: capacity, lifetime: Bool.random(using: &generator) ? 4 : nil)
        let reasons: [DescriptionRequest.Reason] = [.new, .refresh, .changed([.eyes]), .changed([.eyes, .mouth])]
        var time = 0.0
        var offered = 0, expired = 0, finished = 0
        var losses: [CropOutcomes.Outcome: Int] = [:]
        for _ in 0..<400 {
            time += Double.random(in: 0...1, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<6:
                offered += 1
                let request = try DescriptionRequest.sample(
                    "t\(Int.random(in: 1...8, using: &generator))",
                    at: time,
                    reason: reasons.randomElement(using: &generator) ?? .new,
                    quality: Float.random(in: 0...100, using: &generator)
                )
                if let lost = queue.offer(request) { losses[lost.as, default: 0] += 1 }
            case 6:
                expired += queue.expire(at: time).count
            case 7, 8:
                guard queue.inHand.isEmpty else { continue }
                let count = Int.random(in: 1...3, using: &generator)
                let best = queue.waiting.sorted { DescriptionQueue.goes($0, before: $1) }.prefix(count)
                let next = queue.take(upTo: count)
                #expect(next == Array(best) && queue.inHand == next, "seed \(seed)")
            default:
                // Those that are described together need not come to the same end.
                guard let one = queue.inHand.randomElement(using: &generator) else { continue }
                finished += 1
                queue.finish(one, Bool.random(using: &generator) ? .described : .failed)
            }
            #expect(queue.waiting.count <= capacity, "seed \(seed)")
            #expect(tracks(queue).count == queue.waiting.count, "seed \(seed)")
            #expect(queue.outcomes.pending == queue.waiting.count + queue.inHand.count, "seed \(seed)")
            var ledger = Ledger()
            queue.outcomes.add(to: &ledger)
            #expect(ledger.violations() == [], "seed \(seed)")
        }
        #expect(queue.outcomes.queued == offered)
        #expect(queue.outcomes[.expired] == expired)
        #expect(queue.outcomes[.described] + queue.outcomes[.failed] == finished)
        #expect(queue.outcomes[.replaced] == losses[.replaced] ?? 0)
        #expect(queue.outcomes[.dropped] == losses[.dropped] ?? 0)
        for one in queue.inHand { queue.finish(one, .described) }
        queue.dropAll()
        var ledger = Ledger()
        queue.outcomes.add(to: &ledger)
        #expect(ledger.violations(atEnd: true) == [], "seed \(seed)")
        #expect(CropOutcomes.Outcome.allCases.map { queue.outcomes[$0] }.reduce(0, +) == offered, "seed \(seed)")
    }
}
