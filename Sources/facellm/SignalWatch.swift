import Analysis
import Dispatch
import Glibc

/// Turns SIGINT and SIGTERM into a request to stop; a second one ends the program at once.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: @escaping @Sendable (RecordedRun.StopReason) -> Void) {
        sources = [(SIGINT, RecordedRun.StopReason.interrupted), (SIGTERM, .terminated)].map { number, reason in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                stop(reason)
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
    }
}
