internal import Synchronization

/// Decodes one video on a thread of its own and hands over the frames that sampling wants, in presentation order.
///
///     let reader = try await VideoReader.open(.init(input: .file(path)))
///     while let event = try await reader.next() { … }
///
/// One task takes; anybody may ask and cancel. Letting go of the reader cancels it.
package final class VideoReader: Sendable {
    package struct Options: Sendable {
        package var input: VideoInput
        package var sampling: Sampling
        /// Every frame is decoded and delivered; `isSampled` tells the samples.
        package var deliversUnsampledFrames = false
        /// Seconds of the stream's time to begin at; the grid of samples is counted from there.
        package var start: Double?
        /// Seconds from `start` to stop at.
        package var duration: Double?
        package var decoderThreads = 2
        /// Decode errors and damaged frames together.
        ///
        /// Past it the rest is still delivered, and then `next` throws (exit status 4). As many *in a row* end the
        /// reading at once, since nothing usable comes any more.
        package var maximumDecodeErrors = 100
        /// Frames that may wait between the threads.
        package var queueDepth = 3
        package var policy: OverloadPolicy
        /// For networks and devices.
        package var deadlines = IngestDeadlines()
        package var transport = RTSPTransport.tcp
        /// Packets that RTP keeps back to put them in order; FFmpeg's own number if nil.
        package var reorderQueue: Int?

        package init(input: VideoInput, sampling: Sampling = .rate(5)) {
            self.input = input
            self.sampling = sampling
            policy = input.isLive ? .dropOldest : .backPressure
        }

        package func validate() throws(VideoError) {
            let problem: String? =
                if case .rate(let rate) = sampling, !(rate >= 0.001 && rate <= 1000) {
                    "samples per second must lie between 0.001 and 1000, not \(rate)"
                } else if let start, !(start >= 0 && start < 1e9) {
                    "the start must be a number of seconds from 0 on, not \(start)"
                } else if let duration, !(duration > 0 && duration < 1e9) {
                    "the duration must be a number of seconds above 0, not \(duration)"
                } else if maximumDecodeErrors < 0 {
                    "the number of decode errors allowed must not be negative"
                } else {
                    deadlines.problem
                }
            if let problem { throw VideoError(.open, .invalidOption(problem), source: input.displayName) }
        }
    }

    package let options: Options
    private let shared: ReaderState
    private let handOff: HandOff<VideoEvent>
    private let interrupt: Interrupt

    /// Opens the input, which may take as long as the input likes or its time-outs allow, and starts to decode.
    ///
    /// - Parameter interrupt: lets another thread cancel the opening.
    package init(_ options: Options, interrupt: Interrupt = Interrupt()) throws(VideoError) {
        FFmpegLog.capture()
        try options.validate()
        self.options = options
        self.interrupt = interrupt
        let handOff = HandOff<VideoEvent>(depth: options.queueDepth, policy: options.policy) { $0.frame != nil }
        self.handOff = handOff
        let loop = try DecodingLoop(options, interrupt: interrupt, sink: handOff)
        let shared = loop.shared
        self.shared = shared
        guard NamedThread.start("video-decoder", { loop.run() }) else {
            throw VideoError(.open, .outOfMemory, source: options.input.displayName)
        }
    }

    deinit { cancel() }

    /// As `init`, on a thread of its own; cancelling the task ends the opening.
    package static func open(_ options: Options) async throws -> VideoReader {
        let interrupt = Interrupt()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<VideoReader, any Error>) in
                let isStarted = NamedThread.start("video-open") {
                    done.resume(with: Result { try VideoReader(options, interrupt: interrupt) })
                }
                if !isStarted {
                    done.resume(throwing: VideoError(.open, .outOfMemory, source: options.input.displayName))
                }
            }
        } onCancel: {
            interrupt.cancel()
        }
    }

    /// The next frame or break, or nil at the end of the video or after `cancel`.
    ///
    /// - Throws: `VideoError` when reading failed, after all frames before the failure; `CancellationError` when the
    ///   task was cancelled.
    package func next() async throws -> VideoEvent? {
        let event = try await handOff.next()
        if case .frame(let frame) = event { shared.lastTaken.withLock { $0 = (frame.pts, frame.mediaTime) } }
        return event
    }

    /// Stops reading, within a tenth of a second even where it waits for bytes.
    ///
    /// `next` returns nil from now on.
    package func cancel() {
        interrupt.cancel()
        let left = handOff.cancel()
        shared.statistics.withLock { statistics in
            for case .frame(let frame) in left { statistics.drop(frame) }
        }
    }

    /// Of the latest epoch that was decoded.
    package var info: StreamInfo { shared.info.withLock { $0 } }

    package var statistics: VideoStatistics { shared.statistics.withLock { $0 } }

    /// Of the last frame taken; nil before the first.
    package var progress: (pts: Int64?, mediaTime: Double)? { shared.lastTaken.withLock { $0 } }

    /// Whether the decoding thread is done and everything closed.
    package var isFinished: Bool { shared.isFinished.withLock { $0 } }
}

/// What the decoding thread and the rest of the program both see.
final class ReaderState: Sendable {
    let statistics = Mutex(VideoStatistics())
    let info: Mutex<StreamInfo>
    let lastTaken = Mutex<(pts: Int64?, mediaTime: Double)?>(nil)
    let isFinished = Mutex(false)

    init(info: StreamInfo) { self.info = Mutex(info) }
}

extension VideoStatistics {
    /// A frame that was handed over is thrown away untaken.
    mutating func drop(_ frame: VideoFrame) {
        framesDropped += 1
        if frame.isSampled {
            framesSampled -= 1
            framesUnsampled += 1
        }
    }
}
