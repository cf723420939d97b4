import Glibc
import Synchronization

/// Knows whether every stage of the daemon shows progress or is knowingly idle, and feeds systemd's watchdog only then.
///
/// Time is that of a clock that stands still while the machine sleeps, as systemd's does.
package final class Watchdog: Sendable {
    package typealias Instant = SuspendingClock.Instant

    /// A stage's side: it stamps what it does.
    package final class Stage: Sendable {
        fileprivate enum State {
            case busy(since: Instant)
            case idle
        }

        /// What it is called in messages; `"source door"`.
        package let name: String
        /// How long it may work without a stamp.
        package let limit: Duration
        private let now: @Sendable () -> Instant
        private let state: Mutex<State>

        fileprivate init(name: String, limit: Duration, now: @escaping @Sendable () -> Instant) {
            self.name = name
            self.limit = limit
            self.now = now
            state = Mutex(.busy(since: now()))
        }

        /// Something got done, or work begins.
        package func progress() {
            let now = now()
            state.withLock { $0 = .busy(since: now) }
        }

        /// There is nothing to do until something arrives; no stamp is expected.
        package func idle() {
            state.withLock { $0 = .idle }
        }

        /// Whether it has worked longer than it may without a stamp.
        fileprivate func isStale(at moment: Instant) -> Bool {
            state.withLock { state in
                if case .busy(let since) = state { since.duration(to: moment) > limit } else { false }
            }
        }
    }

    /// What is to be done at a moment.
    package enum Verdict: Sendable, Hashable {
        case feed
        /// The names of the stages that hang, in the order of registration.
        case starve([String])
    }

    private struct State {
        var stages: [Int: Stage] = [:]
        var nextID = 0
    }

    private let now: @Sendable () -> Instant
    private let state = Mutex(State())

    package init(now: @escaping @Sendable () -> Instant = { SuspendingClock().now }) {
        self.now = now
    }

    /// How long systemd waits for a sign of life; nil where it does not watch this process.
    package static func limit(environment: [String: String], processID: Int32 = getpid()) -> Duration? {
        guard let limit = environment["WATCHDOG_USEC"].flatMap(Int64.init), limit > 0 else { return nil }
        if let watched = environment["WATCHDOG_PID"], Int32(watched) != processID { return nil }
        return .microseconds(limit)
    }

    /// Adds a stage, which counts as busy from now; it is watched until it is withdrawn.
    ///
    /// - Parameter limit: how long it may work without a stamp.
    package func register(_ name: String, limit: Duration) -> Registration {
        let stage = Stage(name: name, limit: limit, now: now)
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            state.stages[state.nextID] = stage
            return state.nextID
        }
        return Registration(watchdog: self, id: id, stage: stage)
    }

    package func verdict() -> Verdict {
        let moment = now()
        let stages = state.withLock { $0.stages }
        let stale = stages.filter { $0.value.isStale(at: moment) }.sorted { $0.key < $1.key }.map(\.value.name)
        return stale.isEmpty ? .feed : .starve(stale)
    }

    /// Feeds at a third of `limit` while all is well, until the task is cancelled.
    ///
    /// - Parameter changed: is told when stages begin to hang, by their names, and when none does any more.
    package func run(
        limit: Duration,
        notifier: Notifier,
        clock: some Clock<Duration> = SuspendingClock(),
        changed: ([String]) -> Void = { _ in }
    ) async {
        var hanging: [String] = []
        repeat {
            let verdict = verdict()
            let names: [String]
            switch verdict {
            case .feed:
                notifier.watchdog()
                names = []
            case .starve(let stages): names = stages
            }
            if names != hanging {
                hanging = names
                changed(names)
            }
        } while (try? await clock.sleep(for: limit / 3)) != nil
    }

    fileprivate func withdraw(_ id: Int) {
        _ = state.withLock { $0.stages.removeValue(forKey: id) }
    }

    /// Holds a stage under watch; letting go of it withdraws the stage.
    package final class Registration: Sendable {
        private let watchdog: Watchdog
        private let id: Int
        package let stage: Stage

        fileprivate init(watchdog: Watchdog, id: Int, stage: Stage) {
            self.watchdog = watchdog
            self.id = id
            self.stage = stage
        }

        deinit { watchdog.withdraw(id) }
    }
}
