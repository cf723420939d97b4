internal import CKernels

/// A linear layer of a checkpoint: y = x · Wᵀ + b.
struct Linear {
    /// [outputs, inputs].
    let weight: StoredMatrix
    let bias: FloatVector?

    var inputs: Int { weight.columns }
    var outputs: Int { weight.rows }

    init(_ source: some WeightSource, _ name: String, inputs: Int, outputs: Int, hasBias: Bool) throws(CheckpointError)
    {
        weight = try source.matrix(name + ".weight", shape: [outputs, inputs])
        bias = hasBias ? try FloatVector(source, name + ".bias", shape: [outputs]) : nil
    }

    init(weight: StoredMatrix, bias: FloatVector?) {
        self.weight = weight
        self.bias = bias
    }

    /// What follows the product and its bias.
    enum Epilogue {
        case none
        /// Exact GELU.
        case gelu
        /// y += product, its columns scaled where there is a scale.
        case add(scale: FloatVector?)
    }

    /// - Parameters:
    ///   - x: [rows, inputs], rows `inputStride` apart.
    ///   - y: [rows, outputs], rows `outputStride` apart.
    func apply(
        _ x: UnsafePointer<Float>,
        inputStride: Int? = nil,
        rows: Int,
        to y: UnsafeMutablePointer<Float>,
        outputStride: Int? = nil,
        epilogue: Epilogue = .none,
        pool: ComputePool
    ) {
        var after = ck_epilogue(bias: bias?.pointer, scale: nil, gelu: 0, accumulate: 0)
        switch epilogue {
        case .none: break
        case .gelu: after.gelu = 1
        case .add(let scale):
            after.accumulate = 1
            after.scale = scale?.pointer
        }
        ck_linear(
            pool.handle,
            y,
            outputStride ?? outputs,
            x,
            inputStride ?? inputs,
            weight.pointer,
            weight.kernelType,
            rows,
            outputs,
            inputs,
            &after
        )
    }
}
