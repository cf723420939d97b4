import Analysis
import Dispatch
import Glibc

/// Turns SIGINT and SIGTERM into a request to stop, and SIGHUP into one to begin anew; a second request to stop ends
/// the program at once.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(
        stop: @escaping @Sendable (RecordedRun.StopReason) -> Void,
        hangUp: @escaping @Sendable () -> Void
    ) {
        let reasons: [(Int32, RecordedRun.StopReason?)] = [
            (SIGINT, .interrupted), (SIGTERM, .terminated), (SIGHUP, nil),
        ]
        sources = reasons.map { number, reason in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                guard let reason else { return hangUp() }
                stop(reason)
                for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
            }
            // Dispatch takes the signal over on a thread of its own; one that came before would be lost.
            let isWatching = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { isWatching.signal() }
            source.resume()
            isWatching.wait()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
    }
}
