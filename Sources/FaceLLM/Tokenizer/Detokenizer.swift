/// Text from tokens as they are generated: what has been said up to now, never half a character.
///
/// The pieces put together are exactly what `Tokenizer.decode` gives for all tokens at once.
package struct Detokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    /// At most three bytes: the beginning of a character.
    private var pending: [UInt8] = []

    package init(_ tokenizer: Tokenizer, skipsSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipsSpecialTokens = skipsSpecialTokens
    }

    /// The text that `id` completes; empty while a character waits for more bytes.
    package mutating func append(_ id: TokenID) -> String {
        tokenizer.append(id, skipsSpecialTokens: skipsSpecialTokens, to: &pending)
        let whole = pending.count - UTF8Scalars.incompleteTail(pending)
        defer { pending.removeFirst(whole) }
        return String(decoding: pending[..<whole], as: UTF8.self)
    }

    /// What is left at the end: U+FFFD for a character that was not completed.
    ///
    /// A new text may follow.
    package mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }
}
