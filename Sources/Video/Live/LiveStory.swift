/// Joins the frames of one connection after the other into one timeline.
///
/// Within an epoch times and numbers grow as the reader says; from one connection to the next the time goes on by what
/// passed meanwhile, so it never goes back while the source lives.
struct LiveStory {
    private var connection: Int?
    private var epochBase = 0
    private var indexBase = 0
    private var timeBase = 0.0

    private var epoch = 0
    private var index = -1
    /// The last frame's own time, and when it came.
    private var last: (mediaTime: Double, arrival: Double)?

    /// Whether the next frame of `number` begins a connection behind another.
    func isBreak(beforeFrameOf number: Int) -> Bool { connection != nil && connection != number }

    mutating func place(_ frame: VideoFrame, of number: Int, at now: Double) -> VideoFrame {
        if isBreak(beforeFrameOf: number), let last {
            epochBase = epoch + 1
            indexBase = index + 1 - frame.index
            timeBase = last.mediaTime + max(0, now - last.arrival) - frame.mediaTime
        }
        connection = number
        let placed = frame.moved(
            index: indexBase + frame.index,
            mediaTime: max(timeBase + frame.mediaTime, last?.mediaTime ?? 0),
            epoch: epochBase + frame.epoch
        )
        (epoch, index) = (placed.epoch, placed.index)
        last = (placed.mediaTime, now)
        return placed
    }
}
