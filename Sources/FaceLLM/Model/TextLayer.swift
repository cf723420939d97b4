internal import CKernels

/// Working memory of a language model, for one pass at a time.
final class TextMemory {
    let stream = Scratch()  // [tokens, hiddenSize], the residual stream
    let normed = Scratch()  // [tokens, hiddenSize]
    let query = Scratch()  // [tokens, heads · headDim]
    let pairs = Scratch()  // [2, tokens, kvHeads · headDim]: keys and values on their way to several caches
    let attended = Scratch()  // [tokens, heads · headDim]
    let gate = Scratch()  // [tokens, intermediateSize]
    let up = Scratch()  // [tokens, intermediateSize]
    let rotary = Scratch()  // [2, tokens, headDim / 2]
    let logits = Scratch()  // [tokens, vocabularySize]
}

/// One layer of Qwen2.
struct TextLayer {
    private let inputNorm: FloatVector, postAttentionNorm: FloatVector
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let gate: Linear, up: Linear, down: Linear
    private let configuration: ModelConfiguration.Text
    private let heads: ck_heads

    init(
        _ loader: WeightLoader,
        _ names: TensorNames.TextLayer,
        _ t: ModelConfiguration.Text
    ) throws(CheckpointError) {
        let precision = loader.precision.text
        func matrix(_ name: String, inputs: Int, outputs: Int) throws(CheckpointError) -> Linear {
            Linear(weights: try loader.weights(name, shape: [outputs, inputs], precision: precision), bias: nil)
        }
        inputNorm = try loader.vector(names.inputNorm, shape: [t.hiddenSize])
        postAttentionNorm = try loader.vector(names.postAttentionNorm, shape: [t.hiddenSize])
        let wide = t.attentionHeads * t.headDim, narrow = t.kvHeads * t.headDim
        query = try Linear(
            loader,
            names.query,
            inputs: t.hiddenSize,
            outputs: wide,
            hasBias: true,
            precision: precision
        )
        key = try Linear(loader, names.key, inputs: t.hiddenSize, outputs: narrow, hasBias: true, precision: precision)
        value = try Linear(
            loader,
            names.value,
            inputs: t.hiddenSize,
            outputs: narrow,
            hasBias: true,
            precision: precision
        )
        output = try matrix(names.output, inputs: wide, outputs: t.hiddenSize)
        gate = try matrix(names.gate, inputs: t.hiddenSize, outputs: t.intermediateSize)
        up = try matrix(names.up, inputs: t.hiddenSize, outputs: t.intermediateSize)
        down = try matrix(names.down, inputs: t.intermediateSize, outputs: t.hiddenSize)
        configuration = t
        heads = ck_heads(
            heads: Int32(t.attentionHeads),
            kv_heads: Int32(t.kvHeads),
            dim: Int32(t.headDim),
            scale: 1 / Float(t.headDim).squareRoot()
        )
    }

    /// Of all matrices.
    var byteCount: Int {
        [query, key, value, output, gate, up, down].reduce(0) { $0 + $1.weights.byteCount }
    }

    /// What one pass has in common for all layers.
    struct Pass {
        let rows: Int
        /// [2, rows, headDim / 2].
        let rotary: UnsafePointer<Float>
        /// [rows, rows], nil for causal.
        let visible: UnsafePointer<UInt8>?
        let memory: TextMemory
        let pool: ComputePool
    }

    /// The attention half: keys and values go into `cache`, x += attention(norm(x)).
    ///
    /// - Parameters:
    ///   - x: [rows, hiddenSize], the residual stream.
    ///   - index: of this layer.
    ///   - weights: where to put the attention weights, [rows, tokens in the cache + rows]; nil for nowhere.
    func attend(
        _ x: UnsafeMutablePointer<Float>,
        index: Int,
        cache: borrowing KVCache,
        pass: Pass,
        weights: UnsafeMutablePointer<Float>? = nil
    ) {
        let t = configuration, pool = pass.pool, rows = pass.rows
        let wide = t.attentionHeads * t.headDim, narrow = t.kvHeads * t.headDim
        let normed = pass.memory.normed.reserve(rows * t.hiddenSize)
        let q = pass.memory.query.reserve(rows * wide), attended = pass.memory.attended.reserve(rows * wide)
        let k = cache.newKeys(index), v = cache.newValues(index)
        ck_rms_norm(pool.handle, normed, x, inputNorm.pointer, t.rmsNormEps, rows, t.hiddenSize)
        query.apply(normed, rows: rows, to: q, pool: pool)
        key.apply(normed, rows: rows, to: k, pool: pool)
        value.apply(normed, rows: rows, to: v, pool: pool)
        let sines = pass.rotary + rows * t.headDim / 2
        ck_rope(pool.handle, q, wide, pass.rotary, sines, rows, Int32(t.attentionHeads), Int32(t.headDim))
        ck_rope(pool.handle, k, narrow, pass.rotary, sines, rows, Int32(t.kvHeads), Int32(t.headDim))
        let runs = cache.visibleRuns(index)
        var recent = ck_run(keys: k, values: v, count: rows, ld: narrow)
        ck_attention(pool.handle, attended, wide, q, wide, rows, runs, runs.count, &recent, pass.visible, heads)
        if let weights {
            ck_attention_weights(
                pool.handle,
                weights,
                q,
                wide,
                rows,
                runs,
                runs.count,
                &recent,
                pass.visible,
                heads
            )
        }
        output.apply(attended, rows: rows, to: x, epilogue: .add(scale: nil), pool: pool)
    }

    /// The attention half of one token each of several sequences: every matrix is read once for all of them.
    ///
    /// - Parameters:
    ///   - x: [caches.count, hiddenSize].
    ///   - caches: with room for a token each.
    func attendTogether(
        _ x: UnsafeMutablePointer<Float>,
        index: Int,
        caches: [KVCache],
        pass: Pass
    ) {
        let t = configuration, pool = pass.pool, rows = pass.rows
        let wide = t.attentionHeads * t.headDim, narrow = t.kvHeads * t.headDim
        let normed = pass.memory.normed.reserve(rows * t.hiddenSize)
        let q = pass.memory.query.reserve(rows * wide), attended = pass.memory.attended.reserve(rows * wide)
        let k = pass.memory.pairs.reserve(2 * rows * narrow)
        let v = k + rows * narrow
        ck_rms_norm(pool.handle, normed, x, inputNorm.pointer, t.rmsNormEps, rows, t.hiddenSize)
        query.apply(normed, rows: rows, to: q, pool: pool)
        key.apply(normed, rows: rows, to: k, pool: pool)
        value.apply(normed, rows: rows, to: v, pool: pool)
        let sines = pass.rotary + rows * t.headDim / 2
        ck_rope(pool.handle, q, wide, pass.rotary, sines, rows, Int32(t.attentionHeads), Int32(t.headDim))
        ck_rope(pool.handle, k, narrow, pass.rotary, sines, rows, Int32(t.kvHeads), Int32(t.headDim))
        for (row, cache) in caches.enumerated() {
            let newKey = cache.newKeys(index), newValue = cache.newValues(index)
            newKey.update(from: k + row * narrow, count: narrow)
            newValue.update(from: v + row * narrow, count: narrow)
            let runs = cache.visibleRuns(index)
            var recent = ck_run(keys: newKey, values: newValue, count: 1, ld: narrow)
            let target = attended + row * wide
            ck_attention(pool.handle, target, wide, q + row * wide, wide, 1, runs, runs.count, &recent, nil, heads)
        }
        output.apply(attended, rows: rows, to: x, epilogue: .add(scale: nil), pool: pool)
    }

    /// The other half: x += down(silu(gate) · up) of norm(x).
    ///
    /// - Parameter x: [rows, hiddenSize].
    func transform(_ x: UnsafeMutablePointer<Float>, rows: Int, memory: TextMemory, pool: ComputePool) {
        let t = configuration
        let normed = memory.normed.reserve(rows * t.hiddenSize)
        let g = memory.gate.reserve(rows * t.intermediateSize), u = memory.up.reserve(rows * t.intermediateSize)
        ck_rms_norm(pool.handle, normed, x, postAttentionNorm.pointer, t.rmsNormEps, rows, t.hiddenSize)
        gate.apply(normed, rows: rows, to: g, pool: pool)
        up.apply(normed, rows: rows, to: u, pool: pool)
        ck_swiglu(pool.handle, g, u, rows * t.intermediateSize)
        down.apply(g, rows: rows, to: x, epilogue: .add(scale: nil), pool: pool)
    }
}
