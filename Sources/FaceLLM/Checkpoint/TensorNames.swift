/// The canonical names of InternVL3's tensors: those of the published `InternVL3-*-hf` files, whatever the file at hand
/// calls them.
///
/// Linear weights are [out, in]. A norm's or linear layer's name stands for `.weight` and, where there is one, `.bias`.
package enum TensorNames {
    /// Shape [1, 1, vision.hiddenSize].
    package static let classToken = "vision_tower.embeddings.cls_token"
    /// Shape [1, vision.tokens, vision.hiddenSize].
    package static let positions = "vision_tower.embeddings.position_embeddings"
    /// Shape [vision.hiddenSize, 3, patchSize, patchSize], and a bias.
    package static let patches = "vision_tower.embeddings.patch_embeddings.projection"
    /// Only where `vision.hasFinalNorm`.
    package static let visionFinalNorm = "vision_tower.layernorm"

    package static let projectorNorm = "multi_modal_projector.layer_norm"
    package static let projectorLinear1 = "multi_modal_projector.linear_1"
    package static let projectorLinear2 = "multi_modal_projector.linear_2"

    /// Shape [vocabularySize, text.hiddenSize].
    package static let embedding = "language_model.model.embed_tokens.weight"
    package static let textFinalNorm = "language_model.model.norm.weight"
    /// Shape [vocabularySize, text.hiddenSize]; absent where the embedding is the head.
    package static let head = "language_model.lm_head.weight"

    /// The names of one block of the vision tower.
    package struct VisionBlock: Sendable, Hashable {
        private let prefix: String

        package init(_ index: Int) { prefix = "vision_tower.encoder.layer.\(index)" }

        package var normBefore: String { "\(prefix).layernorm_before" }
        package var query: String { "\(prefix).attention.q_proj" }
        package var key: String { "\(prefix).attention.k_proj" }
        package var value: String { "\(prefix).attention.v_proj" }
        /// Only where `vision.usesQKNorm`; [vision.hiddenSize].
        package var queryNorm: String { "\(prefix).attention.q_norm" }
        package var keyNorm: String { "\(prefix).attention.k_norm" }
        package var output: String { "\(prefix).attention.projection_layer" }
        /// Layer scale of the attention, [vision.hiddenSize], the whole name.
        package var scale1: String { "\(prefix).lambda_1" }
        package var normAfter: String { "\(prefix).layernorm_after" }
        package var fc1: String { "\(prefix).mlp.fc1" }
        package var fc2: String { "\(prefix).mlp.fc2" }
        /// Layer scale of the MLP, [vision.hiddenSize], the whole name.
        package var scale2: String { "\(prefix).lambda_2" }
    }

    /// The names of one layer of the language model.
    package struct TextLayer: Sendable, Hashable {
        private let prefix: String

        package init(_ index: Int) { prefix = "language_model.model.layers.\(index)" }

        package var inputNorm: String { "\(prefix).input_layernorm.weight" }
        /// With a bias, as key and value.
        package var query: String { "\(prefix).self_attn.q_proj" }
        package var key: String { "\(prefix).self_attn.k_proj" }
        package var value: String { "\(prefix).self_attn.v_proj" }
        package var output: String { "\(prefix).self_attn.o_proj.weight" }
        package var postAttentionNorm: String { "\(prefix).post_attention_layernorm.weight" }
        package var gate: String { "\(prefix).mlp.gate_proj.weight" }
        package var up: String { "\(prefix).mlp.up_proj.weight" }
        package var down: String { "\(prefix).mlp.down_proj.weight" }
    }

    /// A tensor that a model needs.
    package struct Requirement: Sendable, Hashable {
        package let name: String
        package let shape: [Int]
    }

    /// Every tensor of a model with its shape, in the order in which a forward pass meets them.
    package static func required(by configuration: ModelConfiguration) -> [Requirement] {
        var list = RequirementList()
        list.addVision(configuration.vision)
        let projector = configuration.projector
        list.addLayerNorm(projectorNorm, width: projector.inputSize)
        list.addLinear(projectorLinear1, out: projector.hiddenSize, in: projector.inputSize)
        list.addLinear(projectorLinear2, out: projector.hiddenSize, in: projector.hiddenSize)
        list.addText(configuration.text)
        return list.requirements
    }
}

/// Collects what a model needs.
private struct RequirementList {
    var requirements: [TensorNames.Requirement] = []

    mutating func add(_ name: String, _ shape: [Int]) { requirements.append(.init(name: name, shape: shape)) }

    mutating func addLinear(_ name: String, out: Int, in width: Int, hasBias: Bool = true) {
        add("\(name).weight", [out, width])
        if hasBias { add("\(name).bias", [out]) }
    }

    mutating func addLayerNorm(_ name: String, width: Int) {
        add("\(name).weight", [width])
        add("\(name).bias", [width])
    }

    mutating func addNorm(_ name: String, width: Int, kind: ModelConfiguration.Vision.Norm) {
        add("\(name).weight", [width])
        if kind == .layer { add("\(name).bias", [width]) }
    }

    mutating func addVision(_ vision: ModelConfiguration.Vision) {
        let width = vision.hiddenSize
        add(TensorNames.classToken, [1, 1, width])
        add(TensorNames.positions, [1, vision.tokens, width])
        add("\(TensorNames.patches).weight", [width, vision.channels, vision.patchSize, vision.patchSize])
        add("\(TensorNames.patches).bias", [width])
        for index in 0..<vision.layers {
            let block = TensorNames.VisionBlock(index)
            addNorm(block.normBefore, width: width, kind: vision.norm)
            for name in [block.query, block.key, block.value] {
                addLinear(name, out: width, in: width, hasBias: vision.hasQKVBias)
            }
            if vision.usesQKNorm {
                add("\(block.queryNorm).weight", [width])
                add("\(block.keyNorm).weight", [width])
            }
            addLinear(block.output, out: width, in: width)
            add(block.scale1, [width])
            addNorm(block.normAfter, width: width, kind: vision.norm)
            addLinear(block.fc1, out: vision.intermediateSize, in: width)
            addLinear(block.fc2, out: width, in: vision.intermediateSize)
            add(block.scale2, [width])
        }
        if vision.hasFinalNorm { addLayerNorm(TensorNames.visionFinalNorm, width: width) }
    }

    mutating func addText(_ text: ModelConfiguration.Text) {
        let width = text.hiddenSize
        let attention = text.attentionHeads * text.headDim
        add(TensorNames.embedding, [text.vocabularySize, width])
        for index in 0..<text.layers {
            let layer = TensorNames.TextLayer(index)
            add(layer.inputNorm, [width])
            addLinear(layer.query, out: attention, in: width)
            addLinear(layer.key, out: text.kvHeads * text.headDim, in: width)
            addLinear(layer.value, out: text.kvHeads * text.headDim, in: width)
            add(layer.output, [width, attention])
            add(layer.postAttentionNorm, [width])
            add(layer.gate, [text.intermediateSize, width])
            add(layer.up, [text.intermediateSize, width])
            add(layer.down, [width, text.intermediateSize])
        }
        add(TensorNames.textFinalNorm, [width])
        if !text.tiesEmbeddings { add(TensorNames.head, [text.vocabularySize, width]) }
    }
}
