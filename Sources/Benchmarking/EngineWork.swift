package import FaceLLM

/// How the products with weights are computed.
///
/// Products among activations (attention) are single precision either way.
package enum Arithmetic: String, Sendable, Hashable, Codable {
    /// Multiply-adds in single precision; weights of 16 bits are widened.
    case float32
    /// 8-bit products accumulated in 32 bits.
    case int8
}

/// What a part of the model has to compute and to read, whoever computes it.
///
/// Counted are matrix products; norms, activations, softmax, rotary positions and copies are not: an engine has to hide
/// them.
package struct EngineWork: Sendable, Hashable, Codable {
    /// Multiply-adds of activations with weights.
    package var weightProducts: Double
    /// Multiply-adds of activations with each other: scores, and the weighted sums of values.
    package var attentionProducts: Double
    /// Bytes of weights to be read from memory; 0 where the work per weight is so much that reading does not count.
    package var weightBytes: Double

    package init(weightProducts: Double, attentionProducts: Double, weightBytes: Double = 0) {
        self.weightProducts = weightProducts
        self.attentionProducts = attentionProducts
        self.weightBytes = weightBytes
    }

    /// A multiply-add counts as two.
    package var operations: Double { 2 * (weightProducts + attentionProducts) }

    /// The least time in seconds that a machine of these limits takes.
    ///
    /// Computing at the peaks, one after the other, or reading the weights, whichever takes longer.
    package func floor(_ limits: MachineLimits, _ arithmetic: Arithmetic) -> Double {
        let peak = arithmetic == .int8 ? limits.int8OperationsPerSecond : limits.float32OperationsPerSecond
        let computing = 2 * weightProducts / peak + 2 * attentionProducts / limits.float32OperationsPerSecond
        return max(computing, weightBytes / limits.readBytesPerSecond)
    }
}

extension EngineWork {
    /// One tile through the vision tower and the projector.
    ///
    /// With n tokens (class token included) of width d, an MLP of width f, L layers:
    /// - patches: (n - 1) · 3 · patchSize² · d
    /// - query, key, value, output: L · 4 n d²; MLP: L · 2 n d f
    /// - attention, every token with every token: L · 2 n² d
    /// - projector, m tokens of width p to width h: m · (p h + h²)
    ///
    /// InternVL3-1B: 311.3 G with weights and 51.6 G in attention, 726 GFLOP.
    package static func vision(_ configuration: ModelConfiguration) -> EngineWork {
        let v = configuration.vision, p = configuration.projector
        let n = Double(v.tokens), d = Double(v.hiddenSize), f = Double(v.intermediateSize), layers = Double(v.layers)
        let patches = (n - 1) * Double(v.channels * v.patchSize * v.patchSize) * d
        let blocks = layers * (4 * n * d * d + 2 * n * d * f)
        let wide = Double(p.inputSize), h = Double(p.hiddenSize)
        let projector = Double(configuration.imageTokensPerTile) * (wide * h + h * h)
        return EngineWork(
            weightProducts: patches + blocks + projector,
            attentionProducts: layers * 2 * n * n * d
        )
    }

    /// A prompt of `tokens` tokens into an empty cache, and the logits of the last one.
    ///
    /// With n tokens, W weights of the layers and H of the head: n W + H with weights; in attention, where token i sees
    /// i keys, L · n (n + 1) · heads · headDim.
    ///
    /// InternVL3-1B, 320 tokens: 114.6 G and 2.2 G, 234 GFLOP.
    package static func prefill(_ configuration: ModelConfiguration, tokens: Int) -> EngineWork {
        let t = configuration.text, n = Double(tokens)
        return EngineWork(
            weightProducts: n * layerWeights(t) + headWeights(t),
            attentionProducts: Double(t.layers) * n * (n + 1) * Double(t.attentionHeads * t.headDim)
        )
    }

    /// One token after `context` others.
    ///
    /// Every weight of the layers and of the head is read and used once; the cache's keys and values (4.3 MB as f16 at
    /// 352 tokens of InternVL3-1B) are not counted.
    ///
    /// - Parameter bytes: of weights that the engine reads for a token.
    package static func decode(_ configuration: ModelConfiguration, context: Int, bytes: Int) -> EngineWork {
        let t = configuration.text
        return EngineWork(
            weightProducts: decodeWeights(configuration),
            attentionProducts: Double(t.layers) * 2 * Double(context + 1) * Double(t.attentionHeads * t.headDim),
            weightBytes: Double(bytes)
        )
    }

    /// Weights that one decoded token needs, without biases and norms; InternVL3-1B: 493.7 M.
    package static func decodeWeights(_ configuration: ModelConfiguration) -> Double {
        layerWeights(configuration.text) + headWeights(configuration.text)
    }

    /// Query and output, key and value, gate, up and down of all layers: L · (2 d q + 2 d k + 3 d f).
    private static func layerWeights(_ t: ModelConfiguration.Text) -> Double {
        let d = Double(t.hiddenSize), f = Double(t.intermediateSize)
        let q = Double(t.attentionHeads * t.headDim), k = Double(t.kvHeads * t.headDim)
        return Double(t.layers) * (2 * d * q + 2 * d * k + 3 * d * f)
    }

    private static func headWeights(_ t: ModelConfiguration.Text) -> Double {
        Double(t.vocabularySize) * Double(t.hiddenSize)
    }
}
