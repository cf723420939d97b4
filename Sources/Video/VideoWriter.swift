package import Imaging

/// Writes pictures to an MP4 file: H.264 by libx264, or MPEG-4 Part 2 where FFmpeg has no libx264.
///
/// The file is *fragmented*: its index comes in pieces, one before each stretch of two seconds, and every stretch is
/// handed to the system when it is complete. So a file whose writer was killed, or ran out of disk space, plays up to
/// its last seconds; an ordinary MP4 without its index at the end would be lost. Browsers, FFmpeg, VLC and mpv play
/// such files like others.
///
/// Belongs to one task at a time. Calls block for as long as encoding takes, so keep it off the cooperative pool.
package struct VideoWriter: ~Copyable, Sendable {
    /// A part of the video that can be decoded without the others.
    package struct Stretch: Sendable, Hashable {
        /// Its pictures, by their numbers in the order of the calls.
        package let frames: Range<Int>
        /// SHA-256 of what the encoder made of them: the same digest is the same pictures.
        package let digest: [UInt8]
    }

    private let encoding: VideoEncoding
    private var timeline: VideoWriterTimeline
    private var failure: VideoWriterError?
    private var isFinished = false

    /// Pixels of the video: `size` with both sides rounded down to even numbers, as 4:2:0 wants them, and at least 16.
    package let size: Size

    /// Creates the file, or empties the one that is there.
    ///
    /// - Parameters:
    ///   - size: of the canvases to come; those of another size are fitted in with black borders.
    ///   - framesPerSecond: of the source, about; how long each picture is shown follows from their times alone.
    ///   - hasSeparateStretches: whether an encoder of its own makes each stretch, so that the same pictures come out
    ///     the same whatever was before them; `stretches` tells them then.
    package init(
        path: String,
        size: Size,
        framesPerSecond: Double? = nil,
        hasSeparateStretches: Bool = false
    ) throws(VideoWriterError) {
        let even = Size(
            width: max(16, min(Canvas.longestSide, size.width) & ~1),
            height: max(16, min(Canvas.longestSide, size.height) & ~1)
        )
        timeline = VideoWriterTimeline(framesPerSecond: framesPerSecond)
        self.size = even
        encoding = try VideoEncoding(
            path: path,
            size: even,
            framesPerSecond: timeline.framesPerSecond,
            hasSeparateStretches: hasSeparateStretches
        )
    }

    /// The stretches that are complete, all of them after `finish`; none without `hasSeparateStretches`.
    package var stretches: [Stretch] { encoding.stretches }

    /// The encoder in use, by its name in FFmpeg.
    package var encoderName: String { encoding.encoderName }

    /// Adds a picture.
    ///
    /// - Parameter seconds: when it is shown. The first picture's time becomes the zero of the file, and the distances
    ///   after it are kept, at 90 kHz. Times that do not grow are moved after the one before.
    /// - Throws: once failed, the same error again.
    package mutating func append(_ canvas: borrowing Canvas, at seconds: Double) throws(VideoWriterError) {
        precondition(!isFinished, "append after finish")
        if let failure { throw failure }
        let ticks = timeline.ticks(at: seconds)
        do {
            try encoding.encode(canvas, at: ticks, isKeyframe: timeline.startsStretch(ticks), duration: timeline.step)
        } catch {
            failure = error
            throw error
        }
    }

    /// Writes what the encoder still holds and closes the file; further calls do nothing.
    ///
    /// A writer that goes away without it leaves a file that lacks its last seconds.
    package mutating func finish() throws(VideoWriterError) {
        if isFinished { return }
        if let failure { throw failure }
        isFinished = true
        do {
            try encoding.finish(duration: timeline.step)
        } catch {
            failure = error
            throw error
        }
    }
}
