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
        let vocabulary = configuration.vocabularySize
        var answer: [TokenID] = []
        answer.reserveCapacity(expected + Self.draftTokens)
        history.reserveCapacity(history.count + expected + Self.draftTokens)
        /// What the next pass computes: the last certain token, and guesses behind it. Empty for the prompt.
        var input: [Int] = []
        input.reserveCapacity(1 + Self.draftTokens)
        while true {
            let rows = input.isEmpty ? prompt.rows : input.count
            guard cache.count + rows <= cache.capacity else { return .contextFull }
            let before = cache.count
            let guesses = max(0, input.count - 1)
            let logits: UnsafeMutablePointer<Float>?
            if input.isEmpty {
                let hidden = forward(
                    prompt,
                    cache: &cache,
                    wanted: .last,
                    expected: expected,
                    probe: probe,
                    isCancelled: isCancelled
                )
                logits = hidden.map { withLogits($0) { $0 } }
            } else {
                logits = nextLogits(input, cache: &cache, expected: expected, probe: probe, isCancelled: isCancelled)
            }
            guard let logits else { return .cancelled }
            var end: GenerationEnd?
            var accepted = 0
            var needsPassOfItsOwn = false
            for row in 0...guesses {
                let buffer = UnsafeBufferPointer(start: logits + row * vocabulary, count: vocabulary)
                // Rows that were computed beside one another differ by rounding from a row alone.
                if guesses > 0, isClose(buffer) {
                    needsPassOfItsOwn = true
                    break
                }
                guard let token = sampler.next(buffer.span, history: history) else {
                    end = .noToken
                    break
                }
                accepted = row + 1
                answer.append(token.id)
                guard onToken(token, buffer) else {
                    end = .enough
                    break
                }
                history.append(token.id)
                if row < guesses, input[row + 1] != Int(token.id) { break }
            }
            // What was guessed wrong, or not looked at, never was.
            cache.roll(backTo: before + rows - guesses - 1 + accepted)
            if let end { return end }
            if answer.isEmpty { return .noToken }
            input.removeAll(keepingCapacity: true)
            input.append(Int(answer[answer.count - 1]))
            guard let draft, !needsPassOfItsOwn else { continue }
            let room = max(0, cache.capacity - cache.count - 1)
            for guess in draft.next(after: answer, count: min(Self.draftTokens, room)) {
                if guess >= vocabulary { break }
                input.append(Int(guess))
            }
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
