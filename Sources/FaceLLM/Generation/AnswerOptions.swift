/// How long an answer becomes and how it ends.
package struct AnswerOptions: Sendable, Hashable {
    package enum Length: String, Sendable, CaseIterable {
        /// Up to the end of the first whole sentence.
        case sentence
        /// All that the model says; line breaks end a sentence too, so that lists are cut between their items.
        case paragraph
    }

    package var length: Length
    /// The cap on generated tokens, 1…8192; FaceLLM's own script has 500.
    package var maximumTokens: Int
    /// Whether the text grows by whole sentences, so that a cut never has to take back what was streamed.
    ///
    /// Off, every word is streamed at once: a cut answer then ends in the middle of a sentence, and a repetition stays
    /// up to where it was noticed.
    package var cutsAtSentence: Bool
    package var repetition: RepetitionOptions

    package init(
        length: Length = .paragraph,
        maximumTokens: Int = 500,
        cutsAtSentence: Bool = true,
        repetition: RepetitionOptions = RepetitionOptions()
    ) {
        self.length = length
        self.maximumTokens = maximumTokens
        self.cutsAtSentence = cutsAtSentence
        self.repetition = repetition
    }

    package func validate() throws(GenerationError) {
        try GenerationError.check((1...8192).contains(maximumTokens), "maximumTokens", maximumTokens, "1 to 8192")
        try repetition.validate()
    }
}

/// Why an answer is over.
package enum AnswerEnding: String, Sendable, CaseIterable {
    /// The model ended it, by its stop token or by closing the block of code that holds the answer.
    case endOfText
    /// The one sentence that was wanted is whole.
    case sentence
    case tokenLimit
    /// The model began to repeat itself.
    case repetition
    /// Somebody cancelled or a deadline passed.
    case stopped

    /// Whether the model might have had more to say.
    package var isCut: Bool { self == .tokenLimit || self == .repetition || self == .stopped }
}
