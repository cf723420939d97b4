/// Keeps credentials out of everything that people or logs get to see.
package enum Redaction {
    // By scalars: as characters, an `@` with an accent behind it is no `@`.
    private typealias Text = Substring.UnicodeScalarView

    /// Words that announce a secret where cameras have it in the path, as in `/user=admin_password=…_channel=1`.
    private static let secretNames = ["user", "pass", "pwd", "pw", "token", "secret", "auth", "key", "signature"]

    /// What lines of a log may name a URL of.
    private static let schemes: Set<String> = [
        "rtsp", "rtsps", "rtp", "srtp", "rtmp", "rtmps", "rtmpt", "rtmpe", "http", "https", "httpproxy", "tcp", "tls",
        "udp", "udplite", "srt", "file", "ftp", "sftp", "mmsh", "mmst", "unix", "hls",
    ]

    /// As `redact`, of a text that is one URL and nothing else.
    package static func redact(url: String) -> String {
        let text = Text(Substring(url).unicodeScalars)
        guard let scheme = schemeEnd(in: text) else { return url }
        return String(text[..<scheme]) + redactedRemainder(text[scheme...], toTheEnd: true)
    }

    /// `text` with the user name and password of every URL removed, every query replaced by `?***`, and every path cut
    /// where it names a user or a password.
    ///
    /// Passwords may hold `@`, `/`, `:`, `?`, `%` and blanks, which no URL grammar allows and cameras are given all the
    /// same. So whatever could be a part of one goes: with a `:` or `@` behind the scheme, all up to the *last* `@`.
    /// That may hide a host whose path has an `@`; it never shows a password.
    package static func redact(_ text: String) -> String {
        var result = ""
        var rest = Text(Substring(text).unicodeScalars)
        while let scheme = schemeEnd(in: rest) {
            result += String(rest[..<scheme])
            rest = rest[scheme...]
            let end = nextURL(in: rest) ?? rest.endIndex
            let wholeTextIsURL = end == rest.endIndex && !result.unicodeScalars.contains { $0.properties.isWhitespace }
            result += redactedRemainder(rest[..<end], toTheEnd: wholeTextIsURL)
            rest = rest[end...]
        }
        return result + String(rest)
    }

    /// What follows `scheme://`, up to the end of the text or the next URL.
    private static func redactedRemainder(_ text: Text, toTheEnd: Bool) -> String {
        var text = text
        let authority = text.prefix { !isDelimiter($0) && !"/?#".unicodeScalars.contains($0) }
        if authority.contains(where: { $0 == ":" || $0 == "@" }), let at = text.lastIndex(of: "@") {
            text = text[text.index(after: at)...]
        }
        let query = text.firstIndex { $0 == "?" || $0 == "#" } ?? text.endIndex
        // A question mark in the prose behind a URL starts no query.
        let isInProse = !toTheEnd && text[..<query].contains(where: isDelimiter)
        let secret = secretInPath(text, toTheEnd: toTheEnd)
        let cut = min(isInProse ? text.endIndex : query, secret ?? text.endIndex)
        guard cut < text.endIndex else { return String(text) }
        let tail = toTheEnd ? text[text.endIndex...] : text[cut...].drop { !isDelimiter($0) }
        return String(text[..<cut]) + (cut == secret ? "***" : "?***") + String(tail)
    }

    /// Where the path begins to tell a secret by its name.
    private static func secretInPath(_ text: Text, toTheEnd: Bool) -> Text.Index? {
        let url = toTheEnd ? text : text.prefix { !isDelimiter($0) }
        var index = url.startIndex
        while let equals = url[index...].firstIndex(of: "=") {
            let before = url[..<equals]
            let name = before.suffix(while: \.properties.isAlphabetic)
            let word = String(name).lowercased()
            if secretNames.contains(where: word.hasPrefix) { return name.startIndex }
            index = url.index(after: equals)
        }
        return nil
    }

    private static func isDelimiter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || "\"'<>".unicodeScalars.contains(scalar)
    }

    /// The index behind the first `://`.
    private static func schemeEnd(in text: Text) -> Text.Index? {
        var index = text.startIndex
        while let colon = text[index...].firstIndex(of: ":") {
            if text[colon...].starts(with: "://".unicodeScalars) { return text.index(colon, offsetBy: 3) }
            index = text.index(after: colon)
        }
        return nil
    }

    /// Where the next URL's scheme begins; nothing before it can belong to that URL.
    ///
    /// Its scheme is known and stands behind a blank, a quotation mark or a bracket: any other `://` may be a part of a
    /// password.
    private static func nextURL(in text: Text) -> Text.Index? {
        var index = text.startIndex
        while let end = schemeEnd(in: text[index...]) {
            var start = text.index(end, offsetBy: -3)
            while start > text.startIndex {
                let previous = text.index(before: start)
                let scalar = text[previous]
                guard scalar.isASCII, scalar.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains(scalar)
                else { break }
                start = previous
            }
            let scheme = String(text[start..<text.index(end, offsetBy: -3)]).lowercased()
            if start > text.startIndex, scheme.split(separator: "+").last.map({ schemes.contains(String($0)) }) == true
            {
                let before = text[text.index(before: start)]
                if isDelimiter(before) || "([{".unicodeScalars.contains(before) { return start }
            }
            index = end
        }
        return nil
    }
}

extension Substring.UnicodeScalarView {
    /// The longest end whose scalars all are as `isWanted` says.
    fileprivate func suffix(while isWanted: (Unicode.Scalar) -> Bool) -> Substring.UnicodeScalarView {
        var start = endIndex
        while start > startIndex, isWanted(self[index(before: start)]) { start = index(before: start) }
        return self[start...]
    }
}
