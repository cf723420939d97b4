internal import Foundation
internal import Glibc
internal import Synchronization

/// Runs an actor on a thread of its own that yields to other threads of the machine.
///
/// Threads that are started from there inherit the niceness: an engine that is opened on this executor computes with
/// what decoding and perception leave over. A queue of Dispatch would not do, for its threads serve others afterwards,
/// and a thread that has made itself nicer may not take that back.
package final class ThreadExecutor: SerialExecutor {
    private typealias Entry = (job: UnownedJob, executor: ThreadExecutor)

    private final class Line: Sendable {
        private let entries = Mutex<[Entry]>([])
        private let waiting = DispatchSemaphore(value: 0)

        func add(_ entry: sending Entry) {
            entries.withLock { $0.append(entry) }
            waiting.signal()
        }

        func end() { waiting.signal() }

        /// Waits for the next job; nil at the end.
        func next() -> Entry? {
            waiting.wait()
            return entries.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private let line = Line()

    /// - Parameter niceness: as nice(2) understands it, 0 to 19; at 10 a busy thread gets about a tenth of what another
    ///   gets that is not nice.
    package init(label: String, niceness: Int32 = 10) {
        let thread = Thread { [line] in
            // For this thread alone: Linux keeps a niceness for each. Refused, it is no reason not to work.
            _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, niceness)
            // The entry keeps the executor until its job is done.
            while let entry = line.next() { entry.job.runSynchronously(on: entry.executor.asUnownedSerialExecutor()) }
        }
        thread.name = label
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { line.end() }

    package func enqueue(_ job: consuming ExecutorJob) { line.add((UnownedJob(job), self)) }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
