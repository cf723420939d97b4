package import Imaging

/// Reads pictures that do not move: photographs, or the first frame of a video.
package enum StillPicture {
    /// The first frame of an image file or video, turned as it is meant to be seen.
    ///
    /// - Throws: `VideoError`, of exit status 3, where nothing in it can be shown; `CancellationError`.
    package static func read(_ input: VideoInput) async throws -> Picture {
        let reader = try await VideoReader.open(VideoReader.Options(input: input, sampling: .everyFrame))
        defer { reader.cancel() }
        while let event = try await reader.next() {
            if let frame = event.frame { return frame.picture }
        }
        throw VideoError(.decode, .noFrames, source: input.displayName)
    }
}
