internal import CFFmpeg
internal import Imaging

/// A fraction as containers write them.
package struct Rational: Sendable, Hashable {
    package var numerator: Int32
    package var denominator: Int32

    package init(numerator: Int32, denominator: Int32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Nil for 0/0 and the like.
    package var value: Double? {
        numerator > 0 && denominator > 0 ? Double(numerator) / Double(denominator) : nil
    }
}

/// What is known of a video stream.
package struct StreamInfo: Sendable, Hashable {
    /// FFmpeg's name, such as `h264`.
    package var codec: String
    /// As displayed: turned, with square pixels.
    package var width: Int
    package var height: Int
    /// The mean over the stream, if its container tells.
    package var framesPerSecond: Double?
    /// FFmpeg's name of the decoder's format, such as `yuv420p`.
    package var pixelFormat: String
    /// Clockwise, for display: 0, 90, 180 or 270.
    package var rotationDegrees: Int
    /// Seconds, if the container tells.
    package var duration: Double?
    /// FFmpeg's name, `mov,mp4,m4a,3gp,3g2,mj2` for instance.
    package var container: String
    /// What the container calls the time of the first frame, seconds; `mediaTime` is counted from it.
    package var startTime: Double?
    package var timeBase: Rational
}

extension StreamInfo {
    /// As far as the container tells before a frame was decoded.
    init(_ demuxer: Demuxer, codec: String) {
        let stream = demuxer.stream.pointee
        let parameters = stream.codecpar.pointee
        let geometry = PictureGeometry(
            stored: Size(width: Int(parameters.width), height: Int(parameters.height)),
            orientation: demuxer.orientation,
            pixelAspect: demuxer.pixelAspect(of: nil)
        )
        let timeBase = Rational(numerator: stream.time_base.num, denominator: stream.time_base.den)
        self.init(
            codec: codec,
            width: geometry.displayed.width,
            height: geometry.displayed.height,
            framesPerSecond: demuxer.framesPerSecond,
            pixelFormat: PictureConverter.name(of: AVPixelFormat(rawValue: parameters.format)),
            rotationDegrees: geometry.orientation.rotationDegrees,
            duration: demuxer.duration,
            container: demuxer.containerName,
            startTime: demuxer.startTime.flatMap { start in timeBase.value.map { Double(start) * $0 } },
            timeBase: timeBase
        )
    }
}

/// Why a new epoch began.
package struct EpochReason: OptionSet, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let sizeChanged = EpochReason(rawValue: 1)
    package static let pixelFormatChanged = EpochReason(rawValue: 2)
    package static let codecChanged = EpochReason(rawValue: 4)
    package static let timestampsWentBack = EpochReason(rawValue: 8)
    package static let timestampsJumpedAhead = EpochReason(rawValue: 16)
    /// A live source was connected anew.
    package static let reconnected = EpochReason(rawValue: 32)

    package var description: String {
        let names: [(EpochReason, String)] = [
            (.sizeChanged, "size changed"), (.pixelFormatChanged, "pixel format changed"),
            (.codecChanged, "codec changed"), (.timestampsWentBack, "timestamps went back"),
            (.timestampsJumpedAhead, "timestamps jumped ahead"),
            (.reconnected, "reconnected"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// What became of everything that was read.
///
/// Always: `framesDecoded == framesSampled + framesUnsampled`.
package struct VideoStatistics: Sendable, Hashable {
    /// Of the video stream.
    package var packetsRead = 0
    /// Marked as damaged by the container's parser.
    package var packetsCorrupt = 0
    package var framesDecoded = 0
    /// Handed on as samples, or waiting to be taken.
    package var framesSampled = 0
    /// Decoded and not sampled, `framesDropped` included.
    package var framesUnsampled = 0
    /// Chosen as samples, but nobody took them before newer ones came, or before reading was cancelled.
    package var framesDropped = 0
    /// Never decoded, because sampling needs neither them nor what they would have been needed for.
    package var framesSkipped = 0
    /// Decoded with damage.
    package var framesCorrupt = 0
    /// Packets that the decoder refused, and places where the container could not be read.
    package var decodeErrors = 0
    /// Packets before the first decodable picture, as when a stream is joined in the middle: no fault.
    package var packetsBeforeKeyframe = 0
    /// Breaks of the timeline or of the picture's form.
    package var epochs = 0
    /// Reading ended before the container said so.
    package var isTruncated = false
    /// Processor seconds of the reader's thread, decoding included where it has one thread; known at the end.
    package var processorSeconds = 0.0

    package init() {}

    /// With what another reader of the same source did.
    mutating func add(_ other: VideoStatistics) {
        packetsRead += other.packetsRead
        packetsCorrupt += other.packetsCorrupt
        framesDecoded += other.framesDecoded
        framesSampled += other.framesSampled
        framesUnsampled += other.framesUnsampled
        framesDropped += other.framesDropped
        framesSkipped += other.framesSkipped
        framesCorrupt += other.framesCorrupt
        decodeErrors += other.decodeErrors
        packetsBeforeKeyframe += other.packetsBeforeKeyframe
        epochs += other.epochs
        isTruncated = isTruncated || other.isTruncated
        processorSeconds += other.processorSeconds
    }
}
