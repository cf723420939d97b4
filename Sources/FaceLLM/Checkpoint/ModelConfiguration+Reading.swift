extension ModelConfiguration {
    private static let remedy = "This program runs InternVL3 and FaceLLM: an InternViT with a Qwen2 language model."

    /// Reads `config.json` and, for the image token where that file leaves it out, the tokenizer's files beside it.
    ///
    /// - Parameter path: of `config.json`.
    /// - Throws: `CheckpointError` of kind `unreadable`, `malformed`, `unknownArchitecture` or `invalidConfiguration`.
    package init(path: String) throws(CheckpointError) {
        let limit = 16 << 20
        try self.init(file: path, members: JSONValue.object(at: path, limit: limit))
        if imageTokenID == nil {
            let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            imageTokenID = try Self.imageToken(directory: directory, vocabularySize: text.vocabularySize)
        }
    }

    /// - Parameters:
    ///   - file: for errors.
    ///   - members: the outermost object of `config.json`.
    init(file: String, members: [String: JSONValue]) throws(CheckpointError) {
        let root = ConfigurationReader(file: file, members: members)
        let types = ["internvl", "internvl_chat"]
        guard case .string(let type)? = root["model_type"], types.contains(type) else {
            let expected = types.map { "\"\($0)\"" }.joined(separator: " or ")
            throw root.invalid("model_type", kind: .unknownArchitecture, expected: expected, remedy: Self.remedy)
        }
        let isChat = type == "internvl_chat"
        for key in ["quantization_config", "compression_config"] where root[key] != nil {
            let remedy = "Use the unquantised model."
            throw root.invalid(key, kind: .unknownArchitecture, expected: "plain weights", remedy: remedy)
        }
        let vision = try Vision(root.object("vision_config"), isChat: isChat)
        let text = try Text(root.object(isChat ? "llm_config" : "text_config"))
        try root.require("downsample_ratio", .number(0.5))
        guard vision.gridSize.isMultiple(of: 2) else {
            throw root.invalid(
                "vision_config.image_size",
                expected: "an even number of patches on each side",
                found: "\(vision.gridSize)"
            )
        }
        self.vision = vision
        self.text = text
        projector = Projector(
            shuffleFactor: 2,
            inputSize: vision.hiddenSize * 4,
            hiddenSize: text.hiddenSize,
            normEps: 1e-5
        )
        if isChat {
            imageTokenID = nil
            // An absent key means v1, whose features come in another order.
            _ = try root.word("ps_version", of: ["v2"])
            try root.require("select_layer", .number(-1))
            // Another size would ask for interpolated position embeddings.
            try root.require("force_image_size", .number(Double(vision.imageSize)))
        } else {
            let ids = 0...text.vocabularySize - 1
            let key = ["image_token_id", "image_token_index"].first { root[$0] != nil }
            imageTokenID = if let key { try root.integer(key, in: ids) } else { nil }
            try root.require("projector_hidden_act", .string("gelu"))
            try root.require("vision_feature_layer", .number(-1))
            try root.require("vision_feature_select_strategy", .string("default"))
            try root.require("image_seq_length", .number(Double(imageTokensPerTile)))
        }
    }

    /// The id of `<IMG_CONTEXT>` in `added_tokens.json` or `tokenizer_config.json`; `nil` where neither has it.
    private static func imageToken(directory: String, vocabularySize: Int) throws(CheckpointError) -> Int? {
        let token = "<IMG_CONTEXT>"
        let ids = 0...vocabularySize - 1
        let added = "\(directory)/added_tokens.json"
        if MappedFile.exists(added) {
            let reader = try ConfigurationReader(file: added, members: JSONValue.object(at: added, limit: 16 << 20))
            if reader[token] != nil { return try reader.integer(token, in: ids) }
        }
        let settings = "\(directory)/tokenizer_config.json"
        guard MappedFile.exists(settings),
            case .object(let decoder)? = try JSONValue.object(at: settings, limit: 16 << 20)["added_tokens_decoder"]
        else { return nil }
        let found = decoder.first { $0.value["content"] == .string(token) }
        guard let found else { return nil }
        guard let id = Int(found.key), ids.contains(id) else {
            throw CheckpointError(
                .invalidConfiguration,
                file: settings,
                key: "added_tokens_decoder",
                expected: "an id of \(token) from 0 to \(ids.upperBound)",
                found: "\"\(CheckpointError.printable(found.key))\""
            )
        }
        return id
    }
}

extension ModelConfiguration.Vision {
    private static let sizes = 1...(1 << 16)

    /// Absent keys have the defaults of the class that wrote the file: `InternVLVisionConfig` of `transformers`, or
    /// `InternVisionConfig` of the original repository, whose defaults are those of InternViT-6B.
    fileprivate init(_ reader: ConfigurationReader, isChat: Bool) throws(CheckpointError) {
        let type = isChat ? "intern_vit_6b" : "internvl_vision"
        if let found = reader["model_type"], found != .string(type) {
            throw reader.invalid("model_type", kind: .unknownArchitecture, expected: "\"\(type)\"")
        }
        layers = try reader.integer("num_hidden_layers", in: 1...1024, default: isChat ? 48 : 24)
        hiddenSize = try reader.integer("hidden_size", in: Self.sizes, default: isChat ? 3200 : 1024)
        attentionHeads = try reader.integer("num_attention_heads", in: 1...1024, default: isChat ? 25 : 16)
        intermediateSize = try reader.integer("intermediate_size", in: Self.sizes, default: isChat ? 12800 : 4096)
        imageSize = try reader.square("image_size", in: 1...8192, default: isChat ? 224 : 448)
        patchSize = try reader.square("patch_size", in: 1...512, default: 14)
        let norms = [Norm.layer.rawValue, Norm.rms.rawValue]
        norm = try reader.word("norm_type", of: norms, default: norms[isChat ? 1 : 0]) == norms[0] ? .layer : .rms
        normEps = Float(try reader.number("layer_norm_eps", in: 1e-12...0.1, default: 1e-6))
        usesQKNorm = try reader.bool(isChat ? "qk_normalization" : "use_qk_norm", default: isChat)
        hasQKVBias = try reader.bool(isChat ? "qkv_bias" : "attention_bias", default: false)
        hasFinalNorm = try isChat ? false : !reader.bool("use_mean_pooling", default: true)
        try reader.require("hidden_act", .string("gelu"))
        try reader.require("num_channels", .number(3))
        if !isChat { try reader.require("use_absolute_position_embeddings", .bool(true)) }
        guard hiddenSize.isMultiple(of: attentionHeads) else {
            let expected = "a multiple of num_attention_heads (\(attentionHeads))"
            throw reader.invalid("hidden_size", expected: expected, found: "\(hiddenSize)")
        }
        guard imageSize.isMultiple(of: patchSize) else {
            let expected = "a multiple of patch_size (\(patchSize))"
            throw reader.invalid("image_size", expected: expected, found: "\(imageSize)")
        }
    }
}

extension ModelConfiguration.Text {
    private static let sizes = 1...(1 << 18)

    /// Sizes are required; other absent keys have the defaults of `Qwen2Config`.
    fileprivate init(_ reader: ConfigurationReader) throws(CheckpointError) {
        guard reader["model_type"] == .string("qwen2") else {
            let remedy = "Only InternVL3 with a Qwen2 language model is supported; InternVL2.5 and 3.5 have others."
            throw reader.invalid("model_type", kind: .unknownArchitecture, expected: "\"qwen2\"", remedy: remedy)
        }
        layers = try reader.integer("num_hidden_layers", in: 1...1024)
        hiddenSize = try reader.integer("hidden_size", in: Self.sizes)
        attentionHeads = try reader.integer("num_attention_heads", in: 1...1024)
        kvHeads = try reader.integer("num_key_value_heads", in: 1...1024, default: attentionHeads)
        intermediateSize = try reader.integer("intermediate_size", in: Self.sizes)
        vocabularySize = try reader.integer("vocab_size", in: 1...(1 << 22))
        rmsNormEps = Float(try reader.number("rms_norm_eps", in: 1e-12...0.1, default: 1e-6))
        maxPositions = try reader.integer("max_position_embeddings", in: 1...(1 << 24), default: 32768)
        tiesEmbeddings = try reader.bool("tie_word_embeddings", default: false)
        try reader.require("hidden_act", .string("silu"))
        try reader.require("use_sliding_window", .bool(false))
        if case .array(let kinds)? = reader["layer_types"] {
            guard kinds.allSatisfy({ $0 == .string("full_attention") }) else {
                throw reader.invalid("layer_types", expected: "\"full_attention\" for each layer")
            }
        }
        (ropeTheta, ropeScaling) = try Self.rope(reader)

        guard attentionHeads.isMultiple(of: kvHeads) else {
            let expected = "a divisor of num_attention_heads (\(attentionHeads))"
            throw reader.invalid("num_key_value_heads", expected: expected, found: "\(kvHeads)")
        }
        if reader["head_dim"] != nil {
            headDim = try reader.integer("head_dim", in: 2...1024)
        } else {
            guard hiddenSize.isMultiple(of: attentionHeads) else {
                let expected = "a multiple of num_attention_heads (\(attentionHeads))"
                throw reader.invalid("hidden_size", expected: expected, found: "\(hiddenSize)")
            }
            headDim = hiddenSize / attentionHeads
        }
        guard headDim.isMultiple(of: 2) else {
            throw reader.invalid("head_dim", expected: "an even number", found: "\(headDim)")
        }
    }

    /// `rope_parameters` of `transformers` 5, or `rope_theta` with `rope_scaling` of the versions before.
    private static func rope(
        _ reader: ConfigurationReader
    ) throws(CheckpointError) -> (Double, ModelConfiguration.RopeScaling) {
        let thetas = 0.0...1e12
        let parameters = try reader.optionalObject("rope_parameters")
        let fallback = try reader.number("rope_theta", in: thetas, default: 10_000)
        let theta = try parameters?.number("rope_theta", in: thetas, default: fallback) ?? fallback
        let older = try reader.optionalObject("rope_scaling")
        guard let scaling = parameters ?? older else { return (theta, .none) }
        let key = scaling["rope_type"] != nil ? "rope_type" : "type"
        switch try scaling.word(key, of: ["default", "dynamic"], default: "default") {
        case "dynamic": return (theta, .dynamic(factor: try scaling.number("factor", in: 0...1024, default: 1)))
        default: return (theta, .none)
        }
    }
}
