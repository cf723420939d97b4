/// The requests that wait for the describer: bounded, one of a track at most.
///
/// A value without a clock. What is never lost is the count: every request that was offered ends in exactly one
/// counter of `outcomes`, or waits, or is in the describer's hands.
package struct DescriptionQueue: Sendable {
    /// Requests that may wait.
    package private(set) var capacity: Int
    /// Seconds of media time after which a crop tells nothing about now; nil for never.
    package private(set) var lifetime: Double?
    package private(set) var waiting: [DescriptionRequest] = []
    /// The requests that are being described, one of a track at most.
    package private(set) var inHand: [DescriptionRequest] = []
    package private(set) var outcomes = CropOutcomes()

    /// - Parameter capacity: 1 or more.
    package init(capacity: Int, lifetime: Double?) {
        self.capacity = max(1, capacity)
        self.lifetime = lifetime
    }

    // MARK: - In

    /// Takes a request in, in the place of one of the same track that is not better.
    ///
    /// - Returns: the request that lost its place to this one or for which there is none, which may be `request` itself.
    @discardableResult
    package mutating func offer(_ request: DescriptionRequest) -> (lost: DescriptionRequest, as: CropOutcomes.Outcome)?
    {
        outcomes.queued += 1
        if let index = waiting.firstIndex(where: { $0.trackID == request.trackID }) {
            let old = waiting[index]
            guard Self.isBetter(request, than: old) else {
                outcomes.end(.replaced)
                return (request, .replaced)
            }
            waiting[index] = request
            // What was never described stays first in line, whatever changed meanwhile.
            if old.reason == .new { waiting[index].reason = .new }
            outcomes.end(.replaced)
            return (old, .replaced)
        }
        waiting.append(request)
        return dropLast().map { ($0, .dropped) }
    }

    /// Takes over other bounds.
    ///
    /// - Returns: the requests for which there is no place any more.
    package mutating func limit(capacity: Int, lifetime: Double?) -> [DescriptionRequest] {
        self.capacity = max(1, capacity)
        self.lifetime = lifetime
        var lost: [DescriptionRequest] = []
        while let request = dropLast() { lost.append(request) }
        return lost
    }

    /// Lets go of the request that would be served last, where more wait than may.
    private mutating func dropLast() -> DescriptionRequest? {
        guard waiting.count > capacity,
            let last = waiting.indices.max(by: { Self.goes(waiting[$0], before: waiting[$1]) })
        else { return nil }
        outcomes.end(.dropped)
        return waiting.remove(at: last)
    }

    /// A better picture of the same, or any picture of something else.
    ///
    /// Less than a twentieth is noise of the score, and every replacement costs a crop.
    static func isBetter(_ new: DescriptionRequest, than old: DescriptionRequest) -> Bool {
        new.reason != old.reason && new.mediaTime > old.mediaTime || new.quality > old.quality * 1.05
    }

    // MARK: - Out

    /// The next requests, in the order in which they would be served one by one; they are in hand from now on.
    ///
    /// - Parameter count: at most; nobody waits for more.
    /// - Precondition: none is in hand.
    package mutating func take(upTo count: Int) -> [DescriptionRequest] {
        precondition(inHand.isEmpty, "the describer has requests of \(inHand.map(\.trackID)) already")
        let inOrder = waiting.sorted(by: Self.goes)
        inHand = Array(inOrder.prefix(max(0, count)))
        let taken = Set(inHand.map(\.trackID))
        waiting.removeAll { taken.contains($0.trackID) }
        return inHand
    }

    /// A request in hand came to its end.
    package mutating func finish(_ request: DescriptionRequest, _ outcome: CropOutcomes.Outcome) {
        guard let index = inHand.firstIndex(where: { $0.trackID == request.trackID }) else { return }
        inHand.remove(at: index)
        outcomes.end(outcome)
    }

    /// Lets go of crops that are too old at `time`.
    ///
    /// - Returns: the requests that go.
    package mutating func expire(at time: Double) -> [DescriptionRequest] {
        guard let lifetime else { return [] }
        return remove(as: .expired) { time - $0.mediaTime > lifetime }
    }

    /// Lets go of all that wait: the run is over.
    package mutating func dropAll() {
        _ = remove(as: .dropped) { _ in true }
    }

    private mutating func remove(
        as outcome: CropOutcomes.Outcome,
        where isGone: (DescriptionRequest) -> Bool
    ) -> [DescriptionRequest] {
        let gone = waiting.filter(isGone)
        waiting.removeAll(where: isGone)
        for _ in gone { outcomes.end(outcome) }
        return gone
    }

    /// Tracks of which nothing is known first, then the largest change, then the newest.
    ///
    /// The order is total, so that equal requests are served the same way in every run.
    static func goes(_ a: DescriptionRequest, before b: DescriptionRequest) -> Bool {
        if (a.reason == .new) != (b.reason == .new) { return a.reason == .new }
        if a.reason.weight != b.reason.weight { return a.reason.weight > b.reason.weight }
        if a.mediaTime != b.mediaTime { return a.mediaTime > b.mediaTime }
        return a.trackID < b.trackID
    }
}
