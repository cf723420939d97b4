internal import Synchronization

/// A request to stop that may come from any thread, before or after there is something to cancel.
package final class StopSwitch: Sendable {
    private struct State {
        var reason: RecordedRun.StopReason?
        var cancel: (@Sendable () -> Void)?
        var cancelWork: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package var reason: RecordedRun.StopReason? { state.withLock { $0.reason } }

    package func stop(_ reason: RecordedRun.StopReason) {
        let cancel = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            return (state.cancel, state.cancelWork)
        }
        cancel.0?()
        cancel.1?()
    }

    /// What `stop` does besides setting the reason; done at once if it was called before.
    package func attach(_ cancel: @escaping @Sendable () -> Void) {
        let isStopped = state.withLock { state in
            state.cancel = cancel
            return state.reason != nil
        }
        if isStopped { cancel() }
    }

    /// What `stop` ends besides, for as long as it lasts; nil when it is over.
    package func attachWork(_ cancel: (@Sendable () -> Void)?) {
        let isStopped = state.withLock { state in
            state.cancelWork = cancel
            return state.reason != nil
        }
        if isStopped { cancel?() }
    }
}
