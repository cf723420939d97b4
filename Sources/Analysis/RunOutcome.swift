package import Events
package import Faces
package import Video

/// How a run went, for the one who started it.
package struct RunOutcome: Sendable {
    /// As in the table of exit statuses: 0 complete, 1 failure, 2 usage, 3 input unreadable, 4 too many decode errors,
    /// 130 and 143 after a signal.
    package var exitStatus: Int32
    /// What went wrong, with the remedy; nil when nothing did.
    package var message: String?
    package var ledger = Ledger()
    package var video = VideoStatistics()
    package var timings = StageTimings()
}

/// What a progress line can tell.
package struct RunProgress: Sendable, Hashable {
    /// What is being done, in a word or two; nil where there is one thing to do.
    package var activity: String?
    /// Seconds of video that were looked at.
    package var mediaTime: Double
    /// Seconds in all, where the container tells.
    package var duration: Double?
    /// Faces in the last sampled frame.
    package var faces: Int
    /// Tracks so far.
    package var tracks: Int
}
