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
        // An empty text is something else than nothing; readers that know the difference see it by the quotes.
        let needsQuotes =
            text.isEmpty
            || text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" || $0 == "\0" }
            || text.first == " " || text.last == " "
        guard needsQuotes else { return text }
        var result = "\""
        for scalar in text.unicodeScalars where scalar != "\0" {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
