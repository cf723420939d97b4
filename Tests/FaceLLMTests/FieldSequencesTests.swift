import FaceLLM
import Testing

@Suite struct FieldSequencesTests {
    private static func tokenizer() throws -> Tokenizer {
        let added = ["<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>"].enumerated().map {
            "{\"id\":\(260 + $0),\"content\":\"\($1)\",\"special\":true,\"normalized\":false}"
        }
        let folder = try TokenizerFolder()
        try folder.write(SmallVocabulary.tokenizerJSON(added: added.joined(separator: ",")), "tokenizer.json")
        return try Tokenizer(folder: folder.path)
    }

    private let fields = [
        Field("one", stem: "It is", options: ["ab", Field.Option("b", "abc d")]),
        Field("two", question: "Which?", stem: "", options: ["x", "y", "z"]),
    ]

    @Test func sequencesContinueThePrefix() throws {
        let tokenizer = try Self.tokenizer()
        let builder = PromptBuilder()
        let facts = PerceptionFacts(eyes: .closed)
        let made = try FieldSequences(fields, builder: builder, facts: facts, tokenizer: tokenizer)
        #expect(made.sequences.count == 5)
        let prefix = try tokenizer.encode(made.prefix, tiles: [1], tokensPerTile: 4)
        #expect(tokenizer.decode(prefix).hasSuffix("</img>"))
        for (field, first) in zip(fields, [0, 2]) {
            for (index, option) in field.options.enumerated() {
                let sequence = made.sequences[first + index]
                let whole = builder.prompt(
                    builder.face(field.question, facts: facts),
                    answer: field.answer(option)
                )
                #expect(try prefix + sequence.tokens == tokenizer.encode(whole, tiles: [1], tokensPerTile: 4))
                let scored = tokenizer.decode(sequence.tokens.dropFirst(sequence.contextCount))
                #expect(scored == (field.stem.isEmpty ? option.phrase : " \(option.phrase)"))
            }
        }
    }

    /// Whatever stands at the joint, exactly the phrase is scored.
    @Test func onlyThePhraseIsScored() throws {
        let tokenizer = try Self.tokenizer()
        let phrases = ["ab", "\u{0301}b", "3", "'s", "!", "...", "睁开", "\u{1161}", "<|im_end|>", "-ab"]
        let options = phrases.enumerated().map { Field.Option("v\($0)", $1) }
        for stem in ["", "é", "It's", "a!", "3", "眼睛", "ab -", "\u{1100}"] {
            let field = Field("x", stem: stem, options: options)
            let sequences = try FieldSequences([field], builder: PromptBuilder(), tokenizer: tokenizer).sequences
            for (sequence, phrase) in zip(sequences, phrases) {
                let scored = tokenizer.decode(sequence.tokens.dropFirst(sequence.contextCount))
                #expect(utf8(scored) == utf8(stem.isEmpty ? phrase : " \(phrase)"), "\(stem) + \(phrase)")
            }
        }
    }

    @Test func scoresGoToTheirFields() throws {
        let made = try FieldSequences(fields, builder: PromptBuilder(), tokenizer: try Self.tokenizer())
        let options = [-1, -3, -3, -2, -1].map { ChoiceScores.Option(logProbability: $0, tokens: 1) }
        let scores = try made.scores(options)
        #expect(scores.map(\.field) == ["one", "two"])
        #expect(scores.map { $0.values.map(\.value) } == [["ab", "b"], ["x", "y", "z"]])
        #expect(scores.map { $0.best?.value } == ["ab", "z"])
        for field in scores { #expect(abs(field.values.reduce(0) { $0 + $1.probability } - 1) < 1e-12) }
        let calibrated = try made.scores(options, baseline: options)
        #expect(calibrated[0].values.map(\.probability) == [0.5, 0.5])
        #expect(throws: ChoiceError.optionCount(options: 4, baselines: nil)) {
            try made.scores(Array(options.dropLast()))
        }
        #expect(throws: ChoiceError.optionCount(options: 5, baselines: 1)) {
            try made.scores(options, baseline: [options[0]])
        }
    }
}
