extension Engine {
    /// The image tokens of a picture, [tokens, hiddenSize].
    package func features(of tiles: PixelTiles) throws(EngineError) -> Matrix {
        try features(of: tiles, key: ContentKey(tiles), run: Run(stop: StopCondition()))
    }

    /// The logits of the question's tokens behind the pictures, [tokens, vocabularySize]; the last are of the answer.
    package func promptLogits(_ messages: [ChatMessage], pictures: [PixelTiles]) throws(EngineError) -> Matrix {
        let run = Run(stop: StopCondition())
        var prepared = try prepare(builder.prompt(messages), pictures: pictures, run: run)
        let embeddings = model.language.embed(prepared.rest)
        guard let hidden = model.language.forward(embeddings, cache: &prepared.cache) else { throw run.interruption }
        return model.language.logits(hidden)
    }

    /// The likeliest tokens one after the other, ends of text passed over.
    package func greedyTokens(
        _ messages: [ChatMessage],
        pictures: [PixelTiles],
        count: Int
    ) throws(EngineError) -> [Int] {
        let run = Run(stop: StopCondition())
        var prepared = try prepare(builder.prompt(messages), pictures: pictures, run: run)
        var tokens: [Int] = []
        var history: [TokenID] = []
        do throws(GenerationError) {
            var sampler = try Sampler()
            _ = model.language.generate(
                after: model.language.embed(prepared.rest),
                cache: &prepared.cache,
                sampler: &sampler,
                history: &history,
                expected: count,
                onToken: { token, _ in
                    tokens.append(Int(token.id))
                    return tokens.count < count
                }
            )
        } catch {
            throw EngineError(.answer, reason: error.description)
        }
        return tokens
    }
}
