internal import CKernels

/// A linear layer of a checkpoint: y = x · Wᵀ + b.
struct Linear {
    /// [outputs, inputs].
    let weights: LayerWeights
    let bias: FloatVector?
    let inputs: Int
    let outputs: Int

    /// - Parameter name: of the layer: its tensors are `name.weight` and, where it has one, `name.bias`.
    init(
        _ loader: WeightLoader,
        _ name: String,
        inputs: Int,
        outputs: Int,
        hasBias: Bool,
        precision: WeightPrecision
    ) throws(CheckpointError) {
        self.init(
            weights: try loader.weights(name + ".weight", shape: [outputs, inputs], precision: precision),
            bias: hasBias ? try loader.vector(name + ".bias", shape: [outputs]) : nil
        )
    }

    init(weights: LayerWeights, bias: FloatVector?) {
        self.weights = weights
        self.bias = bias
        inputs = weights.inputs
        outputs = weights.outputs
    }

    /// What follows the product and its bias.
    enum Epilogue {
        case none
        /// Exact GELU.
        case gelu
        /// y += product, its columns scaled where there is a scale.
        case add(scale: FloatVector?)
    }

    /// What a row becomes before it is multiplied.
    enum Prologue {
        case none
        case norm(Norm)
        /// silu(x) · up, of the same shape as x.
        case swiglu(up: UnsafePointer<Float>)
    }

    /// A layer and where its result goes.
    struct Output {
        let layer: Linear
        /// [rows, outputs].
        let y: UnsafeMutablePointer<Float>
        let epilogue: Epilogue

        init(_ layer: Linear, to y: UnsafeMutablePointer<Float>, epilogue: Epilogue = .none) {
            self.layer = layer
            self.y = y
            self.epilogue = epilogue
        }

        fileprivate var kernelEpilogue: ck_epilogue {
            var after = ck_epilogue(bias: layer.bias?.pointer, scale: nil, gelu: 0, accumulate: 0)
            switch epilogue {
            case .none: break
            case .gelu: after.gelu = 1
            case .add(let scale):
                after.accumulate = 1
                after.scale = scale?.pointer
            }
            return after
        }

        /// For a call that computes several layers; nil where this one cannot be part of it.
        fileprivate func product(_ quant: ck_quant) -> ck_product? {
            guard case .packed(let matrix) = layer.weights, matrix.quant == quant else { return nil }
            return ck_product(
                y: y,
                ldy: layer.outputs,
                packed: matrix.pointer,
                n: layer.outputs,
                epilogue: kernelEpilogue
            )
        }
    }

    /// - Parameters:
    ///   - x: [rows, inputs].
    ///   - y: [rows, outputs].
    func apply(
        _ x: UnsafePointer<Float>,
        rows: Int,
        to y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue = .none,
        pool: ComputePool
    ) {
        var after = Output(self, to: y, epilogue: epilogue).kernelEpilogue
        switch weights {
        case .stored(let matrix):
            let type = matrix.kernelType
            ck_linear(pool.handle, y, outputs, x, inputs, matrix.pointer, type, rows, outputs, inputs, &after)
        case .packed(let matrix):
            let pointer = matrix.pointer
            ck_linear_packed(pool.handle, y, outputs, x, inputs, pointer, matrix.quant, rows, outputs, inputs, &after)
        }
    }

    /// Up to three layers of the same rows; quantised ones read each row once and meet at the end only.
    ///
    /// - Parameters:
    ///   - x: [rows, inputs].
    ///   - buffer: [rows, inputs], where the prologue's result is put if it has to be; for SwiGLU it may be x.
    static func apply(
        _ x: UnsafePointer<Float>,
        rows: Int,
        prologue: Prologue,
        buffer: UnsafeMutablePointer<Float>,
        to first: Output,
        _ second: Output? = nil,
        _ third: Output? = nil,
        pool: ComputePool
    ) {
        if case .packed(let matrix) = first.layer.weights,
            let one = first.product(matrix.quant),
            let two = second.map({ $0.product(matrix.quant) }) ?? one,
            let three = third.map({ $0.product(matrix.quant) }) ?? one
        {
            let count = 1 + (second == nil ? 0 : 1) + (third == nil ? 0 : 1)
            var before = prologue.kernelPrologue(columns: first.layer.inputs)
            withUnsafePointer(to: (one, two, three)) { products in
                UnsafeRawPointer(products).withMemoryRebound(to: ck_product.self, capacity: 3) { products in
                    let inputs = first.layer.inputs
                    ck_linear_packed_group(
                        pool.handle,
                        products,
                        Int32(count),
                        x,
                        inputs,
                        matrix.quant,
                        rows,
                        inputs,
                        &before
                    )
                }
            }
            return
        }
        let prepared = prologue.prepare(x, rows: rows, columns: first.layer.inputs, buffer: buffer, pool: pool)
        func apply(_ output: Output) {
            output.layer.apply(prepared, rows: rows, to: output.y, epilogue: output.epilogue, pool: pool)
        }
        apply(first)
        if let second { apply(second) }
        if let third { apply(third) }
    }
}

extension Linear.Prologue {
    fileprivate func kernelPrologue(columns: Int) -> ck_prologue {
        switch self {
        case .none:
            ck_prologue(kind: CK_AS_IS, weight: nil, bias: nil, eps: 0, up: nil, ldup: 0)
        case .norm(let norm):
            ck_prologue(
                kind: norm.bias == nil ? CK_RMS_NORM : CK_LAYER_NORM,
                weight: norm.weight.pointer,
                bias: norm.bias?.pointer,
                eps: norm.eps,
                up: nil,
                ldup: 0
            )
        case .swiglu(let up):
            ck_prologue(kind: CK_SWIGLU, weight: nil, bias: nil, eps: 0, up: up, ldup: columns)
        }
    }

    /// The rows as they are multiplied: x itself or what is in `buffer` then.
    fileprivate func prepare(
        _ x: UnsafePointer<Float>,
        rows: Int,
        columns: Int,
        buffer: UnsafeMutablePointer<Float>,
        pool: ComputePool
    ) -> UnsafePointer<Float> {
        switch self {
        case .none: return x
        case .norm(let norm): norm.apply(x, rows: rows, to: buffer, pool: pool)
        case .swiglu(let up):
            if UnsafePointer(buffer) != x { buffer.update(from: x, count: rows * columns) }
            ck_swiglu(pool.handle, buffer, up, rows * columns)
        }
        return UnsafePointer(buffer)
    }
}
