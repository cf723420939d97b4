/// Guesses how an answer goes on from texts that it may repeat: earlier answers about the same face, and itself.
///
/// The last tokens are looked up in those texts, the longest match first; what followed there is the guess (prompt
/// lookup decoding). A guess costs nothing; the model checks all of it in one pass.
package struct Draft: Sendable {
    /// Tokens of a match, at most; a match of one token guesses too often wrong.
    private static let longest = 4
    private static let shortest = 2

    private let texts: [[TokenID]]

    /// - Parameter texts: likely ones first.
    package init(_ texts: [[TokenID]]) {
        self.texts = texts.filter { !$0.isEmpty }
    }

    /// What may follow.
    ///
    /// - Parameters:
    ///   - answer: the tokens until now; before the first, the beginning of the likeliest text is guessed.
    ///   - count: at most.
    package func next(after answer: [TokenID], count: Int) -> ArraySlice<TokenID> {
        guard !answer.isEmpty else { return texts.first?.prefix(count) ?? [] }
        for length in stride(from: min(Self.longest, answer.count), through: min(Self.shortest, answer.count), by: -1) {
            let tail = answer.suffix(length)
            for text in texts {
                if let end = Self.lastMatch(of: tail, in: text[...]) { return text[end...].prefix(count) }
            }
            if answer.count > length, let end = Self.lastMatch(of: tail, in: answer.dropLast()) {
                return answer[end...].prefix(count)
            }
        }
        return []
    }

    /// Where the last occurrence ends, if anything follows it.
    private static func lastMatch(of tail: ArraySlice<TokenID>, in text: ArraySlice<TokenID>) -> Int? {
        guard text.count > tail.count else { return nil }
        var start = text.endIndex - tail.count - 1
        while start >= text.startIndex {
            if text[start..<start + tail.count].elementsEqual(tail) { return start + tail.count }
            start -= 1
        }
        return nil
    }
}
