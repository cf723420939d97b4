import Glibc
import Testing

@testable import FaceLLM

/// Closed questions against the slow way: each answer by itself, token by token.
@Suite struct EngineChoiceTests {
    private static let answers = ["a", "a cat", "a cat on a mat", "dog"]

    /// The log-probability of an answer behind the prompt, by a pass for it alone.
    private func reference(_ answer: String, _ engine: Engine, _ tiles: PixelTiles) throws -> (Double, Int) {
        let messages = engine.builder.face("What is it?")
        let tokensPerTile = engine.checkpoint.configuration.imageTokensPerTile
        func ids(_ prompt: ChatPrompt) throws -> [Int] {
            try engine.tokenizer.encode(prompt, tiles: [tiles.count], tokensPerTile: tokensPerTile).map(Int.init)
        }
        let context = try ids(engine.builder.prompt(messages))
        let whole = try ids(engine.builder.prompt(messages, answer: answer))
        let image = try #require(engine.tokenizer.id(of: ChatPrompt.imageToken))
        let features = try #require(engine.model.vision.encode(tiles.values))
        let embeddings = try #require(engine.model.embed(whole, imageToken: Int(image), features: features))
        var cache = engine.model.language.makeCache(capacity: 512)
        let hidden = try #require(engine.model.language.forward(embeddings, cache: &cache))
        let logits = engine.model.language.logits(hidden)
        var sum = 0.0
        for place in context.count..<whole.count {
            let row = logits.row(place - 1).map(Double.init)
            let highest = row.max() ?? 0
            let total = row.reduce(0) { $0 + exp($1 - highest) }
            sum += row[whole[place]] - highest - log(total)
        }
        return (sum, whole.count - context.count)
    }

    @Test("the tree gives what passes for each answer give")
    func tree() throws {
        let engine = try EngineFixtures.engine()
        let tiles = try engine.tiles(of: try EngineFixtures.picture(1))
        var expected: [ChoiceScores.Option] = []
        for answer in Self.answers {
            let (sum, tokens) = try reference(answer, engine, tiles)
            expected.append(ChoiceScores.Option(logProbability: sum, tokens: tokens))
        }
        for normalization in [ChoiceScores.Normalization.meanPerToken, .sum] {
            var options = ChoiceOptions()
            options.normalization = normalization
            let (scores, _) = try engine.choose(
                engine.builder.face("What is it?"),
                answers: Self.answers,
                pictures: [tiles],
                options: options
            )
            let slow = try ChoiceScores(expected, normalization: normalization)
            for (fast, slow) in zip(scores.probabilities, slow.probabilities) { #expect(abs(fast - slow) < 1e-4) }
            #expect(abs(scores.probabilities.reduce(0, +) - 1) < 1e-9)
            #expect(scores.best == slow.best)
        }
    }

    @Test("calibrated: the empty picture prefers nothing")
    func calibration() throws {
        let engine = try EngineFixtures.engine()
        var options = ChoiceOptions()
        options.isCalibrated = true
        let tiles = try engine.tiles(of: try EngineFixtures.picture(2))
        let empty = try engine.choose(
            engine.builder.face("What is it?"),
            answers: Self.answers,
            pictures: [tiles.emptied],
            options: options
        ).scores
        for probability in empty.probabilities { #expect(abs(probability - 0.25) < 1e-6) }
        let plain = try engine.signature(try EngineFixtures.picture(2))
        let calibrated = try engine.signature(try EngineFixtures.picture(2), options: options)
        #expect(plain != calibrated)
        #expect(try engine.signature(try EngineFixtures.picture(2), options: options) == calibrated)
    }

    @Test("all built-in fields about one picture, each with probabilities that add up")
    func builtInFields() throws {
        let engine = try EngineFixtures.engine()
        let tiles = try engine.tiles(of: try EngineFixtures.picture(3))
        let fields = try engine.answer(.builtIn, rules: try ConsistencyRules(), picture: tiles)
        #expect(fields.scores.map(\.field) == FieldCatalogue.builtIn.fields.map(\.name))
        for scores in fields.scores {
            #expect(abs(scores.values.reduce(0) { $0 + $1.probability } - 1) < 1e-9, "\(scores.field)")
        }
        #expect(fields.answers.count == fields.scores.count)
        #expect(fields.timings.picturesEncoded == 1)
        // One by one, fields have the same probabilities as together.
        for name in ["eyes", "glasses", "hair_color"] {
            let catalogue = try FieldCatalogue.builtIn.selecting([name])
            let alone = try engine.answer(catalogue, rules: try ConsistencyRules(), picture: tiles)
            let together = try #require(fields.scores.first { $0.field == name })
            for (one, other) in zip(try #require(alone.scores.first).values, together.values) {
                #expect(abs(one.probability - other.probability) < 1e-4, "\(name) \(one.value)")
            }
        }
    }

    @Test("a field of a user's own, asked only where another says so")
    func userField() throws {
        let json = """
            {"fields": [{"name": "earrings", "stem": "The person wears",
                         "options": [{"value": "none", "phrase": "no earrings"}, {"value": "earrings"}]},
                        {"name": "lens", "stem": "The lenses are", "asked_when": {"field": "glasses", "values": ["none"]},
                         "options": [{"value": "round"}, {"value": "square"}]}]}
            """
        let (catalogue, rules) = try UserFields(json: Array(json.utf8)).resolved()
        let engine = try EngineFixtures.engine()
        var asked: Set<Bool> = []
        for seed: UInt64 in 1...12 {
            let answers = try engine.answer(
                try catalogue.selecting(["glasses", "earrings", "lens"]),
                rules: rules,
                picture: try engine.tiles(of: try EngineFixtures.picture(seed))
            )
            #expect(answers.scores.contains { $0.field == "earrings" })
            let glasses = try #require(answers.scores.first { $0.field == "glasses" }?.best?.value)
            let hasLens = answers.scores.contains { $0.field == "lens" }
            #expect(hasLens == (glasses == "none"))
            asked.insert(hasLens)
        }
        #expect(!asked.isEmpty)
    }

    @Test("an answer of tokens that the model does not have is refused")
    func beyondVocabulary() throws {
        let engine = try EngineFixtures.engine { $0.contextLimit = 64 }
        let tiles = try engine.tiles(of: try EngineFixtures.picture(1))
        let long = String(repeating: "word ", count: 200)
        #expect(throws: EngineError.self) {
            try engine.choose(engine.builder.face("What?"), answers: [long, "b"], pictures: [tiles])
        }
        #expect(throws: EngineError.self) {
            try engine.describe(engine.builder.prompt(engine.builder.face(long)), pictures: [tiles])
        }
    }
}
