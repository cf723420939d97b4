internal import CKernels

/// Working memory of a vision tower, for one tile at a time.
final class VisionMemory {
    let stream = Scratch()  // [tokens, hiddenSize], the residual stream
    let normed = Scratch()  // [tokens, hiddenSize]
    let projections = Scratch()  // [3, tokens, hiddenSize]: query, key, value
    let wide = Scratch()  // [tokens, intermediateSize]
}

/// One block of InternViT.
struct VisionBlock {
    private let norm1: Norm, norm2: Norm
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let queryNorm: Norm?, keyNorm: Norm?
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
        norm1 = try Norm(loader, names.normBefore, v)
        norm2 = try Norm(loader, names.normAfter, v)
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
            v.usesQKNorm ? try Norm(rms: loader, names.queryNorm + ".weight", width: d, eps: v.normEps) : nil
        keyNorm =
            v.usesQKNorm ? try Norm(rms: loader, names.keyNorm + ".weight", width: d, eps: v.normEps) : nil
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
            scale: 1 / Float(v.headDim).squareRoot(),
            // Rounding them to 8 bits of mantissa is little beside weights of 8 bits.
            factors: loader.precision.vision.isQuantised ? CK_BF16 : CK_F32
        )
    }

    /// - Parameter x: [rows, hiddenSize], the residual stream of one tile.
    func apply(to x: UnsafeMutablePointer<Float>, rows: Int, memory: VisionMemory, pool: ComputePool) {
        let d = hiddenSize
        let normed = memory.normed.reserve(rows * d)
        // Each matrix by itself, [3, rows, hiddenSize]: norms of query and key go over whole rows.
        let q = memory.projections.reserve(3 * rows * d)
        let k = q + rows * d, v = k + rows * d
        Linear.apply(
            x,
            rows: rows,
            prologue: .norm(norm1),
            buffer: normed,
            to: Linear.Output(query, to: q),
            Linear.Output(key, to: k),
            Linear.Output(value, to: v),
            pool: pool
        )
        queryNorm?.apply(q, rows: rows, to: q, pool: pool)
        keyNorm?.apply(k, rows: rows, to: k, pool: pool)
        var run = ck_run(keys: k, values: v, count: rows, ld: d)
        var recent = ck_run(keys: k, values: v, count: 0, ld: d)
        ck_attention(pool.handle, normed, d, q, d, rows, &run, 1, &recent, nil, heads)
        output.apply(normed, rows: rows, to: x, epilogue: .add(scale: scale1), pool: pool)
        let hidden = memory.wide.reserve(rows * fc1.outputs)
        Linear.apply(
            x,
            rows: rows,
            prologue: .norm(norm2),
            buffer: normed,
            to: Linear.Output(fc1, to: hidden, epilogue: .gelu),
            pool: pool
        )
        fc2.apply(hidden, rows: rows, to: x, epilogue: .add(scale: scale2), pool: pool)
    }
}
