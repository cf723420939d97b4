/// Where a video comes from.
package enum VideoInput: Sendable, Hashable {
    /// A path; also of a FIFO or a device.
    case file(String)
    case standardInput
    /// Anything that FFmpeg has a protocol for; may carry credentials.
    case url(String)
    /// The path of a camera of Video4Linux.
    case device(String)

    /// An argument of a command line: `-` is standard input, `/dev/video…` and `v4l2:…` a camera, `scheme://…` a URL,
    /// all else a path.
    package init(argument: String) {
        if argument == "-" {
            self = .standardInput
        } else if argument.hasPrefix("v4l2:") {
            self = .device(String(argument.dropFirst("v4l2:".count)))
        } else if argument.hasPrefix("/dev/video") {
            self = .device(argument)
        } else if let colon = argument.firstIndex(of: ":"), colon != argument.startIndex,
            argument[colon...].hasPrefix("://"),
            argument[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        {
            self = .url(argument)
        } else {
            self = .file(argument)
        }
    }

    /// What to call it in messages and events: without credentials, on one line.
    package var displayName: String {
        switch self {
        case .file(let path), .device(let path): path
        case .standardInput: "standard input"
        case .url(let url): Redaction.redact(url: url)
        }
    }

    /// Whether time goes on while nobody reads: frames that are not taken must be dropped, not kept waiting.
    package var isLive: Bool {
        if case .device = self { return true }
        guard case .url(let url) = self else { return false }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        return ["rtsp", "rtsps", "rtp", "srtp", "rtmp", "rtmps", "udp", "srt", "tcp", "mmsh", "mmst"].contains(scheme)
    }
}

/// How RTSP carries the pictures.
package enum RTSPTransport: String, Sendable, Hashable, CaseIterable {
    /// Inside the connection of the commands: nothing gets lost on the way.
    case tcp
    /// In packets of their own: less delay, and smeared pictures where packets get lost.
    case udp
}
