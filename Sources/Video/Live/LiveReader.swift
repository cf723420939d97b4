internal import Synchronization

/// Opens a live source and reads it until it ends, fails or is interrupted.
package protocol LiveReader: Sendable {
    /// Blocks the calling thread.
    ///
    /// - Returns: whether the end of the stream is final; false where a source that goes on for ever broke off.
    func read(
        _ options: VideoReader.Options,
        interrupt: Interrupt,
        into connection: LiveConnection
    ) throws(VideoError) -> Bool
}

/// Reads with FFmpeg.
struct FFmpegLiveReader: LiveReader {
    func read(
        _ options: VideoReader.Options,
        interrupt: Interrupt,
        into connection: LiveConnection
    ) throws(VideoError) -> Bool {
        FFmpegLog.capture()
        let loop = try DecodingLoop(options, interrupt: interrupt, sink: connection)
        let shared = loop.shared
        connection.opened(
            info: { shared.info.withLock { $0 } },
            statistics: { shared.statistics.withLock { $0 } }
        )
        loop.run()
        if let error = connection.failure { throw error }
        // What says how long it is, is a recording somewhere on the network.
        return !options.input.isLive && shared.info.withLock { $0.duration } != nil
    }
}
