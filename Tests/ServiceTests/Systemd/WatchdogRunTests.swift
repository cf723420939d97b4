import Foundation
import Service
import Synchronization
import Testing

@Suite("Feeding the watchdog")
struct WatchdogRunTests {
    /// A clock whose sleepers wake at once, at the time for which they asked, until it has had enough.
    private final class StepClock: Clock {
        typealias Instant = SuspendingClock.Instant

        private let state: Mutex<(now: Instant, steps: Int)>
        private let step: @Sendable (Int) -> Void

        /// - Parameter step: is told before each waking how many are left.
        init(steps: Int, _ step: @escaping @Sendable (Int) -> Void) {
            state = Mutex((SuspendingClock().now, steps))
            self.step = step
        }

        var now: Instant { state.withLock { $0.now } }
        var minimumResolution: Duration { .zero }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            let steps = state.withLock { state in
                state.now = deadline
                state.steps -= 1
                return state.steps
            }
            if steps <= 0 { throw CancellationError() }
            step(steps)
        }
    }

    @Test("it is fed at a third of the limit, and not at all while a stage hangs")
    func feeding() async throws {
        let folder = try SocketsFolder()
        let receiver = try DatagramReceiver(folder("notify"))
        let notifier = try #require(Notifier(environment: ["NOTIFY_SOCKET": folder("notify")]))
        let stage = Mutex<Watchdog.Stage?>(nil)
        // The stage stamps at first, hangs, and recovers at the end.
        let clock = StepClock(steps: 20) { left in
            if left > 15 || left == 2 { stage.withLock { $0?.progress() } }
        }
        let watchdog = Watchdog(now: { clock.now })
        let registration = watchdog.register("decoder", limit: .seconds(30))
        stage.withLock { $0 = registration.stage }
        let start = clock.now
        let changes = Mutex<[[String]]>([])
        await watchdog.run(limit: .seconds(30), notifier: notifier, clock: clock) { names in
            changes.withLock { $0.append(names) }
        }
        #expect(start.duration(to: clock.now) == .seconds(200))
        var pings = 0
        while receiver.message() == "WATCHDOG=1" { pings += 1 }
        // At the start, after 4 stamps, for 30 s without one, and twice after the recovery.
        #expect(pings == 1 + 4 + 3 + 2)
        #expect(changes.withLock { $0 } == [["decoder"], []])
    }
}
