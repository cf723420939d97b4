internal import CKernels

/// A norm over rows: with mean and bias (layer norm), or of the root mean square only.
struct Norm {
    let weight: FloatVector
    /// Nil for the root mean square.
    let bias: FloatVector?
    let eps: Float

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
