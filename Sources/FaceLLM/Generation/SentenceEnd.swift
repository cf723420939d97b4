/// Where sentences end in text that is still being written.
enum SentenceEnd {
    /// What is known about the end of the text.
    enum Tail {
        /// More may follow.
        case open
        /// The output was cut off here, perhaps in the middle of a number or a word.
        case cut
        /// The author ended here.
        case whole
    }

    enum Verdict: Hashable {
        /// The sentence ends before this index, closing quotes and brackets included.
        case end(Int)
        case none
        /// What follows decides, and is not there yet.
        case undecided
    }

    static func isMark(_ scalar: Unicode.Scalar) -> Bool { marks.contains(scalar) }

    private static let marks: Set<Unicode.Scalar> = [".", "!", "?", "…", "。", "！", "？", "｡"]
    /// After these no space is usual.
    private static let wideMarks: Set<Unicode.Scalar> = ["。", "！", "？", "｡"]
    private static let closers: Set<Unicode.Scalar> = [
        "\"", "'", "”", "’", "»", ")", "]", "}", "」", "』", "）", "】", "*", "_",
    ]

    /// Never the end: something always follows.
    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "mx", "dr", "prof", "st", "rev", "hon", "capt", "lt", "sgt", "col", "messrs", "mt",
        "approx", "ca", "cf", "vs", "viz", "resp", "incl", "excl", "esp", "avg", "est", "al", "fig", "figs", "eq",
        "ref",
    ]
    /// The end where a capital letter follows.
    private static let finalAbbreviations: Set<String> = ["etc", "jr", "sr", "inc", "ltd", "co", "corp", "a.m", "p.m"]
    /// Not the end where a number follows.
    private static let numberAbbreviations: Set<String> = ["no", "nos", "nr", "vol", "pp", "sec", "ch"]

    /// Whether the marks at `index` (the first of a run, as in "?!") end a sentence.
    ///
    /// They do when a space, a closing quote or bracket, or the end of the text follows; wide marks always do. They do
    /// not after abbreviations, initials and numbers of a list; nor where the sentence goes on in lower case after an
    /// ellipsis or a quotation.
    static func verdict(_ text: [Unicode.Scalar], at index: Int, tail: Tail) -> Verdict {
        var afterMarks = index
        while afterMarks < text.count, isMark(text[afterMarks]) { afterMarks += 1 }
        var end = afterMarks
        while end < text.count, closers.contains(text[end]) { end += 1 }
        if end == text.count, tail == .open { return .undecided }
        if tail == .whole, text[end...].allSatisfy(\.properties.isWhitespace) { return .end(end) }
        let run = text[index..<afterMarks]
        if run.contains(where: wideMarks.contains) { return .end(end) }
        if end < text.count, !text[end].properties.isWhitespace { return .none }

        let following = following(text, after: end)
        let isEllipsis = run.allSatisfy { $0 == "." || $0 == "…" } && (run.count > 1 || run.first == "…")
        if isEllipsis || end > afterMarks {
            switch following {
            case .scalar(let next): return next.properties.isLowercase ? .none : .end(end)
            case .lineBreak: return .end(end)
            case .nothing: return tail == .open ? .undecided : isEllipsis ? .none : .end(end)
            }
        }
        guard run.count == 1, run.first == "." else { return .end(end) }
        return afterPoint(text, at: index, end: end, following, tail)
    }

    /// A single point: the word before it decides.
    private static func afterPoint(
        _ text: [Unicode.Scalar],
        at index: Int,
        end: Int,
        _ following: Following,
        _ tail: Tail
    ) -> Verdict {
        var start = index
        while start > 0, text[start - 1] == "." || text[start - 1].properties.isAlphanumeric { start -= 1 }
        let word = text[start..<index]
        guard let first = word.first else { return .end(end) }
        let isNumber = word.allSatisfy { $0.properties.numericType != nil }
        // "3." may be the beginning of "3.5".
        if isNumber, tail == .cut, end == text.count { return .none }
        if isNumber || word.count == 1, isLineStart(text, before: start) { return .none }
        if word.count == 1, first.properties.isUppercase { return .none }

        let name = String(String.UnicodeScalarView(word)).lowercased()
        if finalAbbreviations.contains(name) {
            switch following {
            case .scalar(let next): return next.properties.isUppercase ? .end(end) : .none
            case .lineBreak: return .end(end)
            case .nothing: return tail == .open ? .undecided : .none
            }
        }
        if numberAbbreviations.contains(name) {
            switch following {
            case .scalar(let next): return next.properties.numericType == nil ? .end(end) : .none
            case .lineBreak: return .end(end)
            case .nothing: return tail == .open ? .undecided : .end(end)
            }
        }
        return abbreviations.contains(name) || isDotted(word) ? .none : .end(end)
    }

    /// "e.g", "U.S", "J.R.R": single letters with points between them.
    private static func isDotted(_ word: ArraySlice<Unicode.Scalar>) -> Bool {
        word.count >= 3
            && word.enumerated().allSatisfy { $0 % 2 == 1 ? $1 == "." : $1.properties.isAlphabetic }
    }

    /// Whether only a list's or a quotation's markers stand between the line's beginning and `index`.
    private static func isLineStart(_ text: [Unicode.Scalar], before index: Int) -> Bool {
        for scalar in text[..<index].reversed() {
            if scalar == "\n" { return true }
            if !(scalar.properties.isWhitespace || ["-", "*", "#", ">", "(", "_"].contains(scalar)) { return false }
        }
        return true
    }

    private enum Following {
        case nothing, lineBreak
        case scalar(Unicode.Scalar)
    }

    /// The first character that is no space; a quote or bracket that opens is passed over.
    private static func following(_ text: [Unicode.Scalar], after index: Int) -> Following {
        for scalar in text[index...] {
            if scalar == "\n" { return .lineBreak }
            if scalar.properties.isWhitespace || ["\"", "“", "‘", "(", "*", "_"].contains(scalar) { continue }
            return .scalar(scalar)
        }
        return .nothing
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isAlphanumeric: Bool { isAlphabetic || numericType != nil }
}
