internal import CKernels

/// Hands a model's layers their weights, quantised where that is wanted.
///
/// Quantised weights come from `packed` where they are there already; otherwise they are made now and put there.
package final class WeightLoader {
    let source: any WeightSource
    let precision: ModelPrecision
    private let pool: ComputePool
    private let smoothing: Smoothing
    /// One for each half of the model that is quantised.
    private let packed: [PackedWeights]
    /// SHA-256 of the weights' files, where it had to be known.
    package let sourceSHA256: String?

    private init(
        _ source: any WeightSource,
        precision: ModelPrecision,
        smoothing: Smoothing,
        packed: [PackedWeights],
        sourceSHA256: String?,
        pool: ComputePool
    ) {
        self.source = source
        self.smoothing = smoothing
        self.precision = precision
        self.packed = packed
        self.sourceSHA256 = sourceSHA256
        self.pool = pool
    }

    /// Norms, biases and the like, always f32; norms before quantised matrices as `Smoothing` wants them.
    func vector(_ name: String, shape: [Int]) throws(CheckpointError) -> FloatVector {
        FloatVector(smoothing.vector(name, try source.tensor(name, shape: shape).values))
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
            let place = packed.lazy.compactMap { $0.place(of: name, quant: quant, rows: rows, columns: columns) }.first
            if let place, place.isFilled {
                return .packed(place.matrix)
            }
            let target =
                place?.matrix
                ?? PackedWeights.unfiled(quant: quant, rows: rows, columns: columns)
            let matrix = try source.matrix(name, shape: shape)
            let memory = UnsafeMutableRawPointer(mutating: target.pointer)
            ck_pack(
                pool.handle,
                memory,
                quant,
                matrix.pointer,
                matrix.kernelType,
                smoothing.factors(of: name),
                rows,
                columns
            )
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
    ///   - smooths: whether outliers are taken out, see `Smoothing`.
    package convenience init(
        _ checkpoint: Checkpoint,
        precision: ModelPrecision,
        cacheFolder: String?,
        smooths: Bool = true,
        pool: ComputePool
    ) throws(CheckpointError) {
        var packed: [PackedWeights] = []
        var sha256: String?
        if precision.isQuantised {
            if let cacheFolder {
                sha256 = try SourceIdentity(files: checkpoint.weightFiles, memory: cacheFolder).sha256
            }
            // A file for each half, so that halves in several combinations are kept once.
            for (half, level) in [(Half.vision, precision.vision), (.text, precision.text)] {
                let key = "\(sha256 ?? "")-\(half.rawValue)-\(level.rawValue)"
                let wanted = Self.wanted(checkpoint, half: half, precision: precision)
                if let weights = PackedWeights.open(folder: cacheFolder, key: key, wanted: wanted) {
                    packed.append(weights)
                }
            }
        }
        self.init(
            checkpoint.weights,
            precision: precision,
            smoothing: try Smoothing(
                checkpoint.weights,
                configuration: checkpoint.configuration,
                precision: smooths ? precision : .reference
            ),
            packed: packed,
            sourceSHA256: sha256,
            pool: pool
        )
    }

    /// To be called when all layers have their weights.
    package func finish() {
        for weights in packed { weights.finish() }
    }

    /// What a model's weights take in memory: matrices as they are held, the rest as f32.
    ///
    /// Of the embedding only the rows of the tokens at hand are read; it counts where it is the head too.
    static func byteCount(_ configuration: ModelConfiguration, precision: ModelPrecision) -> Int {
        var total = 0
        let head = configuration.text.tiesEmbeddings ? TensorNames.embedding : TensorNames.head
        for requirement in TensorNames.required(by: configuration) {
            let count = requirement.shape.reduce(1, *)
            if requirement.name == TensorNames.embedding && requirement.name != head { continue }
            guard requirement.shape.count == 2 else {
                total += 4 * count
                continue
            }
            let (rows, columns) = (requirement.shape[0], requirement.shape[1])
            switch level(of: requirement.name, precision) {
            case .f32: total += 4 * count
            case .bf16: total += 2 * count
            case .int8: total += PackedMatrix.byteCount(CK_INT8, rows: rows, columns: columns)
            case .int4: total += PackedMatrix.byteCount(CK_INT4, rows: rows, columns: columns)
            }
        }
        return total
    }

    /// Whether a tensor belongs to the vision tower or the projector.
    private static func half(of name: String) -> Half {
        name.hasPrefix("vision_tower.") || name.hasPrefix("multi_modal_projector.") ? .vision : .text
    }

    private static func level(of name: String, _ precision: ModelPrecision) -> WeightPrecision {
        if name == TensorNames.embedding || name == TensorNames.head { return precision.head }
        return half(of: name) == .vision ? precision.vision : precision.text
    }

    private enum Half: String {
        case vision, text
    }

    /// The matrices of a half that are quantised, in the order in which layers ask for them.
    private static func wanted(
        _ checkpoint: Checkpoint,
        half: Half,
        precision: ModelPrecision
    ) -> [PackedWeights.Wanted] {
        let hasHead = checkpoint.weights.names.contains(TensorNames.head)
        let head = hasHead ? TensorNames.head : TensorNames.embedding
        var wanted: [PackedWeights.Wanted] = []
        for requirement in TensorNames.required(by: checkpoint.configuration) {
            guard requirement.shape.count == 2 else { continue }
            guard Self.half(of: requirement.name) == half else { continue }
            if requirement.name == TensorNames.embedding && requirement.name != head { continue }
            let level = level(of: requirement.name, precision)
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
