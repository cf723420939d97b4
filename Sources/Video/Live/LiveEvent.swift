/// What a live source is doing.
package enum LiveState: String, Sendable, Hashable {
    case connecting
    case online
    /// Connected, and no pictures come.
    case stalled
    /// Pictures come, and all are the same; they are not handed on.
    case frozen
    /// The connection is gone; another will be tried.
    case reconnecting
    case paused
    case ended
    /// Trying again cannot help.
    case failed
}

/// Why a source is in its state; the raw values are stable.
package enum LiveReason: String, Sendable, Hashable, CaseIterable {
    case started
    case picturesCame = "pictures_came"
    case pictureUnchanged = "picture_unchanged"
    case pictureChanged = "picture_changed"
    case noPictures = "no_pictures"
    case connectTimeout = "connect_timeout"
    case probeTimeout = "probe_timeout"
    case firstFrameTimeout = "first_frame_timeout"
    case readTimeout = "read_timeout"
    case unauthorized
    case notFound = "not_found"
    case noVideo = "no_video"
    case unsupported
    case decodeErrors = "decode_errors"
    case endOfStream = "end_of_stream"
    case connectionLost = "connection_lost"
    case connectionFailed = "connection_failed"
    /// The reader did not come back from FFmpeg, and was left behind.
    case readerStuck = "reader_stuck"
    case outOfResources = "out_of_resources"
    case paused
    case resumed
    case stopped

    /// What a failure is called.
    init(_ error: VideoError) {
        self =
            switch error.reason {
            case .timedOut:
                switch error.expiredPhase {
                case .connect: .connectTimeout
                case .probe: .probeTimeout
                case .firstFrame: .firstFrameTimeout
                case .read, nil: .readTimeout
                }
            case .unauthorized, .permissionDenied: .unauthorized
            case .missing: .notFound
            case .noVideoStream, .noFrames: .noVideo
            case .isDirectory, .notAVideo, .unfinished, .noDecoder, .unknownProtocol, .unsupportedPixelFormat,
                .noDeviceSupport, .invalidOption:
                .unsupported
            case .tooManyDecodeErrors: .decodeErrors
            case .outOfMemory: .outOfResources
            case .empty, .endsEarly: .endOfStream
            case .cancelled: .stopped
            case .other: error.operation == .open ? .connectionFailed : .connectionLost
            }
    }

    /// Nothing will have changed a second later.
    var isSlow: Bool {
        switch self {
        case .unauthorized, .notFound, .noVideo, .unsupported: true
        default: false
        }
    }

    /// The source was there and fell silent.
    var isSilence: Bool {
        switch self {
        case .probeTimeout, .firstFrameTimeout, .readTimeout: true
        default: false
        }
    }
}

/// A change of a source's state.
package struct LiveStatus: Sendable, Hashable {
    package var state: LiveState
    package var reason: LiveReason
    /// Connections tried since the source was last well, this one included.
    package var attempt: Int
    /// What the source sends, once that is known.
    package var info: StreamInfo?
    /// One line for people about a failure, without credentials.
    package var detail: String?
    /// What FFmpeg logged before a failure, without credentials; told once.
    package var log: [String]

    package init(
        state: LiveState,
        reason: LiveReason,
        attempt: Int,
        info: StreamInfo? = nil,
        detail: String? = nil,
        log: [String] = []
    ) {
        self.state = state
        self.reason = reason
        self.attempt = attempt
        self.info = info
        self.detail = detail
        self.log = log
    }
}

/// A moment of a source's own timeline, and on the wall where that is known.
package struct LiveMoment: Sendable, Hashable {
    /// Seconds; never decreases while the source lives.
    package var mediaTime: Double
    package var wallTime: WallTime?

    package init(_ frame: VideoFrame) {
        mediaTime = frame.mediaTime
        wallTime = frame.wallTime
    }
}

/// Pictures that were never seen.
package struct LiveGap: Sendable, Hashable {
    package var reason: LiveReason
    /// The last picture before.
    package var from: LiveMoment
    /// The first picture after.
    package var to: LiveMoment
    /// Seconds on a clock that nobody sets.
    package var lostSeconds: Double

    package init(reason: LiveReason, from: LiveMoment, to: LiveMoment, lostSeconds: Double) {
        self.reason = reason
        self.from = from
        self.to = to
        self.lostSeconds = lostSeconds
    }
}

/// What a live source tells, in this order in time.
package enum LiveEvent: Sendable {
    case status(LiveStatus)
    /// The frames behind this have a new form or a new timeline: trackers start over.
    case epoch(StreamInfo, EpochReason)
    case gap(LiveGap)
    case frame(VideoFrame)

    package var frame: VideoFrame? {
        guard case .frame(let frame) = self else { return nil }
        return frame
    }

    package var status: LiveStatus? {
        guard case .status(let status) = self else { return nil }
        return status
    }
}
