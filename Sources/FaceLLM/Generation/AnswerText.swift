/// Puts an answer together while its tokens come, and says when it is over.
///
/// The pieces that `append` and `finish` return are, one after the other, exactly `text`: nothing is taken back. They
/// never hold half a character, a special token, white space at either end of the answer or the fence of a block of
/// code around all of it.
///
/// With `cutsAtSentence` a piece is one or several whole sentences; a sentence is held back until the beginning of the
/// next shows that it is over, and a short one that was there before until something new follows. Where generation is
/// cut off, the text ends with its last whole sentence; without one, with its last whole word and "…".
package struct AnswerText: Sendable {
    private let options: AnswerOptions
    private var detokenizer: Detokenizer
    private var fence = FenceFilter()
    private var repetitions: RepetitionDetector

    /// All that the model has said, without the fence.
    private var said: [Unicode.Scalar] = []
    /// The length of `said` before each token.
    private var lengths: [Int] = []
    /// Up to where `said` has been searched for ends of sentences.
    private var searched = 0
    /// The beginning of the sentence that is not over.
    private var sentenceStart = 0
    /// The end of the last whole sentence that says something new.
    private var lastEnd = 0
    /// How much of `said` is in `text`, or was left out at its beginning.
    private var streamed = 0

    /// The answer up to now.
    package private(set) var text = ""
    /// Why the answer is over; nil while tokens are welcome.
    package private(set) var ending: AnswerEnding?
    /// The tokens taken, special ones included.
    package var tokenCount: Int { lengths.count }

    package init(_ tokenizer: Tokenizer, options: AnswerOptions = AnswerOptions()) throws(GenerationError) {
        try options.validate()
        self.options = options
        detokenizer = Detokenizer(tokenizer)
        repetitions = try RepetitionDetector(options.repetition)
    }

    /// Takes the next token, which is not the stop token; the piece of text that is certain now.
    ///
    /// Look at `ending` afterwards: once it is set, further tokens are ignored.
    package mutating func append(_ id: TokenID) -> String {
        if ending != nil { return "" }
        lengths.append(said.count)
        for scalar in detokenizer.append(id).unicodeScalars { fence.append(scalar, to: &said) }
        if fence.isClosed { return finish(.endOfText) }
        search(.open)
        if let ending { return close(ending) }
        if let repetition = repetitions.append(id) { return close(.repetition, cut: lengths[repetition.secondStart]) }
        if lengths.count == options.maximumTokens { return finish(.tokenLimit) }
        return stream(to: options.cutsAtSentence ? lastEnd : endWithoutSpace(searched))
    }

    /// Ends the answer; the last piece of text.
    ///
    /// - Parameter reason: `.endOfText` for the model's stop token, `.stopped` for the caller's own reasons.
    ///   `ending` may say `.sentence` or `.repetition` instead, when the end shows that it was that.
    package mutating func finish(_ reason: AnswerEnding) -> String {
        if ending != nil { return "" }
        fence.finish(&said)
        search(reason.isCut ? .cut : .whole)
        return close(ending ?? reason)
    }

    // MARK: - Sentences

    /// Looks for ends of sentences in what is new.
    private mutating func search(_ tail: SentenceEnd.Tail) {
        while ending == nil, searched < said.count {
            if SentenceEnd.isMark(said[searched]) {
                switch SentenceEnd.verdict(said, at: searched, tail: tail) {
                case .undecided: return
                case .none: searched += said[searched...].prefix(while: SentenceEnd.isMark).count
                case .end(let end):
                    searched = end
                    take(sentence: sentenceStart..<end)
                }
            } else {
                if options.length == .paragraph, said[searched] == "\n", isWholeLine(sentenceStart..<searched) {
                    take(sentence: sentenceStart..<endWithoutSpace(searched))
                }
                searched += 1
            }
        }
    }

    private mutating func take(sentence range: Range<Int>) {
        let sentence = said[range]
        guard sentence.contains(where: \.properties.isAlphabetic) else { return }
        sentenceStart = range.upperBound
        switch repetitions.append(sentence: Self.string(sentence)) {
        case .repeated: ending = .repetition
        case .familiar: break
        case .new:
            lastEnd = range.upperBound
            if options.length == .sentence { ending = .sentence }
        }
    }

    /// Whether a line that ends without a mark is a statement of its own and not the beginning of one.
    private func isWholeLine(_ range: Range<Int>) -> Bool {
        let last = said[range].last { !($0.properties.isWhitespace || $0 == "*" || $0 == "_") }
        guard let last else { return false }
        return ![":", ",", ";", "-", "–", "—", "："].contains(last)
    }

    // MARK: - The end

    /// - Parameter cut: where a repetition in the middle of a sentence begins.
    private mutating func close(_ reason: AnswerEnding, cut: Int? = nil) -> String {
        ending = reason
        if !options.cutsAtSentence {
            return stream(to: reason == .sentence ? lastEnd : endWithoutSpace(said.count))
        }
        switch reason {
        case .endOfText: return stream(to: endWithoutSpace(said.count))
        case .sentence: return stream(to: lastEnd)
        case .tokenLimit, .repetition, .stopped:
            if lastEnd > 0 { return stream(to: lastEnd) }
            let words = stream(to: endOfWords(cut ?? said.count))
            if words.isEmpty { return "" }
            text += "…"
            return words + "…"
        }
    }

    /// The end of the last whole word before `end`, without the marks after it; of the only word, if there is one.
    private func endOfWords(_ end: Int) -> Int {
        var end = end
        if end > 0, !isBetweenWords(end), let space = said[..<end].lastIndex(where: \.properties.isWhitespace),
            said[..<space].contains(where: \.properties.isAlphabetic)
        {
            end = space
        }
        while end > 0, said[end - 1].properties.isWhitespace || Self.dangling.contains(said[end - 1]) { end -= 1 }
        return end
    }

    /// Whether the word before `end` is known to be whole.
    private func isBetweenWords(_ end: Int) -> Bool {
        let last = said[end - 1]
        if last.properties.isWhitespace || [",", ";", ":", ")"].contains(last) { return true }
        return end < said.count && said[end].properties.isWhitespace
    }

    /// What does not stand before "…".
    private static let dangling: Set<Unicode.Scalar> = [
        ".", ",", ";", ":", "…", "-", "–", "—", "(", "[", "{", "\"", "“", "‘", "'", "*", "_", "#", "`",
    ]

    private func endWithoutSpace(_ end: Int) -> Int {
        var end = end
        while end > 0, said[end - 1].properties.isWhitespace { end -= 1 }
        return end
    }

    /// Moves what is new up to `end` into `text`.
    private mutating func stream(to end: Int) -> String {
        if text.isEmpty {
            while streamed < end, said[streamed].properties.isWhitespace { streamed += 1 }
        }
        guard end > streamed else { return "" }
        let piece = Self.string(said[streamed..<end])
        streamed = end
        text += piece
        return piece
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}
