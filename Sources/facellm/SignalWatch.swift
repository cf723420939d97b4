import Analysis
import Dispatch
import Glibc

/// Turns SIGINT and SIGTERM into a request to stop; a second one ends the program at once.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: @escaping @Sendable (RecordedRun.StopReason) -> Void) {
        sources = [(SIGINT, RecordedRun.StopReason.interrupted), (SIGTERM, .terminated)].map { number, reason in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                stop(reason)
                signal(number, SIG_DFL)
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
