internal import Glibc
internal import Synchronization

/// One attempt at a live source: what its reader's thread fills, and how to end it.
package final class LiveConnection: DecodingSink {
    private struct State {
        var thumbnail: PictureThumbnail?
        /// Nil for sources that come at their own pace.
        var pacing: Pacing?
        var failure: VideoError?
        var info: (@Sendable () -> StreamInfo)?
        var statistics: (@Sendable () -> VideoStatistics)?
    }

    /// Counts up; the frames of the first are on the source's own timeline.
    let number: Int
    let interrupt = Interrupt()
    let log = FFmpegLogLines()
    private let session: LiveSession
    private let state = Mutex(State())

    init(number: Int, isPaced: Bool, session: LiveSession) {
        self.number = number
        self.session = session
        if isPaced { state.withLock { $0.pacing = Pacing() } }
    }

    /// What the reader found; both are asked at any time and from any thread.
    package func opened(
        info: @escaping @Sendable () -> StreamInfo,
        statistics: @escaping @Sendable () -> VideoStatistics
    ) {
        state.withLock { ($0.info, $0.statistics) = (info, statistics) }
    }

    var info: StreamInfo? { state.withLock { $0.info }?() }

    var statistics: VideoStatistics { state.withLock { $0.statistics }?() ?? VideoStatistics() }

    /// Why reading ended before the stream did.
    var failure: VideoError? { state.withLock { $0.failure } }

    // MARK: - The reader's thread

    package func packetArrived() { session.packetArrived(on: self) }

    package func send(_ event: VideoEvent) -> HandOff<VideoEvent>.Delivery {
        switch event {
        case .epoch(let info, let reason): return session.epoch(info, reason, on: self)
        case .frame(let frame):
            wait(for: frame)
            let thumbnail = PictureThumbnail(frame.picture)
            let isUnchanged = state.withLock { state in
                defer { state.thumbnail = thumbnail }
                return state.thumbnail == thumbnail
            }
            return session.frame(frame, isUnchanged: isUnchanged, on: self)
        }
    }

    /// Blocks until the frame is due or the reader is told to return.
    private func wait(for frame: VideoFrame) {
        let now = WallClock.Reading.now.monotonic
        guard let due = state.withLock({ $0.pacing?.due(frame.mediaTime, at: now) }) else { return }
        while !interrupt.isCancelled {
            let left = due - WallClock.Reading.now.monotonic
            if left <= 0 { return }
            usleep(UInt32(min(left, 0.05) * 1e6))
        }
    }

    package func finish(throwing error: (any Error)?) {
        state.withLock { $0.failure = error as? VideoError }
    }
}
