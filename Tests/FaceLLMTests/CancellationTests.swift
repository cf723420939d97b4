import FaceLLM
import Synchronization
import Testing

@Suite struct CancellationTests {
    /// A clock that is moved by hand.
    private final class ManualTime: Sendable {
        private let instant = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { instant.withLock { $0 } }

        func advance(by time: Duration) { instant.withLock { $0 = $0.advanced(by: time) } }
    }

    @Test func nothingToStopFor() {
        #expect(StopCondition().reason == nil)
        #expect(!StopCondition(flag: CancellationFlag()).isMet)
    }

    @Test func flag() {
        let flag = CancellationFlag()
        let condition = StopCondition(flag: flag)
        #expect(!condition.isMet)
        flag.cancel()
        flag.cancel()
        #expect(flag.isCancelled)
        #expect(condition.reason == .cancelled)
    }

    @Test func deadline() {
        let time = ManualTime()
        let deadline = Deadline(in: .seconds(2), now: time.now)
        let condition = StopCondition(deadline: deadline, now: { time.now })
        #expect(condition.reason == nil)
        #expect(deadline.remaining(now: time.now) == .seconds(2))
        time.advance(by: .milliseconds(1999))
        #expect(!condition.isMet)
        #expect(deadline.remaining(now: time.now) == .milliseconds(1))
        time.advance(by: .milliseconds(1))
        #expect(condition.reason == .deadline)
        time.advance(by: .seconds(60))
        #expect(condition.isMet)
        #expect(deadline.remaining(now: time.now) == .zero)
    }

    @Test func cancellingGoesFirst() {
        let time = ManualTime()
        let flag = CancellationFlag()
        let condition = StopCondition(flag: flag, deadline: Deadline(in: .zero, now: time.now), now: { time.now })
        #expect(condition.reason == .deadline)
        flag.cancel()
        #expect(condition.reason == .cancelled)
    }

    @Test func extremeTimes() {
        #expect(!Deadline(in: .seconds(Int64.max)).hasPassed())
        #expect(Deadline(in: .seconds(-1)).hasPassed())
    }

    @Test func cancelledTask() async {
        let condition = StopCondition()
        let reason = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return condition.reason
        }.value
        #expect(reason == .cancelled)
        #expect(condition.reason == nil)
    }

    @Test func manyThreads() async {
        let flag = CancellationFlag()
        let condition = StopCondition(flag: flag)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    while !condition.isMet { await Task.yield() }
                    return true
                }
            }
            group.addTask {
                flag.cancel()
                return true
            }
            for await hasEnded in group { #expect(hasEnded) }
        }
    }
}
