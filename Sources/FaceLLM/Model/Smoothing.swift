/// Takes channels that are far larger than the others out of what is quantised: each is divided by a factor in the norm
/// before a product and multiplied by it in the product's weights, so that the result is the same.
///
/// A token's activations of 8 bits share one scale (for weights of 4 bits, 32 of them do), which its largest channel
/// sets: with a norm's gain of 30 in one channel, as Qwen2 and InternViT have them, the ordinary channels keep two or
/// three bits. The factor is the square root of what a channel exceeds the others by, so that activations and weights
/// share the damage (SmoothQuant, arXiv 2211.10438, with strength 1/2; there activations were measured, here their size
/// is the norm's gain and bias for an input of unit variance, which needs no data). Nothing is computed at run time.
///
/// On random weights with a few gains of 20 to 50, the least cosine of a product went from 0.9979 to 0.9997, and where
/// the weights of these channels are small as they are in trained models, from 0.971 to 0.999; 4 bits gained as well.
struct Smoothing {
    /// A channel is smoothed where it exceeds the median by so much; below that nothing changes, not a bit.
    static let threshold: Float = 4

    /// What the weight (and bias) of a norm is divided by, by the tensor's name: [channels].
    private let divisors: [String: [Float]]
    /// What the columns of a matrix are multiplied by: [inputs].
    private let factors: [String: [Float]]

    /// - Parameters:
    ///   - source: where norms are read.
    ///   - precision: only quantised matrices and the norms before them are changed.
    init(
        _ source: any WeightSource,
        configuration: ModelConfiguration,
        precision: ModelPrecision
    ) throws(CheckpointError) {
        var divisors: [String: [Float]] = [:]
        var factors: [String: [Float]] = [:]
        for norm in Self.norms(source, configuration, precision) {
            let gain = try source.tensor(norm.weight, shape: [norm.width]).values
            var bias: [Float]?
            if let name = norm.bias { bias = try source.tensor(name, shape: [norm.width]).values }
            guard let found = Self.factors(gain: gain, bias: bias) else { continue }
            divisors[norm.weight] = found
            if let name = norm.bias { divisors[name] = found }
            for matrix in norm.matrices { factors[matrix] = found }
        }
        self.divisors = divisors
        self.factors = factors
    }

    /// The factor of each channel; nil where none stands out.
    ///
    /// - Parameters:
    ///   - gain: a norm's weights, [channels].
    ///   - bias: its bias, [channels]; nil where it has none.
    static func factors(gain: [Float], bias: [Float]?) -> [Float]? {
        // The root of a channel's mean square, for an input of unit variance.
        let sizes = gain.indices.map { channel in
            let (g, b) = (gain[channel], bias?[channel] ?? 0)
            return (g * g + b * b).squareRoot()
        }
        guard sizes.allSatisfy(\.isFinite) else { return nil }
        let median = sizes.sorted()[sizes.count / 2]
        guard median > 0, sizes.contains(where: { $0 > threshold * median }) else { return nil }
        return sizes.map { $0 > threshold * median ? ($0 / median).squareRoot() : 1 }
    }

    /// A norm's weight or bias as it goes with smoothed matrices.
    func vector(_ name: String, _ values: [Float]) -> [Float] {
        guard let divisors = divisors[name] else { return values }
        return zip(values, divisors).map { $0 / $1 }
    }

    /// What to multiply a matrix's columns by; nil for nothing.
    func factors(of matrix: String) -> [Float]? { factors[matrix] }

    // MARK: - Which norm stands before which matrices

    private struct Norm {
        let weight: String
        let bias: String?
        let width: Int
        let matrices: [String]
    }

    private static func norms(
        _ source: any WeightSource,
        _ configuration: ModelConfiguration,
        _ precision: ModelPrecision
    ) -> [Norm] {
        let v = configuration.vision, t = configuration.text
        var norms: [Norm] = []
        if precision.vision.isQuantised {
            func add(_ name: String, hasBias: Bool, width: Int, before layers: [String]) {
                norms.append(
                    Norm(
                        weight: name + ".weight",
                        bias: hasBias ? name + ".bias" : nil,
                        width: width,
                        matrices: layers.map { $0 + ".weight" }
                    )
                )
            }
            for index in 0..<v.layers {
                let block = TensorNames.VisionBlock(index)
                let hasBias = v.norm == .layer, width = v.hiddenSize
                add(block.normBefore, hasBias: hasBias, width: width, before: [block.query, block.key, block.value])
                add(block.normAfter, hasBias: hasBias, width: width, before: [block.fc1])
            }
            let width = configuration.projector.inputSize
            add(TensorNames.projectorNorm, hasBias: true, width: width, before: [TensorNames.projectorLinear1])
        }
        func add(_ name: String, before matrices: [String]) {
            norms.append(Norm(weight: name, bias: nil, width: t.hiddenSize, matrices: matrices))
        }
        if precision.text.isQuantised {
            for index in 0..<t.layers {
                let layer = TensorNames.TextLayer(index)
                add(layer.inputNorm, before: [layer.query, layer.key, layer.value].map { $0 + ".weight" })
                add(layer.postAttentionNorm, before: [layer.gate, layer.up])
            }
        }
        if precision.head.isQuantised {
            let hasHead = source.names.contains(TensorNames.head)
            add(TensorNames.textFinalNorm, before: [hasHead ? TensorNames.head : TensorNames.embedding])
        }
        return norms
    }
}
