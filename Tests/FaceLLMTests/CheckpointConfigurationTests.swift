import FoundationEssentials
import Testing

@testable import FaceLLM

@Suite("Configurations") struct CheckpointConfigurationTests {
    /// Decodes `config.json` given as text.
    private func configuration(_ text: String) throws -> ModelConfiguration {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        guard case .object(let members) = value else {
            throw CheckpointError(.malformed, file: "config.json", expected: "an object", found: value.brief)
        }
        return try ModelConfiguration(file: "config.json", members: members)
    }

    /// A published size of InternVL3: the language model's sizes and how many parameters its files hold.
    struct Size: Sendable, CustomTestStringConvertible {
        let name: String
        let hiddenSize, layers, heads, kvHeads, intermediateSize: Int
        let parameters: Int
        var testDescription: String { name }

        /// - Parameter sizes: width, layers, heads, key/value heads, width of the MLP.
        init(_ name: String, _ sizes: [5 of Int], parameters: Int) {
            self.name = name
            (hiddenSize, layers, heads, kvHeads, intermediateSize) = (sizes[0], sizes[1], sizes[2], sizes[3], sizes[4])
            self.parameters = parameters
        }
    }

    static let sizes = [
        Size("1B", [896, 24, 14, 2, 4864], parameters: 938_193_024),
        Size("2B", [1536, 28, 12, 2, 8960], parameters: 2_088_957_440),
        Size("8B", [3584, 28, 28, 4, 18944], parameters: 7_944_373_760),
        Size("14B", [5120, 48, 40, 8, 13824], parameters: 15_117_256_704),
    ]

    private func text(_ size: Size) -> String {
        """
        {"model_type": "qwen2", "hidden_size": \(size.hiddenSize), "num_hidden_layers": \(size.layers),
         "num_attention_heads": \(size.heads), "num_key_value_heads": \(size.kvHeads), "hidden_act": "silu",
         "intermediate_size": \(size.intermediateSize), "vocab_size": 151674, "rms_norm_eps": 1e-06,
         "max_position_embeddings": 32768, "rope_theta": 1000000.0, "tie_word_embeddings": false,
         "rope_scaling": {"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"}}
        """
    }

    /// The sizes of the table in the model's documentation, each in both kinds of file.
    @Test(arguments: sizes) func published(_ size: Size) throws {
        let ours = try configuration(
            """
            {"model_type": "internvl", "image_seq_length": 256, "image_token_id": 151667, "text_config": \(text(size)),
             "vision_config": {"model_type": "internvl_vision", "attention_bias": true}}
            """
        )
        var chat = try configuration(
            """
            {"model_type": "internvl_chat", "ps_version": "v2", "force_image_size": 448, "select_layer": -1,
             "llm_config": \(text(size)),
             "vision_config": {"model_type": "intern_vit_6b", "hidden_size": 1024, "num_hidden_layers": 24,
              "num_attention_heads": 16, "intermediate_size": 4096, "image_size": 448, "norm_type": "layer_norm",
              "qk_normalization": false, "qkv_bias": true}}
            """
        )
        #expect(chat.imageTokenID == nil)
        chat.imageTokenID = 151_667
        #expect(ours == chat)
        #expect(ours.imageTokensPerTile == 256)
        #expect(ours.vision.tokens == 1025 && ours.vision.headDim == 64)
        #expect(ours.text.headDim == (size.name == "1B" ? 64 : 128))
        let required = TensorNames.required(by: ours)
        let parameters = required.reduce(0) { $0 + $1.shape.reduce(1, *) }
        #expect(parameters == size.parameters)
        if size.name == "1B" {
            #expect(required.count == 733)
            #expect(Set(required.map { Layout.chat.location(of: $0.name).name }).count == 637)
        }
    }

    /// The vision tower of the 38B: 45 layers, RMS norms, query and key norms, no bias.
    @Test func the38B() throws {
        let model = try configuration(
            """
            {"model_type": "internvl_chat", "ps_version": "v2", "llm_config": {"model_type": "qwen2",
              "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 40, "num_key_value_heads": 8,
              "intermediate_size": 27648, "vocab_size": 151674, "rope_theta": 1000000.0},
             "vision_config": {"num_hidden_layers": 45, "image_size": 448}}
            """
        )
        #expect(model.vision.hiddenSize == 3200 && model.vision.attentionHeads == 25 && model.vision.headDim == 128)
        #expect(model.vision.norm == .rms && model.vision.usesQKNorm && !model.vision.hasQKVBias)
        #expect(model.projector.inputSize == 12800 && model.projector.hiddenSize == 5120)
        let parameters = TensorNames.required(by: model).reduce(0) { $0 + $1.shape.reduce(1, *) }
        // 38.39 B, as published.
        #expect((38_380_000_000..<38_400_000_000).contains(parameters))
    }

    /// A replacement in the synthetic model's `config.json`, and the key that the error has to name.
    struct Fault: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let key: String
        let kind: CheckpointError.Kind
        var testDescription: String { new }

        init(_ old: String, _ new: String, _ key: String, _ kind: CheckpointError.Kind = .invalidConfiguration) {
            (self.old, self.new, self.key, self.kind) = (old, new, key, kind)
        }
    }

    static let faults = [
        Fault(
            #""model_type": "internvl""#,
            #""model_type": "llava""#,
            "model_type",
            .unknownArchitecture
        ),
        Fault(#""model_type": "internvl", "#, "", "model_type", .unknownArchitecture),
        Fault(#""qwen2""#, #""qwen3""#, "text_config.model_type", .unknownArchitecture),
        Fault(
            #""downsample_ratio": 0.5"#,
            #""quantization_config": {"bits": 4}"#,
            "quantization_config",
            .unknownArchitecture
        ),
        Fault(#""downsample_ratio": 0.5"#, #""downsample_ratio": 1"#, "downsample_ratio"),
        Fault(#""image_seq_length": 1"#, #""image_seq_length": 4"#, "image_seq_length"),
        Fault(#""image_token_id": 3"#, #""image_token_id": 16"#, "image_token_id"),
        Fault(#""image_token_id": 3"#, #""image_token_id": -1"#, "image_token_id"),
        Fault(#""vision_config""#, #""vision_settings""#, "vision_config"),
        Fault("[4, 4]", "[4, 6]", "vision_config.image_size"),
        Fault("[4, 4]", "[5, 5]", "vision_config.image_size"),
        Fault("[4, 4]", "[6, 6]", "vision_config.image_size"),
        Fault("[4, 4]", "[]", "vision_config.image_size"),
        Fault("[4, 4]", "1e300", "vision_config.image_size"),
        Fault(#""attention_bias": true"#, #""attention_bias": 1"#, "vision_config.attention_bias"),
        Fault(#""attention_bias": true"#, #""num_channels": 1"#, "vision_config.num_channels"),
        Fault(#""attention_bias": true"#, #""norm_type": "batch""#, "vision_config.norm_type"),
        Fault(#""attention_bias": true"#, #""hidden_act": "gelu_tanh""#, "vision_config.hidden_act"),
        Fault(#""attention_bias": true"#, #""layer_norm_eps": 0"#, "vision_config.layer_norm_eps"),
        Fault(#"{"hidden_size": 8"#, #"{"hidden_size": 9"#, "vision_config.hidden_size"),
        Fault(
            "\"hidden_size\": 8, \"num_hidden_layers\": 1, \"num_attention_heads\": 2,\n  \"num_key",
            "\"num_hidden_layers\": 1, \"num_attention_heads\": 2,\n  \"num_key",
            "text_config.hidden_size"
        ),
        Fault(
            #""num_key_value_heads": 1"#,
            #""num_key_value_heads": 3"#,
            "text_config.num_key_value_heads"
        ),
        Fault(
            #""num_key_value_heads": 1"#,
            #""num_key_value_heads": 0"#,
            "text_config.num_key_value_heads"
        ),
        Fault(#""vocab_size": 16"#, #""vocab_size": 1.5"#, "text_config.vocab_size"),
        Fault(#""vocab_size": 16"#, #""vocab_size": 9223372036854775808"#, "text_config.vocab_size"),
        Fault(#""vocab_size": 16"#, #""vocab_size": 16, "head_dim": 5"#, "text_config.head_dim"),
        Fault(
            #""vocab_size": 16"#,
            #""vocab_size": 16, "use_sliding_window": true"#,
            "text_config.use_sliding_window"
        ),
        Fault(
            #""vocab_size": 16"#,
            #""vocab_size": 16, "layer_types": ["sliding_attention"]"#,
            "text_config.layer_types"
        ),
        Fault(#""rope_theta": 1000000.0"#, #""rope_theta": "1e6""#, "text_config.rope_theta"),
        Fault(#""rope_theta": 1000000.0"#, #""rope_theta": -1"#, "text_config.rope_theta"),
        Fault(
            #""rope_theta": 1000000.0"#,
            #""rope_scaling": {"type": "yarn", "factor": 4}"#,
            "text_config.rope_scaling.type"
        ),
        Fault(
            #""rope_theta": 1000000.0"#,
            #""rope_parameters": {"rope_theta": 0}"#,
            "text_config.rope_parameters.rope_theta"
        ),
        Fault(
            #""tie_word_embeddings": false"#,
            #""tie_word_embeddings": "no""#,
            "text_config.tie_word_embeddings"
        ),
    ]

    @Test(arguments: faults) func faultNamesTheKey(_ fault: Fault) throws {
        let parts = SyntheticModel.config.split(separator: fault.old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "the text to replace is not there")
        let found = try #require(checkpointError { _ = try configuration(parts.joined(separator: fault.new)) })
        #expect(found.kind == fault.kind && found.key == fault.key && found.file == "config.json", "\(found)")
    }

    @Test func finalNormWhereThereIsNoMeanPooling() throws {
        let text = SyntheticModel.config.split(separator: "\"attention_bias\": true")
            .joined(separator: "\"attention_bias\": true, \"use_mean_pooling\": false")
        let model = try configuration(text)
        #expect(model.vision.hasFinalNorm)
        #expect(TensorNames.required(by: model).contains { $0.name == "vision_tower.layernorm.bias" })
    }

    @Test(arguments: ["", "\"ps_version\": \"v1\", ", "\"ps_version\": \"v2\", \"force_image_size\": 224, "])
    func otherVersionsOfTheChatModel(_ keys: String) throws {
        let text = """
            {"model_type": "internvl_chat", \(keys)"llm_config": {"model_type": "qwen2", "hidden_size": 8,
              "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12, "vocab_size": 16},
             "vision_config": {"image_size": 448}}
            """
        #expect(checkpointError { _ = try configuration(text) }?.kind == .invalidConfiguration)
    }

    @Test func ropeOfNewerFilesWins() throws {
        let text = SyntheticModel.config.split(separator: "\"rope_theta\": 1000000.0").joined(
            separator: "\"rope_theta\": 5, \"rope_parameters\": {\"rope_theta\": 7, \"rope_type\": \"default\"}"
        )
        let model = try configuration(text).text
        #expect(model.ropeTheta == 7 && model.ropeScaling == .none)
    }

    /// The chat layout's `config.json` has no image token; the tokenizer's files have.
    @Test func imageTokenFromTheTokenizersFiles() throws {
        let folder = try CheckpointFolder()
        let config = SyntheticModel.config.split(separator: "\"image_token_id\": 3, ").joined()
        try folder.write(config, to: "config.json")
        let path = folder.file("config.json")
        #expect(try ModelConfiguration(path: path).imageTokenID == nil)
        try folder.write(
            "{\"added_tokens_decoder\": {\"5\": {\"content\": \"<IMG_CONTEXT>\"}}}",
            to: "tokenizer_config.json"
        )
        #expect(try ModelConfiguration(path: path).imageTokenID == 5)
        try folder.write("{\"<IMG_CONTEXT>\": 4}", to: "added_tokens.json")
        #expect(try ModelConfiguration(path: path).imageTokenID == 4)
        try folder.write("{\"<IMG_CONTEXT>\": 99}", to: "added_tokens.json")
        #expect(checkpointError { _ = try ModelConfiguration(path: path) }?.file == folder.file("added_tokens.json"))
    }
}
