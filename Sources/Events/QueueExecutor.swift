package import Dispatch

/// Runs an actor on a queue of its own, so that work that blocks or is heavy never takes a thread of Swift's
/// cooperative pool.
///
/// `DispatchSerialQueue` would do, but is absent on Linux.
package final class QueueExecutor: SerialExecutor {
    /// The queue, for timers and for blocks that enter the actor by `assumeIsolated`.
    package let queue: DispatchQueue

    package init(label: String) {
        queue = DispatchQueue(label: label)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Lets a block on the queue that is no job of Swift's enter the actor.
    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
