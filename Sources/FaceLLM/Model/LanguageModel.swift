/// Qwen2, the language model of InternVL3.
///
/// - Block: x += attention(norm(x)); x += down(silu(gate) · up) of norm(x); RMSNorm.
/// - Attention: grouped key and value heads, bias on q, k and v only, causal, rotary positions on halves of each head
///   (not interleaved).
/// - A final RMSNorm and the output head: `lm_head` where the checkpoint has one, the embedding otherwise.
///
/// Follows `transformers` 4.57 (`modeling_qwen2.py`).
package struct LanguageModel: Sendable {
    private struct Block: Sendable {
        let norm1: [Float], norm2: [Float]
        let query: Linear, key: Linear, value: Linear, output: Linear
        let gate: Linear, up: Linear, down: Linear

        init(_ source: some WeightSource, _ prefix: String, _ t: ModelConfiguration.Text) throws(CheckpointError) {
            norm1 = try source.tensor(prefix + ".input_layernorm.weight", shape: [t.hiddenSize]).values
            norm2 = try source.tensor(prefix + ".post_attention_layernorm.weight", shape: [t.hiddenSize]).values
            let attention = prefix + ".self_attn", wide = t.attentionHeads * t.headDim, narrow = t.kvHeads * t.headDim
            query = try Linear(source, attention + ".q_proj", inputs: t.hiddenSize, outputs: wide, hasBias: true)
            key = try Linear(source, attention + ".k_proj", inputs: t.hiddenSize, outputs: narrow, hasBias: true)
            value = try Linear(source, attention + ".v_proj", inputs: t.hiddenSize, outputs: narrow, hasBias: true)
            output = try Linear(source, attention + ".o_proj", inputs: wide, outputs: t.hiddenSize, hasBias: false)
            let mlp = prefix + ".mlp"
            gate = try Linear(
                source,
                mlp + ".gate_proj",
                inputs: t.hiddenSize,
                outputs: t.intermediateSize,
                hasBias: false
            )
            up = try Linear(source, mlp + ".up_proj", inputs: t.hiddenSize, outputs: t.intermediateSize, hasBias: false)
            down = try Linear(
                source,
                mlp + ".down_proj",
                inputs: t.intermediateSize,
                outputs: t.hiddenSize,
                hasBias: false
            )
        }
    }

    package let configuration: ModelConfiguration.Text
    private let embedding: [Float]  // [vocabulary, hiddenSize]
    private let blocks: [Block]
    private let finalNorm: [Float]
    private let head: Linear

    /// Reads the model's weights, widened to f32.
    package init(_ source: some WeightSource, configuration: ModelConfiguration) throws(CheckpointError) {
        let t = configuration.text
        self.configuration = t
        embedding = try source.tensor(
            "language_model.model.embed_tokens.weight",
            shape: [t.vocabularySize, t.hiddenSize]
        ).values
        var blocks: [Block] = []
        for layer in 0..<t.layers { blocks.append(try Block(source, "language_model.model.layers.\(layer)", t)) }
        self.blocks = blocks
        finalNorm = try source.tensor("language_model.model.norm.weight", shape: [t.hiddenSize]).values
        let name = "language_model.lm_head.weight"
        let weight =
            source.names.contains(name)
            ? try source.tensor(name, shape: [t.vocabularySize, t.hiddenSize]).values : embedding
        head = Linear(weight: weight, bias: nil, inputs: t.hiddenSize, outputs: t.vocabularySize)
    }

    /// A cache for `capacity` tokens.
    package func makeCache(capacity: Int) -> KVCache { KVCache(configuration: configuration, capacity: capacity) }

    /// The embeddings of tokens, [ids.count, hiddenSize].
    package func embed(_ ids: [Int]) -> Matrix {
        var values: [Float] = []
        values.reserveCapacity(ids.count * configuration.hiddenSize)
        for id in ids {
            precondition(id >= 0 && id < configuration.vocabularySize, "token \(id) of \(configuration.vocabularySize)")
            values += embedding[id * configuration.hiddenSize..<(id + 1) * configuration.hiddenSize]
        }
        return Matrix(rows: ids.count, columns: configuration.hiddenSize, values: values)
    }

    /// The residual stream after the final norm for tokens that follow those in `cache`.
    ///
    /// - Parameters:
    ///   - embeddings: [tokens, hiddenSize].
    ///   - isCancelled: asked once a layer.
    ///   - observe: sees `layer.I` and `final_norm`, for tests.
    /// - Returns: [tokens, hiddenSize]; nil if cancelled, the cache is then as before.
    package func forward(
        _ embeddings: Matrix,
        cache: inout KVCache,
        isCancelled: () -> Bool = { false },
        observe: (String, Matrix) -> Void = { _, _ in }
    ) -> Matrix? {
        let t = configuration
        let start = cache.count
        precondition(
            start + embeddings.rows <= cache.capacity,
            "\(start + embeddings.rows) tokens in a cache of \(cache.capacity)"
        )
        var updated = cache
        var x = embeddings
        let rotary = Rotary(headDim: t.headDim, base: t.ropeTheta, positions: start..<start + x.rows)
        for (index, block) in blocks.enumerated() {
            if isCancelled() { return nil }
            let normed = Functions.rmsNorm(x, weight: block.norm1, eps: t.rmsNormEps)
            var query = block.query(normed), key = block.key(normed)
            rotary.apply(to: &query)
            rotary.apply(to: &key)
            updated.append(keys: key, values: block.value(normed), toLayer: index)
            let attended = Attention.attend(
                query: query,
                key: updated.layers[index].keys,
                value: updated.layers[index].values,
                heads: t.attentionHeads,
                kvHeads: t.kvHeads,
                isCausal: true
            )
            x.add(block.output(attended))
            let hidden = Functions.rmsNorm(x, weight: block.norm2, eps: t.rmsNormEps)
            var gate = block.gate(hidden)
            Functions.swiGLU(&gate, block.up(hidden))
            x.add(block.down(gate))
            observe("layer.\(index)", x)
        }
        cache = updated
        let normed = Functions.rmsNorm(x, weight: finalNorm, eps: t.rmsNormEps)
        observe("final_norm", normed)
        return normed
    }

    /// The logits of hidden states, [tokens, vocabularySize].
    package func logits(_ hidden: Matrix) -> Matrix { head(hidden) }
}

/// Rotary positions: the first half of each head is turned against the second.
private struct Rotary {
    private let half: Int
    private let cosines: [Float]  // [positions, half]
    private let sines: [Float]

    init(headDim: Int, base: Double, positions: Range<Int>) {
        half = headDim / 2
        var cosines: [Float] = [], sines: [Float] = []
        for position in positions {
            for index in 0..<headDim / 2 {
                // In single precision, as the reference has its frequencies and angles.
                let frequency = Float(1 / Functions.power(base, Double(2 * index) / Double(headDim)))
                let angle = Float(position) * frequency
                cosines.append(Float(Functions.cosine(Double(angle))))
                sines.append(Float(Functions.sine(Double(angle))))
            }
        }
        self.cosines = cosines
        self.sines = sines
    }

    /// - Parameter x: [positions, heads · headDim].
    func apply(to x: inout Matrix) {
        let dim = 2 * half
        for row in 0..<x.rows {
            for head in 0..<x.columns / dim {
                let start = row * x.columns + head * dim
                for index in 0..<half {
                    let a = x.values[start + index], b = x.values[start + half + index]
                    let c = cosines[row * half + index], s = sines[row * half + index]
                    x.values[start + index] = a * c - b * s
                    x.values[start + half + index] = b * c + a * s
                }
            }
        }
    }
}
