package import Analysis
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Turns SIGINT and SIGTERM into a request to stop, and SIGHUP into one to begin anew where that is wanted; a second
/// request to stop ends the program at once.
package final class SignalWatch {
    /// Signals so close together are one request: `timeout` sends one to the program and one to its group.
    private static let grace = DispatchTimeInterval.milliseconds(500)

    private let sources: [any DispatchSourceSignal]

    /// - Parameters:
    ///   - stop: called on a thread of Dispatch's.
    ///   - hangUp: likewise; without it SIGHUP does what it does by itself.
    package init(
        stop: @escaping @Sendable (RecordedRun.StopReason) -> Void,
        hangUp: (@Sendable () -> Void)? = nil
    ) {
        func watch(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: handler)
            // Dispatch takes the signal over on a thread of its own; one that came before would be lost.
            let isWatching = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { isWatching.signal() }
            source.resume()
            isWatching.wait()
            return source
        }
        let reasons: [(Int32, RecordedRun.StopReason)] = [(SIGINT, .interrupted), (SIGTERM, .terminated)]
        let isStopping = OnceFlag()
        sources =
            reasons.map { number, reason in
                watch(number) {
                    guard isStopping.raise() else { return }
                    stop(reason)
                    DispatchQueue.global().asyncAfter(deadline: .now() + Self.grace) {
                        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
                    }
                }
            } + (hangUp.map { [watch(SIGHUP, $0)] } ?? [])
    }

    package func stop() {
        for source in sources { source.cancel() }
    }
}

private final class OnceFlag: Sendable {
    private let isRaised = Atomic(false)

    /// - Returns: whether this was the first time.
    func raise() -> Bool {
        !isRaised.exchange(true, ordering: .relaxed)
    }
}
