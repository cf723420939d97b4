internal import CFFmpeg

/// Why a video could not be opened or read to its end.
package struct VideoError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    package enum Operation: String, Sendable {
        case open, probe, openDecoder, firstFrame, seek, read, decode, convert
    }

    package enum Reason: Sendable, Hashable {
        case missing
        case permissionDenied
        case isDirectory
        case empty
        /// No container format that is known.
        case notAVideo
        /// An MP4 or MOV whose index was never written.
        case unfinished
        case noVideoStream(coverArt: Bool)
        case noDecoder(codec: String)
        case noFrames
        /// The input ended before it told what is in it.
        case endsEarly
        case unknownProtocol
        case unauthorized
        /// FFmpeg's library of devices is not installed, or has no such kind of device.
        case noDeviceSupport(String)
        case timedOut
        case cancelled
        case tooManyDecodeErrors(count: Int, allowed: Int)
        case outOfMemory
        case unsupportedPixelFormat(String)
        case invalidOption(String)
        /// `code` tells.
        case other
    }

    package let operation: Operation
    package let reason: Reason
    /// FFmpeg's AVERROR value; 0 where FFmpeg did not fail.
    package let code: Int32
    /// The input's `displayName`.
    package let source: String
    /// What FFmpeg logged meanwhile, redacted.
    package let log: [String]

    package init(_ operation: Operation, _ reason: Reason, code: Int32 = 0, source: String, log: [String] = []) {
        self.operation = operation
        self.reason = reason
        self.code = code
        self.source = source
        self.log = log
    }

    /// An FFmpeg call failed with `code`; the reason follows from the code and the log.
    package init(_ operation: Operation, code: Int32, source: String, log: [String] = []) {
        let reason: Reason =
            switch code {
            case cff_ERROR_ENOENT, cff_ERROR_HTTP_NOT_FOUND: .missing
            case cff_ERROR_EACCES, cff_ERROR_HTTP_FORBIDDEN: .permissionDenied
            case cff_ERROR_EISDIR: .isDirectory
            case cff_ERROR_HTTP_UNAUTHORIZED: .unauthorized
            case cff_ERROR_PROTOCOL_NOT_FOUND: .unknownProtocol
            case cff_ERROR_ETIMEDOUT: .timedOut
            case cff_ERROR_EXIT: .cancelled
            case cff_ERROR_ENOMEM: .outOfMemory
            case cff_ERROR_EOF: .endsEarly
            case cff_ERROR_STREAM_NOT_FOUND: .noVideoStream(coverArt: false)
            case cff_ERROR_INVALIDDATA where operation == .open || operation == .probe:
                log.contains { $0.contains("moov atom not found") } ? .unfinished : .notAVideo
            default: .other
            }
        self.init(operation, reason, code: code, source: source, log: log)
    }

    /// Which phase ran out of time, if that is what happened.
    package var expiredPhase: IngestPhase? {
        guard reason == .timedOut else { return nil }
        return switch operation {
        case .open: .connect
        case .probe, .openDecoder: .probe
        case .firstFrame: .firstFrame
        case .seek, .read, .decode, .convert: .read
        }
    }

    /// Of the program: 2 wrong option, 3 input unreadable, 4 more decode errors than allowed, 1 anything else.
    package var exitStatus: Int32 {
        switch reason {
        case .tooManyDecodeErrors: 4
        case .invalidOption: 2
        case .outOfMemory, .cancelled, .unsupportedPixelFormat: 1
        default: 3
        }
    }

    /// Whether trying again later may help.
    package var isRetryable: Bool {
        switch reason {
        case .timedOut, .outOfMemory: true
        case .other: operation == .open || operation == .read
        default: false
        }
    }

    /// Whether nothing but another address or another program can help.
    var isHopeless: Bool {
        switch reason {
        case .unknownProtocol, .invalidOption, .noDeviceSupport: true
        default: false
        }
    }

    /// One line: the thing, what is wrong with it, and what to do.
    package var description: String {
        let problem =
            switch reason {
            case .missing: "does not exist; check the name"
            case .permissionDenied: "may not be read; check its permissions"
            case .isDirectory: "is a directory; name a file in it"
            case .empty: "is empty"
            case .notAVideo: "is not a video that FFmpeg can read; check that the file is complete and what it is"
            case .unfinished:
                "has no index (no 'moov' atom): the recording or copy was cut short; copy it again or repair it"
            case .noVideoStream(let coverArt):
                coverArt ? "has no video stream, only a cover picture" : "has no video stream"
            case .noDecoder(let codec):
                "has video in '\(codec)', which this FFmpeg has no decoder for; convert it first"
            case .noFrames:
                "has a video stream, but not one picture in it could be decoded; check that the file is complete"
            case .endsEarly: "ends before any picture; check that the file is complete"
            case .unknownProtocol:
                "is a URL with a protocol that this FFmpeg does not know; check the part before '://'"
            case .unauthorized: "wants a user name and password, or other ones; check the URL"
            case .noDeviceSupport(let detail): "is a device, and \(detail)"
            case .timedOut:
                operation == .open
                    ? "did not answer in time; check the address and that the source is switched on"
                    : "answered, but sent nothing usable in time (\(operation.rawValue)); check that the source is sending"
            case .cancelled: "was being read when the program was told to stop"
            case .tooManyDecodeErrors(let count, let allowed):
                "is damaged: \(count) decode errors, \(allowed) allowed; raise the limit or copy the file again"
            case .outOfMemory: "needs more memory than there is"
            case .unsupportedPixelFormat(let name): "has the pixel format '\(name)', which cannot be converted"
            case .invalidOption(let text): text
            case .other: "cannot be read (\(operation.rawValue)): \(FFmpegLog.describe(code))"
            }
        guard showsLog, let line = log.last else { return "\(source): \(problem)" }
        return "\(source): \(problem) [\(line)]"
    }

    private var showsLog: Bool {
        switch reason {
        case .other, .notAVideo, .noFrames, .tooManyDecodeErrors, .noDecoder, .timedOut: true
        default: false
        }
    }
}
