/// How the next token is chosen; the defaults are greedy, as FaceLLM's own script decodes.
///
/// Names and meanings are those of `transformers`; a filter at its default does nothing.
package struct SamplingOptions: Sendable, Hashable {
    /// What the logits are divided by, 0…100; 0 takes the most probable token and ignores the three filters.
    package var temperature: Float
    /// How many of the most probable tokens stay, all that equal the last of them included; 0 is all.
    package var topK: Int
    /// The smallest set of the most probable tokens with at least this mass stays, above 0 up to 1.
    package var topP: Float
    /// Tokens less probable than this part of the most probable one go, 0…1.
    package var minP: Float
    /// What logits of tokens in the history are divided by (above zero) or multiplied by (below zero); 1 is none.
    ///
    /// 0.01…100. Below 1 it rewards repetition.
    package var repetitionPenalty: Float
    /// How many tokens at the end of the history the penalty looks at; nil is all.
    package var repetitionWindow: Int?
    /// Same seed, same logits: same tokens.
    package var seed: UInt64

    package init(
        temperature: Float = 0,
        topK: Int = 0,
        topP: Float = 1,
        minP: Float = 0,
        repetitionPenalty: Float = 1,
        repetitionWindow: Int? = nil,
        seed: UInt64 = 0
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.repetitionWindow = repetitionWindow
        self.seed = seed
    }

    /// Whether the likeliest token comes, whatever came before.
    package var isPlainGreedy: Bool { temperature == 0 && repetitionPenalty == 1 }

    /// Throws for the first option outside of its range; NaN is outside of every range.
    package func validate() throws(GenerationError) {
        try GenerationError.check((0...100).contains(temperature), "temperature", temperature, "0 to 100")
        try GenerationError.check(topK >= 0, "topK", topK, "0 or more")
        try GenerationError.check(topP > 0 && topP <= 1, "topP", topP, "above 0, at most 1")
        try GenerationError.check((0...1).contains(minP), "minP", minP, "0 to 1")
        try GenerationError.check(
            (0.01...100).contains(repetitionPenalty),
            "repetitionPenalty",
            repetitionPenalty,
            "0.01 to 100"
        )
        if let window = repetitionWindow {
            try GenerationError.check(window >= 1, "repetitionWindow", window, "1 or more, or none")
        }
    }
}
