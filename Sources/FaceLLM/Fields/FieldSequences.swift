/// What the model reads to answer some fields: one prefix with the image, and after it a sequence for each option.
package struct FieldSequences: Sendable, Hashable {
    package let fields: [Field]
    /// Up to and with the image; the same for all fields.
    package let prefix: ChatPrompt
    /// Question, beginning of the answer and option, field by field in the order of their options.
    package let sequences: [TokenTree.Sequence]

    /// - Parameter facts: what was measured on the face; part of the question.
    package init(
        _ fields: [Field],
        builder: PromptBuilder,
        facts: PerceptionFacts? = nil,
        tokenizer: Tokenizer
    ) throws(ChatPromptError) {
        self.fields = fields
        prefix = builder.prompt(builder.face("")).splitAfterImages.images
        var sequences: [TokenTree.Sequence] = []
        for field in fields {
            let messages = builder.face(field.question, facts: facts)
            func tokens(_ answer: String) throws(ChatPromptError) -> [TokenID] {
                let rest = builder.prompt(messages, answer: answer).splitAfterImages.rest
                return try tokenizer.encode(rest, tiles: [], tokensPerTile: 1)
            }
            // A phrase follows a space or the line break before the answer, where a piece ends in any case: so the
            // tokens of the stem alone are a beginning of those with a phrase.
            let context = try tokens(field.stem).count
            for option in field.options {
                sequences.append(TokenTree.Sequence(try tokens(field.answer(option)), contextCount: context))
            }
        }
        self.sequences = sequences
    }

    /// The fields' probabilities.
    ///
    /// - Parameters:
    ///   - options: what the model gave for each of `sequences`.
    ///   - baseline: the same for an image without content; nil leaves the scores uncalibrated.
    package func scores(
        _ options: [ChoiceScores.Option],
        baseline: [ChoiceScores.Option]? = nil,
        normalization: ChoiceScores.Normalization = .meanPerToken,
        temperature: Double = 1
    ) throws(ChoiceError) -> [FieldScores] {
        guard options.count == sequences.count, baseline == nil || baseline?.count == options.count else {
            throw .optionCount(options: options.count, baselines: baseline?.count)
        }
        var result: [FieldScores] = []
        var start = 0
        for field in fields {
            let range = start..<start + field.options.count
            let scores = try ChoiceScores(
                Array(options[range]),
                baseline: baseline.map { Array($0[range]) },
                normalization: normalization,
                temperature: temperature
            )
            result.append(FieldScores(field, scores))
            start = range.upperBound
        }
        return result
    }
}
