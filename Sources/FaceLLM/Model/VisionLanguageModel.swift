/// InternVL3: tiles become tokens, tokens become text.
package struct VisionLanguageModel: Sendable {
    package let configuration: ModelConfiguration
    package let vision: VisionTower
    package let language: LanguageModel

    /// Reads all weights, widened to f32.
    package init(_ source: some WeightSource, configuration: ModelConfiguration) throws(CheckpointError) {
        self.configuration = configuration
        vision = try VisionTower(source, configuration: configuration)
        language = try LanguageModel(source, configuration: configuration)
    }

    /// The embeddings of a prompt, the image's features in place of its `<IMG_CONTEXT>` tokens, in order.
    ///
    /// - Parameters:
    ///   - ids: the prompt's tokens.
    ///   - imageToken: the id that stands for an image token.
    ///   - features: [image tokens, hiddenSize], as many as the prompt has places.
    /// - Returns: [ids.count, hiddenSize]; nil where places and features differ in number.
    package func embed(_ ids: [Int], imageToken: Int, features: Matrix?) -> Matrix? {
        var embeddings = language.embed(ids)
        let places = ids.indices.filter { ids[$0] == imageToken }
        guard places.count == features?.rows ?? 0 else { return nil }
        guard let features else { return embeddings }
        let width = embeddings.columns
        for (row, place) in places.enumerated() {
            embeddings.values.replaceSubrange(
                place * width..<(place + 1) * width,
                with: features.values[row * width..<(row + 1) * width]
            )
        }
        return embeddings
    }

    /// Why generation stopped.
    package enum StopReason: Sendable, Hashable {
        case stopToken, tokenLimit, cancelled
    }

    /// The likeliest token again and again.
    ///
    /// - Parameters:
    ///   - prompt: embeddings, [tokens, hiddenSize].
    ///   - cache: what came before; holds the prompt and the answer but for its last token afterwards.
    ///   - stopIDs: a token of these ends the answer and belongs to it.
    ///   - onToken: each token as soon as it is known, with its logits.
    package func generateGreedily(
        _ prompt: Matrix,
        cache: inout KVCache,
        limit: Int,
        stopIDs: Set<Int>,
        isCancelled: () -> Bool = { false },
        onToken: (Int, [Float]) -> Void = { _, _ in }
    ) -> (ids: [Int], reason: StopReason) {
        var ids: [Int] = []
        var input = prompt
        while ids.count < limit {
            guard let hidden = language.forward(input, cache: &cache, isCancelled: isCancelled), hidden.rows > 0 else {
                return (ids, .cancelled)
            }
            let logits = language.logits(hidden.rows(hidden.rows - 1..<hidden.rows)).values
            // The first of equals, as argmax has it.
            var best = 0
            for index in logits.indices where logits[index] > logits[best] { best = index }
            ids.append(best)
            onToken(best, logits)
            if stopIDs.contains(best) { return (ids, .stopToken) }
            input = language.embed([best])
        }
        return (ids, .tokenLimit)
    }
}
