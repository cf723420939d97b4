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
    /// Guessed tokens that are checked in one pass, with the token before them: as many rows as the kernels take without
    /// reading a matrix twice.
    private static let draftTokens = 7

    /// Tokens one after the other, each from the logits of all before it.
    ///
    /// With a draft several tokens come out of one pass where the guess was right. The answer is the same as without:
    /// a guess counts only where it is the likeliest token, and where the two likeliest are so close that rounding could
    /// decide, the token is computed by itself.
    ///
    /// - Parameters:
    ///   - prompt: embeddings, [tokens, hiddenSize], at least one.
    ///   - cache: what came before; holds the prompt and the answer but for its last token afterwards.
    ///   - history: tokens that the repetition penalty knows; grows.
    ///   - expected: tokens that will come, so that the cache makes room once.
    ///   - draft: guesses; used by greedy sampling only.
    ///   - probe: what the last pass looked at, if it is to be known; nil otherwise, and without a draft.
    ///   - isCancelled: asked once a layer.
    ///   - onToken: each token as soon as it is known, with its logits [vocabularySize]; false ends the generation.
    package func generate(
        after prompt: Matrix,
        cache: inout KVCache,
        sampler: inout Sampler,
        history: inout [TokenID],
        expected: Int,
        draft: Draft? = nil,
        probe: AttentionProbe? = nil,
        isCancelled: () -> Bool = { false },
        onToken: (SampledToken, UnsafeBufferPointer<Float>) -> Bool
    ) -> GenerationEnd {
        let draft = sampler.options.isPlainGreedy && probe == nil ? draft : nil
        var answer: [TokenID] = []
        var input = prompt
        /// The tokens behind the first row of `input` that are guesses.
        var guesses: [TokenID] = []
        while true {
            guard cache.count + input.rows <= cache.capacity else { return .contextFull }
            let before = cache.count
            // A guess's row is wanted as well as the last row of what is certain.
            let first = input.rows - guesses.count - 1
            guard
                let hidden = forward(
                    input,
                    cache: &cache,
                    wanted: guesses.isEmpty ? .last : .rows(Array(first..<input.rows)),
                    expected: expected,
                    probe: probe,
                    isCancelled: isCancelled
                )
            else { return .cancelled }
            var end: GenerationEnd?
            var accepted = 0
            var needsPassOfItsOwn = false
            withLogits(hidden) { logits in
                for row in 0...guesses.count {
                    let buffer = UnsafeBufferPointer(
                        start: logits + row * configuration.vocabularySize,
                        count: configuration.vocabularySize
                    )
                    // Rows that were computed beside one another differ by rounding from a row alone.
                    if !guesses.isEmpty, isClose(buffer) {
                        needsPassOfItsOwn = true
                        return
                    }
                    guard let token = sampler.next(buffer.span, history: history) else {
                        end = .noToken
                        return
                    }
                    accepted = row + 1
                    answer.append(token.id)
                    guard onToken(token, buffer) else {
                        end = .enough
                        return
                    }
                    history.append(token.id)
                    if row < guesses.count, guesses[row] != token.id { return }
                }
            }
            // What was guessed wrong, or not looked at, never was.
            cache.roll(backTo: before + first + accepted)
            if let end { return end }
            guard let last = answer.last else { return .noToken }
            guesses = []
            if let draft, !needsPassOfItsOwn {
                guesses = Array(draft.next(after: answer, count: Self.draftTokens))
            }
            let room = cache.capacity - cache.count - 1
            guesses = Array(guesses.prefix(max(0, room)).prefix { $0 < configuration.vocabularySize })
            input = embed(([last] + guesses).map(Int.init))
        }
    }

    /// Whether rounding could decide which of the two likeliest tokens comes.
    private func isClose(_ logits: UnsafeBufferPointer<Float>) -> Bool {
        var first = -Float.infinity, second = -Float.infinity
        for logit in logits {
            if logit > first {
                (first, second) = (logit, first)
            } else if logit > second {
                second = logit
            }
        }
        return first - second < roundingOfLogits
    }
}
