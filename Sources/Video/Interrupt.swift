internal import CFFmpeg
internal import Glibc
internal import Synchronization

/// Ends blocking calls of FFmpeg: when somebody cancels, or when a phase takes longer than it may.
package final class Interrupt: Sendable {
    private let cancelled = Atomic<Bool>(false)
    /// Monotonic nanoseconds; 0 is none.
    private let deadline = Atomic<UInt64>(0)
    private let expired = Atomic<Bool>(false)

    package init() {}

    package func cancel() { cancelled.store(true, ordering: .releasing) }

    package var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Whether a phase ended by its deadline since the last `begin`.
    var hasTimedOut: Bool { expired.load(ordering: .acquiring) }

    /// Starts a phase that may take so long; without deadlines, as long as it likes.
    func begin(_ phase: IngestPhase, _ deadlines: IngestDeadlines?) { begin(timeout: deadlines?[phase]) }

    private func begin(timeout seconds: Double?) {
        expired.store(false, ordering: .releasing)
        let nanoseconds = seconds.map { UInt64(max(0.001, min($0, 1e6)) * 1e9) }
        deadline.store(nanoseconds.map { Self.now() &+ $0 } ?? 0, ordering: .releasing)
    }

    /// Whether a blocking call must return now.
    var isDue: Bool {
        if isCancelled { return true }
        let deadline = deadline.load(ordering: .acquiring)
        guard deadline != 0, Self.now() >= deadline else { return false }
        expired.store(true, ordering: .releasing)
        return true
    }

    /// FFmpeg reports an interrupted call in different ways; this says what really happened.
    func translate(_ code: Int32) -> Int32 {
        isCancelled ? cff_ERROR_EXIT : hasTimedOut ? cff_ERROR_ETIMEDOUT : code
    }

    /// For `AVFormatContext.interrupt_callback`; the caller keeps this object alive as long as the context.
    var callback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in
                guard let opaque else { return 0 }
                return Unmanaged<Interrupt>.fromOpaque(opaque).takeUnretainedValue().isDue ? 1 : 0
            },
            opaque: Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
