internal import CKernels

/// Hands a model's layers their weights, quantised where that is wanted.
///
/// Quantised weights come from `packed` where it has them; otherwise they are made now and put there.
package final class WeightLoader {
    let source: any WeightSource
    let precision: ModelPrecision
    private let pool: ComputePool
    private let packed: PackedWeights?

    /// - Parameter packed: made for this source and precision; nil where nothing is quantised.
    package init(
        _ source: any WeightSource,
        precision: ModelPrecision = .reference,
        packed: PackedWeights? = nil,
        pool: ComputePool
    ) {
        self.source = source
        self.precision = precision
        self.packed = packed
        self.pool = pool
    }

    /// Norms, biases and the like, always f32.
    func vector(_ name: String, shape: [Int]) throws(CheckpointError) -> FloatVector {
        FloatVector(try source.tensor(name, shape: shape).values)
    }

    /// The weights of a linear layer, [outputs, inputs].
    func weights(_ name: String, shape: [Int], precision: WeightPrecision) throws(CheckpointError) -> LayerWeights {
        switch precision {
        case .f32: return .stored(try source.matrix(name, shape: shape))
        case .bf16:
            let matrix = try source.matrix(name, shape: shape)
            return .stored(matrix.type == .f32 ? matrix.roundedToBFloat16() : matrix)
        case .int8, .int4:
            let rows = shape[0], columns = shape.dropFirst().reduce(1, *)
            let quant = precision == .int8 ? CK_INT8 : CK_INT4
            let place = packed?.place(of: name, quant: quant, rows: rows, columns: columns)
            if let place, place.isFilled {
                return .packed(place.matrix)
            }
            let target =
                place?.matrix
                ?? PackedWeights.unfiled(quant: quant, rows: rows, columns: columns)
            let matrix = try source.matrix(name, shape: shape)
            let memory = UnsafeMutableRawPointer(mutating: target.pointer)
            ck_pack(pool.handle, memory, quant, matrix.pointer, matrix.kernelType, rows, columns)
            // What was read of the file is not needed again.
            matrix.forgetPages()
            return .packed(target)
        }
    }
}

extension WeightLoader {
    /// A loader for a checkpoint, with quantised weights from the cache where they are known.
    ///
    /// - Parameters:
    ///   - cacheFolder: where quantised weights and hashes are kept between runs; nil for nowhere.
    package convenience init(
        _ checkpoint: Checkpoint,
        precision: ModelPrecision,
        cacheFolder: String?,
        pool: ComputePool
    ) throws(CheckpointError) {
        var packed: PackedWeights?
        if precision.isQuantised {
            let wanted = Self.wanted(checkpoint, precision: precision)
            var key = ""
            if let cacheFolder {
                let identity = try SourceIdentity(files: checkpoint.weightFiles, memory: cacheFolder)
                key = "\(identity.sha256)-\(precision.vision.rawValue)-\(precision.text.rawValue)"
            }
            packed = PackedWeights.open(folder: cacheFolder, key: key, wanted: wanted)
        }
        self.init(checkpoint.weights, precision: precision, packed: packed, pool: pool)
    }

    /// To be called when all layers have their weights.
    package func finish() {
        packed?.finish()
    }

    /// The matrices that are quantised, in the order in which layers ask for them.
    private static func wanted(_ checkpoint: Checkpoint, precision: ModelPrecision) -> [PackedWeights.Wanted] {
        let hasHead = checkpoint.weights.names.contains(TensorNames.head)
        let head = hasHead ? TensorNames.head : TensorNames.embedding
        var wanted: [PackedWeights.Wanted] = []
        for requirement in TensorNames.required(by: checkpoint.configuration) {
            guard requirement.shape.count == 2 else { continue }
            let isVision =
                requirement.name.hasPrefix("vision_tower.") || requirement.name.hasPrefix("multi_modal_projector.")
            let isTable = requirement.name == TensorNames.embedding || requirement.name == TensorNames.head
            if isTable && requirement.name != head { continue }
            let level = isTable ? precision.head : isVision ? precision.vision : precision.text
            let quant: ck_quant
            switch level {
            case .f32, .bf16: continue
            case .int8: quant = CK_INT8
            case .int4: quant = CK_INT4
            }
            wanted.append(
                PackedWeights.Wanted(
                    name: requirement.name,
                    quant: quant,
                    rows: requirement.shape[0],
                    columns: requirement.shape[1]
                )
            )
        }
        return wanted
    }
}
