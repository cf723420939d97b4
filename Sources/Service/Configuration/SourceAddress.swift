package import Video

/// Where a source's video comes from, with its credentials where they cannot be printed.
package struct SourceAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without user name, password and query.
    package let description: String
    /// Nil where `description` is the whole of it.
    private let secret: Secret?

    /// Network protocols that a source may use, in the order in which messages name them.
    package static let schemes = [
        "rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt", "rtp", "udp", "tcp",
    ]

    static let kind = "URL (\(schemes.joined(separator: ", "))), absolute path of a file, or `/dev/video0`"

    /// - Throws: what is wrong, without any part of `text` that could be secret.
    package init(_ text: String) throws(ValueError) {
        guard !text.isEmpty, text.utf8.count <= 8192 else {
            throw ValueError(description: "an address has 1 to 8192 bytes")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw ValueError(description: "the address has a control character")
        }
        if text.hasPrefix("/") || text.hasPrefix("v4l2:/") {
            description = text
            secret = nil
            return
        }
        guard case .url = VideoInput(argument: text), let colon = text.firstIndex(of: ":") else {
            throw ValueError(description: "the address is neither a URL (scheme://…) nor an absolute path")
        }
        let scheme = text[..<colon].lowercased()
        guard Self.schemes.contains(scheme) else {
            // What stands before "://" in a slip of the keyboard may be anything; a scheme is short.
            let name = scheme.utf8.count <= 12 ? "\"\(scheme)\"" : "this"
            let nearest = EditDistance.nearest(to: scheme, among: Self.schemes).map { "; did you mean \($0)?" } ?? ""
            throw ValueError(
                description: "\(name) is no protocol that a source can use\(nearest) "
                    + "(there are \(Self.schemes.joined(separator: ", ")))"
            )
        }
        try Self.checkHost(of: text[colon...].dropFirst(3), scheme: scheme)
        description = Redaction.redact(text)
        secret = description == text ? nil : Secret(text)
    }

    /// Whether it has a user, a password or a query.
    package var hasSecret: Bool { secret != nil }

    /// What the video stage opens; made when it is opened, kept nowhere else.
    package func input() -> VideoInput { VideoInput(argument: secret?.reveal() ?? description) }

    /// - Parameter rest: what follows `://`; odd passwords may hold any sign, so the host begins after the last `@`.
    private static func checkHost(of rest: Substring, scheme: String) throws(ValueError) {
        let afterUser = rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
        let place = afterUser.prefix { !"/?#".contains($0) }
        // An @ may also stand in the path; then nothing is known about the host, and the protocol will tell.
        if rest.contains("@"), rest.prefix(while: { !"/?#".contains($0) }).contains("@") == false { return }
        var host = place
        var port: Substring?
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else {
                throw ValueError(description: "the IPv6 address of the URL has no closing bracket")
            }
            host = place[place.index(after: place.startIndex)..<end]
            let tail = place[place.index(after: end)...]
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = place.lastIndex(of: ":") {
            host = place[..<colon]
            port = place[place.index(after: colon)...]
        }
        // `udp://:5000` and `srt://:9000` listen.
        guard !host.isEmpty || ["udp", "rtp", "srt", "tcp"].contains(scheme) && port != nil else {
            throw ValueError(description: "the URL names no host")
        }
        guard !host.contains(where: \.isWhitespace) else {
            throw ValueError(description: "the host of the URL has a blank in it")
        }
        if let port {
            guard let number = Int(port), (1...65535).contains(number) else {
                throw ValueError(description: "the port of the URL is not a number from 1 to 65535")
            }
        }
    }
}
