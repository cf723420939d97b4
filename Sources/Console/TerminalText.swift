/// Words from outside as a terminal may show them.
package enum TerminalText {
    /// Without what moves the cursor, changes colours or the title, or turns the direction of writing: blanks stand in
    /// its place.
    ///
    /// Names of files and cameras, reasons of servers and sentences of a model go to terminals; each could hold escape
    /// sequences, in seven bits or, as single characters from U+0080, in eight.
    ///
    /// - Parameter keepsLines: for texts of several lines of our own; else a line break becomes a blank too.
    package static func plain(_ text: String, keepsLines: Bool = false) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if keepsLines, scalar == "\n" || scalar == "\t" {
                result.unicodeScalars.append(scalar)
            } else {
                result.unicodeScalars.append(isHarmless(scalar) ? scalar : " ")
            }
        }
        return result
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": false
        // Line and paragraph separators.
        case "\u{2028}", "\u{2029}": false
        // Embeddings, overrides and isolates of direction, and the marks that alone change it.
        case "\u{61C}", "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": false
        default: true
        }
    }
}
