package import Events
internal import Imaging
package import Video

/// Takes the pictures of faces from a video whose events are known already.
package enum ShotReader {
    /// A face in a frame.
    package struct Shot: Sendable, Hashable {
        /// Media time of the frame, seconds.
        package let time: Double
        package let box: BoundingBox
        /// Of the frame, as displayed, pixels.
        package let width: Int
        package let height: Int

        package init(time: Double, box: BoundingBox, width: Int, height: Int) {
            self.time = time
            self.box = box
            self.width = width
            self.height = height
        }
    }

    /// The video that was named is another one than the events are about.
    package struct OtherVideo: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Seconds by which the time in an event may differ from the frame's: events keep microseconds.
    private static let tolerance = 0.000_002
    /// Seconds after which a frame is another one than was asked for.
    private static let reach = 1.0

    /// Opens the video at each shot's time and crops the face.
    ///
    /// - Returns: a JPEG for each shot in its order; nil where the video has no frame at that time.
    /// - Throws: `VideoError` when the video cannot be read, `OtherVideo` when its frames have another size.
    package static func pictures(of input: VideoInput, at shots: [Shot]) async throws -> [[UInt8]?] {
        var pictures: [[UInt8]?] = []
        for shot in shots {
            try Task.checkCancellation()
            pictures.append(try await picture(of: input, at: shot))
        }
        return pictures
    }

    private static func picture(of input: VideoInput, at shot: Shot) async throws -> [UInt8]? {
        guard shot.time.isFinite, shot.time < 1e9 else { return nil }
        var options = VideoReader.Options(input: input, sampling: .everyFrame)
        options.start = max(0, shot.time - tolerance)
        options.policy = .backPressure
        options.queueDepth = 1
        options.decoderThreads = 1
        let reader = try await VideoReader.open(options)
        defer { reader.cancel() }
        while let event = try await reader.next() {
            guard let frame = event.frame, frame.mediaTime >= shot.time - tolerance else { continue }
            guard frame.mediaTime < shot.time + reach else { return nil }
            guard frame.width == shot.width, frame.height == shot.height else {
                throw OtherVideo(
                    description: "\(input.displayName) is \(frame.width) x \(frame.height) pixels where the events tell"
                        + " of \(shot.width) x \(shot.height): it is not the video that they are about"
                )
            }
            let (width, height) = (Float(frame.width), Float(frame.height))
            let box = Rect(
                left: Float(shot.box.left) * width,
                top: Float(shot.box.top) * height,
                width: Float(shot.box.width) * width,
                height: Float(shot.box.height) * height
            )
            return try PictureEncoder.encode(
                CropWriter.crop(box, of: Pyramid(frame.picture)),
                as: .jpeg(quality: 85)
            )
        }
        return nil
    }
}
