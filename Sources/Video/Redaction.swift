/// Keeps credentials out of everything that people or logs get to see.
package enum Redaction {
    /// `text` with the user name and password of every URL removed, and every query replaced by `?***`.
    ///
    /// Passwords may hold `@`, `/`, `:`, `?`, `%` and blanks, which no URL grammar allows and cameras are given all the
    /// same. So whatever could be a part of one goes: with a `:` or `@` behind the scheme, all up to the *last* `@`.
    /// That may hide a host whose path has an `@`; it never shows a password.
    package static func redact(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let scheme = schemeEnd(in: rest) {
            result += rest[..<scheme]
            rest = rest[scheme...]
            // Nothing before the next URL's scheme can belong to that URL.
            var end = rest.endIndex
            if let next = schemeEnd(in: rest) { end = startOfScheme(endingAt: next, in: rest) }
            let wholeTextIsURL = end == rest.endIndex && !result.contains { $0.isWhitespace }
            result += redactedRemainder(rest[..<end], toTheEnd: wholeTextIsURL)
            rest = rest[end...]
        }
        return result + rest
    }

    /// What follows `scheme://`, up to the end of the text or the next URL.
    private static func redactedRemainder(_ text: Substring, toTheEnd: Bool) -> String {
        var text = text
        let authority = text.prefix { !"/?#\"'<>".contains($0) && !$0.isWhitespace }
        if authority.contains(where: { $0 == ":" || $0 == "@" }), let at = text.lastIndex(of: "@") {
            text = text[text.index(after: at)...]
        }
        guard let query = text.firstIndex(where: { $0 == "?" || $0 == "#" }) else { return String(text) }
        let isDelimiter: (Character) -> Bool = { $0.isWhitespace || "\"'<>".contains($0) }
        // A question mark in the prose behind a URL starts no query.
        if !toTheEnd, text[..<query].contains(where: isDelimiter) { return String(text) }
        let tail = toTheEnd ? "" : text[query...].drop { !isDelimiter($0) }
        return text[..<query] + "?***" + tail
    }

    /// The index behind the first `://`.
    private static func schemeEnd(in text: Substring) -> Substring.Index? {
        var index = text.startIndex
        while let colon = text[index...].firstIndex(of: ":") {
            if text[colon...].hasPrefix("://") { return text.index(colon, offsetBy: 3) }
            index = text.index(after: colon)
        }
        return nil
    }

    private static func startOfScheme(endingAt end: Substring.Index, in text: Substring) -> Substring.Index {
        var start = text.index(end, offsetBy: -3)
        while start > text.startIndex {
            let previous = text.index(before: start)
            guard text[previous].isLetter || text[previous].isNumber || "+-.".contains(text[previous]) else { break }
            start = previous
        }
        return start
    }
}
