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
    private let inputNorm: Norm, postAttentionNorm: Norm
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
        inputNorm = try Norm(rms: loader, names.inputNorm, width: t.hiddenSize, eps: t.rmsNormEps)
        postAttentionNorm = try Norm(rms: loader, names.postAttentionNorm, width: t.hiddenSize, eps: t.rmsNormEps)
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
            scale: 1 / Float(t.headDim).squareRoot(),
            // In pairs, few rows and many would differ by more than the order of a sum.
            factors: CK_F32
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

    /// Query, key and value of norm(x), query and key turned to their positions.
    private func project(
        _ x: UnsafePointer<Float>,
        _ q: UnsafeMutablePointer<Float>,
        _ k: UnsafeMutablePointer<Float>,
        _ v: UnsafeMutablePointer<Float>,
        pass: Pass
    ) {
        let t = configuration, rows = pass.rows, handle = pass.pool.handle
        Linear.apply(
            x,
            rows: rows,
            prologue: .norm(inputNorm),
            buffer: pass.memory.normed.reserve(rows * t.hiddenSize),
            to: Linear.Output(query, to: q),
            Linear.Output(key, to: k),
            Linear.Output(value, to: v),
            pool: pass.pool
        )
        let sines = pass.rotary + rows * t.headDim / 2, dim = Int32(t.headDim)
        ck_rope(handle, q, query.outputs, pass.rotary, sines, rows, Int32(t.attentionHeads), dim)
        ck_rope(handle, k, key.outputs, pass.rotary, sines, rows, Int32(t.kvHeads), dim)
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
        let q = pass.memory.query.reserve(rows * wide), attended = pass.memory.attended.reserve(rows * wide)
        let k = cache.newKeys(index), v = cache.newValues(index)
        project(x, q, k, v, pass: pass)
        var recent = ck_run(keys: k, values: v, count: rows, ld: narrow)
        cache.withVisibleRuns(index) { runs, count in
            let visible = pass.visible
            ck_attention(pool.handle, attended, wide, q, wide, rows, runs, count, &recent, visible, heads)
            if let weights {
                ck_attention_weights(pool.handle, weights, q, wide, rows, runs, count, &recent, visible, heads)
            }
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
        let q = pass.memory.query.reserve(rows * wide), attended = pass.memory.attended.reserve(rows * wide)
        let k = pass.memory.pairs.reserve(2 * rows * narrow)
        let v = k + rows * narrow
        project(x, q, k, v, pass: pass)
        for row in 0..<rows {
            let cache = caches[row]
            let newKey = cache.newKeys(index), newValue = cache.newValues(index)
            newKey.update(from: k + row * narrow, count: narrow)
            newValue.update(from: v + row * narrow, count: narrow)
            var recent = ck_run(keys: newKey, values: newValue, count: 1, ld: narrow)
            let target = attended + row * wide, query = q + row * wide
            cache.withVisibleRuns(index) { runs, count in
                ck_attention(pool.handle, target, wide, query, wide, 1, runs, count, &recent, nil, heads)
            }
        }
        output.apply(attended, rows: rows, to: x, epilogue: .add(scale: nil), pool: pool)
    }

    /// The other half: x += down(silu(gate) · up) of norm(x).
    ///
    /// - Parameter x: [rows, hiddenSize].
    func transform(_ x: UnsafeMutablePointer<Float>, rows: Int, memory: TextMemory, pool: ComputePool) {
        let t = configuration
        let g = memory.gate.reserve(rows * t.intermediateSize), u = memory.up.reserve(rows * t.intermediateSize)
        Linear.apply(
            x,
            rows: rows,
            prologue: .norm(postAttentionNorm),
            buffer: memory.normed.reserve(rows * t.hiddenSize),
            to: Linear.Output(gate, to: g),
            Linear.Output(up, to: u),
            pool: pool
        )
        Linear.apply(
            g,
            rows: rows,
            prologue: .swiglu(up: u),
            buffer: g,
            to: Linear.Output(down, to: x, epilogue: .add(scale: nil)),
            pool: pool
        )
    }
}
