internal import CKernels

/// Working memory of a vision tower, for one tile at a time.
final class VisionMemory {
    let stream = Scratch()  // [tokens, hiddenSize], the residual stream
    let normed = Scratch()  // [tokens, hiddenSize]
    let projections = Scratch()  // [3, tokens, hiddenSize]: query, key, value
    let wide = Scratch()  // [tokens, intermediateSize]
}

/// The norm of a vision tower: with mean and bias, or of the root mean square only.
struct VisionNorm {
    private let weight: FloatVector
    /// Nil for the root mean square.
    private let bias: FloatVector?
    private let eps: Float

    init(_ loader: WeightLoader, _ name: String, _ vision: ModelConfiguration.Vision) throws(CheckpointError) {
        switch vision.norm {
        case .layer: try self.init(layer: loader, name, width: vision.hiddenSize, eps: vision.normEps)
        case .rms: try self.init(rms: loader, name + ".weight", width: vision.hiddenSize, eps: vision.normEps)
        }
    }

    init(layer loader: WeightLoader, _ name: String, width: Int, eps: Float) throws(CheckpointError) {
        weight = try loader.vector(name + ".weight", shape: [width])
        bias = try loader.vector(name + ".bias", shape: [width])
        self.eps = eps
    }

    /// - Parameter name: of the tensor itself.
    init(rms loader: WeightLoader, _ name: String, width: Int, eps: Float) throws(CheckpointError) {
        weight = try loader.vector(name, shape: [width])
        bias = nil
        self.eps = eps
    }

    /// - Parameters:
    ///   - x: [rows, width].
    ///   - y: as `x`; may be `x`.
    func apply(_ x: UnsafePointer<Float>, rows: Int, to y: UnsafeMutablePointer<Float>, pool: ComputePool) {
        if let bias {
            ck_layer_norm(pool.handle, y, x, weight.pointer, bias.pointer, eps, rows, weight.count)
        } else {
            ck_rms_norm(pool.handle, y, x, weight.pointer, eps, rows, weight.count)
        }
    }
}

/// One block of InternViT.
struct VisionBlock {
    private let norm1: VisionNorm, norm2: VisionNorm
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let queryNorm: VisionNorm?, keyNorm: VisionNorm?
    private let scale1: FloatVector, scale2: FloatVector
    private let fc1: Linear, fc2: Linear
    private let heads: ck_heads
    private let hiddenSize: Int

    init(
        _ loader: WeightLoader,
        _ names: TensorNames.VisionBlock,
        _ v: ModelConfiguration.Vision
    ) throws(CheckpointError) {
        let d = v.hiddenSize
        norm1 = try VisionNorm(loader, names.normBefore, v)
        norm2 = try VisionNorm(loader, names.normAfter, v)
        query = try Linear(
            loader,
            names.query,
            inputs: d,
            outputs: d,
            hasBias: v.hasQKVBias,
            precision: loader.precision.vision
        )
        key = try Linear(
            loader,
            names.key,
            inputs: d,
            outputs: d,
            hasBias: v.hasQKVBias,
            precision: loader.precision.vision
        )
        value = try Linear(
            loader,
            names.value,
            inputs: d,
            outputs: d,
            hasBias: v.hasQKVBias,
            precision: loader.precision.vision
        )
        output = try Linear(
            loader,
            names.output,
            inputs: d,
            outputs: d,
            hasBias: true,
            precision: loader.precision.vision
        )
        queryNorm =
            v.usesQKNorm ? try VisionNorm(rms: loader, names.queryNorm + ".weight", width: d, eps: v.normEps) : nil
        keyNorm =
            v.usesQKNorm ? try VisionNorm(rms: loader, names.keyNorm + ".weight", width: d, eps: v.normEps) : nil
        scale1 = try loader.vector(names.scale1, shape: [d])
        scale2 = try loader.vector(names.scale2, shape: [d])
        fc1 = try Linear(
            loader,
            names.fc1,
            inputs: d,
            outputs: v.intermediateSize,
            hasBias: true,
            precision: loader.precision.vision
        )
        fc2 = try Linear(
            loader,
            names.fc2,
            inputs: v.intermediateSize,
            outputs: d,
            hasBias: true,
            precision: loader.precision.vision
        )
        hiddenSize = d
        heads = ck_heads(
            heads: Int32(v.attentionHeads),
            kv_heads: Int32(v.attentionHeads),
            dim: Int32(v.headDim),
            scale: 1 / Float(v.headDim).squareRoot()
        )
    }

    /// - Parameter x: [rows, hiddenSize], the residual stream of one tile.
    func apply(to x: UnsafeMutablePointer<Float>, rows: Int, memory: VisionMemory, pool: ComputePool) {
        let d = hiddenSize
        let normed = memory.normed.reserve(rows * d)
        // Each matrix by itself, [3, rows, hiddenSize]: norms of query and key go over whole rows.
        let q = memory.projections.reserve(3 * rows * d)
        let k = q + rows * d, v = k + rows * d
        norm1.apply(x, rows: rows, to: normed, pool: pool)
        query.apply(normed, rows: rows, to: q, pool: pool)
        key.apply(normed, rows: rows, to: k, pool: pool)
        value.apply(normed, rows: rows, to: v, pool: pool)
        queryNorm?.apply(q, rows: rows, to: q, pool: pool)
        keyNorm?.apply(k, rows: rows, to: k, pool: pool)
        var run = ck_run(keys: k, values: v, count: rows, ld: d)
        var recent = ck_run(keys: k, values: v, count: 0, ld: d)
        ck_attention(pool.handle, normed, d, q, d, rows, &run, 1, &recent, nil, heads)
        output.apply(normed, rows: rows, to: x, epilogue: .add(scale: scale1), pool: pool)
        norm2.apply(x, rows: rows, to: normed, pool: pool)
        let hidden = memory.wide.reserve(rows * fc1.outputs)
        fc1.apply(normed, rows: rows, to: hidden, epilogue: .gelu, pool: pool)
        fc2.apply(hidden, rows: rows, to: x, epilogue: .add(scale: scale2), pool: pool)
    }
}
