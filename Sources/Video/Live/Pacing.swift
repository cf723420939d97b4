/// Holds back what comes faster than it happened: the segments of HTTP streams, and files that stand in for a camera.
///
/// Without it a segment's pictures would come at once, and all but the last few would be dropped.
package struct Pacing: Sendable {
    /// Seconds; a source that is later than this begins anew and is not hurried after.
    private static let longestDelay = 1.0

    /// Clock minus media time of pictures that are handed on in time.
    private var offset: Double?

    package init() {}

    /// When the picture of `mediaTime` is due, on the clock of `now`; never before `now`.
    package mutating func due(_ mediaTime: Double, at now: Double) -> Double {
        guard let offset, now - (mediaTime + offset) <= Self.longestDelay else {
            self.offset = now - mediaTime
            return now
        }
        return max(now, mediaTime + offset)
    }
}
