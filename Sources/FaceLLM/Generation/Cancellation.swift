internal import Synchronization

/// A request to stop that any thread may make and any thread may see; there is no way back.
package final class CancellationFlag: Sendable {
    private let state = Atomic<Bool>(false)

    package init() {}

    package func cancel() { state.store(true, ordering: .releasing) }

    package var isCancelled: Bool { state.load(ordering: .acquiring) }
}

/// A point of monotonic time after which an answer is of no use.
package struct Deadline: Sendable, Hashable {
    package let instant: ContinuousClock.Instant

    package init(_ instant: ContinuousClock.Instant) { self.instant = instant }

    /// - Parameter time: from `now` on; zero or less is a deadline that has passed.
    package init(in time: Duration, now: ContinuousClock.Instant = .now) { instant = now.advanced(by: time) }

    package func hasPassed(now: ContinuousClock.Instant = .now) -> Bool { now >= instant }

    /// What is left; zero once it has passed.
    package func remaining(now: ContinuousClock.Instant = .now) -> Duration {
        max(.zero, now.duration(to: instant))
    }
}

/// When to leave off in the middle of an answer; its `isMet` is what `isCancelled` closures of the model take.
///
/// Cheap enough to be asked once a layer: an atomic load and a reading of the clock.
package struct StopCondition: Sendable {
    package enum Reason: String, Sendable {
        case cancelled, deadline
    }

    private let flag: CancellationFlag?
    private let deadline: Deadline?
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter now: the time, for tests that do not wait.
    package init(
        flag: CancellationFlag? = nil,
        deadline: Deadline? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.flag = flag
        self.deadline = deadline
        self.now = now
    }

    /// Why to stop; nil is to go on.
    ///
    /// Cancelling the flag or the task it is asked in goes before the deadline. Once met, the condition stays met.
    package var reason: Reason? {
        if flag?.isCancelled == true || Task.isCancelled { return .cancelled }
        if let deadline, deadline.hasPassed(now: now()) { return .deadline }
        return nil
    }

    package var isMet: Bool { reason != nil }
}
