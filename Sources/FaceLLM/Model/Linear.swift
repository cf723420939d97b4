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
        let ldy = outputStride ?? outputs, ldx = inputStride ?? inputs
        switch weights {
        case .stored(let matrix):
            ck_linear(
                pool.handle,
                y,
                ldy,
                x,
                ldx,
                matrix.pointer,
                matrix.kernelType,
                rows,
                outputs,
                inputs,
                &after
            )
        case .packed(let matrix):
            ck_linear_packed(pool.handle, y, ldy, x, ldx, matrix.pointer, matrix.quant, rows, outputs, inputs, &after)
        }
    }
}
