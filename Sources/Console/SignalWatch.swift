package import Analysis
internal import Dispatch
internal import Glibc

/// Turns SIGINT and SIGTERM into a request to stop, and SIGHUP into one to begin anew where that is wanted; a second
/// request to stop ends the program at once.
package final class SignalWatch {
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
        sources =
            reasons.map { number, reason in
                watch(number) {
                    stop(reason)
                    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
                }
            } + (hangUp.map { [watch(SIGHUP, $0)] } ?? [])
    }

    package func stop() {
        for source in sources { source.cancel() }
    }
}
