/// Why a model stopped before its caller did.
package enum GenerationEnd: Sendable, Hashable {
    /// The caller had enough.
    case enough
    case cancelled
    /// The cache is full.
    case contextFull
    /// No token is possible: the logits are not numbers.
    case noToken
}

extension LanguageModel {
    /// Tokens one after the other, each from the logits of all before it.
    ///
    /// - Parameters:
    ///   - prompt: embeddings, [tokens, hiddenSize], at least one.
    ///   - cache: what came before; holds the prompt and the answer but for its last token afterwards.
    ///   - history: tokens that the repetition penalty knows; grows.
    ///   - expected: tokens that will come, so that the cache makes room once.
    ///   - probe: what the last pass looked at, if it is to be known; nil otherwise.
    ///   - isCancelled: asked once a layer.
    ///   - onToken: each token as soon as it is known, with its logits [vocabularySize]; false ends the generation.
    package func generate(
        after prompt: Matrix,
        cache: inout KVCache,
        sampler: inout Sampler,
        history: inout [TokenID],
        expected: Int,
        probe: AttentionProbe? = nil,
        isCancelled: () -> Bool = { false },
        onToken: (SampledToken, UnsafeBufferPointer<Float>) -> Bool
    ) -> GenerationEnd {
        var input = prompt
        while true {
            guard cache.count + input.rows <= cache.capacity else { return .contextFull }
            guard
                let hidden = forward(
                    input,
                    cache: &cache,
                    wanted: .last,
                    expected: expected,
                    probe: probe,
                    isCancelled: isCancelled
                )
            else { return .cancelled }
            let next = withLogits(hidden) { logits -> (SampledToken, Bool)? in
                let buffer = UnsafeBufferPointer(start: logits, count: configuration.vocabularySize)
                guard let token = sampler.next(buffer.span, history: history) else { return nil }
                return (token, onToken(token, buffer))
            }
            guard let (token, goesOn) = next else { return .noToken }
            guard goesOn else { return .enough }
            history.append(token.id)
            input = embed([Int(token.id)])
        }
    }
}
