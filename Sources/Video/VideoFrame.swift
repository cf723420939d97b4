package import Imaging

/// A decoded frame and where it belongs in time.
package final class VideoFrame: Sendable {
    /// As displayed; its bytes are the decoder's own where possible, so long-lived frames hold decoder memory.
    package let picture: Picture
    /// In presentation order, from 0, frames counted that sampling skipped.
    ///
    /// After a start in the middle of a file it is reckoned from the time and the mean frame rate, and from then on
    /// counted.
    package let index: Int
    /// The container's own timestamp in units of `timeBase`; nil if it has none.
    package let pts: Int64?
    package let timeBase: Rational
    /// Seconds since the stream's start; never decreases.
    package let mediaTime: Double
    /// Clockwise turn that the container asked for; already done in `picture`.
    package let rotationDegrees: Int
    package let isKeyframe: Bool
    /// Decoded from damaged data.
    package let isCorrupt: Bool
    /// Chosen by sampling; false only where every frame is delivered.
    package let isSampled: Bool
    /// Grows when the picture's form changes or the timeline breaks.
    package let epoch: Int
    /// When it was taken; nil for recordings.
    package let wallTime: WallTime?

    /// Pixels, as displayed.
    package var width: Int { picture.size.width }
    package var height: Int { picture.size.height }

    package init(
        picture: Picture,
        index: Int,
        pts: Int64?,
        timeBase: Rational,
        mediaTime: Double,
        rotationDegrees: Int = 0,
        isKeyframe: Bool = false,
        isCorrupt: Bool = false,
        isSampled: Bool = true,
        epoch: Int = 0,
        wallTime: WallTime? = nil
    ) {
        self.picture = picture
        self.index = index
        self.pts = pts
        self.timeBase = timeBase
        self.mediaTime = mediaTime
        self.rotationDegrees = rotationDegrees
        self.isKeyframe = isKeyframe
        self.isCorrupt = isCorrupt
        self.isSampled = isSampled
        self.epoch = epoch
        self.wallTime = wallTime
    }

    /// The same frame at another place in a longer story.
    func moved(index: Int, mediaTime: Double, epoch: Int) -> VideoFrame {
        VideoFrame(
            picture: picture,
            index: index,
            pts: pts,
            timeBase: timeBase,
            mediaTime: mediaTime,
            rotationDegrees: rotationDegrees,
            isKeyframe: isKeyframe,
            isCorrupt: isCorrupt,
            isSampled: isSampled,
            epoch: epoch,
            wallTime: wallTime
        )
    }
}

/// What a reader hands over, in this order in time.
package enum VideoEvent: Sendable {
    case frame(VideoFrame)
    /// The frames behind this have a new form or a new timeline: trackers start over.
    case epoch(StreamInfo, EpochReason)

    package var frame: VideoFrame? {
        guard case .frame(let frame) = self else { return nil }
        return frame
    }
}
