/// Rows of a table as RFC 4180 has them: fields between commas, CR LF behind each row, quotes where needed.
package enum CSV {
    package enum Field: Sendable, Hashable {
        case text(String)
        case number(Double)
        case whole(Int)
        /// Not measured: an empty field, without quotes.
        case none

        package init(_ number: Double?) { self = number.map { $0.isFinite ? .number($0) : .none } ?? .none }
        package init(_ whole: Int?) { self = whole.map { .whole($0) } ?? .none }
        package init(_ text: String?) { self = text.map { .text($0) } ?? .none }
    }

    package static func row(_ fields: [Field]) -> String {
        fields.map(text).joined(separator: ",") + "\r\n"
    }

    private static func text(_ field: Field) -> String {
        switch field {
        case .none: ""
        case .whole(let number): "\(number)"
        // The shortest decimal that reads back as the same number.
        case .number(let number): number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
        case .text(let text): quoted(text)
        }
    }

    private static func quoted(_ text: String) -> String {
        let text = plain(text)
        // An empty text is something else than nothing; readers that know the difference see it by the quotes.
        let needsQuotes =
            text.isEmpty || text.unicodeScalars.contains { isSpecial($0) } || text.first == " " || text.last == " "
        guard needsQuotes else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// Some readers end a row at any of Unicode's line breaks.
    private static func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ",", "\"", "\n", "\r", "\t", "\u{85}", "\u{2028}", "\u{2029}", "\u{FFFD}": true
        default: false
        }
    }

    /// A text that neither a spreadsheet nor a terminal carries out.
    ///
    /// A spreadsheet takes a field for a formula, quotes or not, when its first sign says so, and a formula can start
    /// programs and send other fields away. An apostrophe in front makes it a text for all of them; OWASP's advice.
    /// Control characters, which RFC 4180 does not allow, become the sign for what cannot be shown.
    private static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t", "\u{85}": result.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        let first = result.unicodeScalars.first { !$0.properties.isWhitespace }
        switch first {
        // Also in the full width that East Asian settings read the same.
        case "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}": return "'" + result
        default: return result
        }
    }
}
