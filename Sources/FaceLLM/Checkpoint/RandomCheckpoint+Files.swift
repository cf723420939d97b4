extension RandomCheckpoint {
    /// The sizes of the model, as its `config.json` says them.
    package var configuration: ModelConfiguration {
        let ranks: Int
        let vision: ModelConfiguration.Vision
        var text: ModelConfiguration.Text
        switch model {
        case .oneB:
            ranks = 151_643
            vision = Self.vision(layers: 24, hiddenSize: 1024, heads: 16, intermediateSize: 4096, imageSize: 448)
            text = Self.text(layers: 24, hiddenSize: 896, heads: 14, kvHeads: 2, intermediateSize: 4864)
        case .tiny:
            ranks = Tokenizer.smallRanks
            vision = Self.vision(layers: 3, hiddenSize: 64, heads: 4, intermediateSize: 128, imageSize: 56)
            text = Self.text(layers: 3, hiddenSize: 64, heads: 4, kvHeads: 2, intermediateSize: 160)
        }
        // 31 added tokens have an embedding; <IMG_CONTEXT> is the 25th of them.
        text.vocabularySize = ranks + 31
        return ModelConfiguration(
            vision: vision,
            projector: .init(
                shuffleFactor: 2,
                inputSize: 4 * vision.hiddenSize,
                hiddenSize: text.hiddenSize,
                normEps: 1e-5
            ),
            text: text,
            imageTokenID: ranks + 24
        )
    }

    private static func vision(
        layers: Int,
        hiddenSize: Int,
        heads: Int,
        intermediateSize: Int,
        imageSize: Int
    ) -> ModelConfiguration.Vision {
        .init(
            layers: layers,
            hiddenSize: hiddenSize,
            attentionHeads: heads,
            intermediateSize: intermediateSize,
            imageSize: imageSize,
            patchSize: 14,
            norm: .layer,
            normEps: 1e-6,
            usesQKNorm: false,
            hasQKVBias: true,
            hasFinalNorm: false
        )
    }

    private static func text(
        layers: Int,
        hiddenSize: Int,
        heads: Int,
        kvHeads: Int,
        intermediateSize: Int
    ) -> ModelConfiguration.Text {
        .init(
            layers: layers,
            hiddenSize: hiddenSize,
            attentionHeads: heads,
            kvHeads: kvHeads,
            headDim: hiddenSize / heads,
            intermediateSize: intermediateSize,
            vocabularySize: 0,
            rmsNormEps: 1e-6,
            ropeTheta: 1_000_000,
            ropeScaling: .dynamic(factor: 2),
            maxPositions: 32768,
            tiesEmbeddings: false
        )
    }

    /// Everything but weights and tokenizer.
    var sideFiles: [(name: String, text: String)] {
        [
            ("README.txt", readme),
            ("config.json", configurationJSON),
            ("generation_config.json", generationJSON),
            ("preprocessor_config.json", preprocessorJSON),
        ]
    }

    /// `<|endoftext|>`; `<|im_end|>` is two further.
    private var endOfText: Int { configuration.text.vocabularySize - 31 }

    private var readme: String {
        """
        The weights in this folder are random noise (seed \(seed)). Nothing was learned, and what a program says
        with them means nothing. The folder has the shape of an InternVL3 model and is there to try programs out
        and to measure their speed and memory. "facellm models make-random" made it.

        """
    }

    private var configurationJSON: String {
        let configuration = configuration
        let vision = configuration.vision
        let text = configuration.text
        return """
            {
              "\(Self.noteKey)": "\(Self.note(seed: seed))",
              "architectures": ["InternVLForConditionalGeneration"],
              "model_type": "internvl",
              "downsample_ratio": 0.5,
              "image_seq_length": \(configuration.imageTokensPerTile),
              "image_token_id": \(endOfText + 24),
              "projector_hidden_act": "gelu",
              "vision_feature_layer": -1,
              "vision_feature_select_strategy": "default",
              "tie_word_embeddings": false,
              "torch_dtype": "bfloat16",
              "vision_config": {
                "model_type": "internvl_vision",
                "hidden_size": \(vision.hiddenSize),
                "num_hidden_layers": \(vision.layers),
                "num_attention_heads": \(vision.attentionHeads),
                "intermediate_size": \(vision.intermediateSize),
                "image_size": [\(vision.imageSize), \(vision.imageSize)],
                "patch_size": [\(vision.patchSize), \(vision.patchSize)],
                "num_channels": 3,
                "attention_bias": true,
                "hidden_act": "gelu",
                "layer_norm_eps": 1e-06,
                "layer_scale_init_value": 0.1,
                "norm_type": "layer_norm",
                "use_absolute_position_embeddings": true,
                "use_mean_pooling": true,
                "use_qk_norm": false
              },
              "text_config": {
                "architectures": ["Qwen2ForCausalLM"],
                "model_type": "qwen2",
                "hidden_size": \(text.hiddenSize),
                "num_hidden_layers": \(text.layers),
                "num_attention_heads": \(text.attentionHeads),
                "num_key_value_heads": \(text.kvHeads),
                "intermediate_size": \(text.intermediateSize),
                "vocab_size": \(text.vocabularySize),
                "max_position_embeddings": \(text.maxPositions),
                "hidden_act": "silu",
                "rms_norm_eps": 1e-06,
                "rope_theta": 1000000.0,
                "rope_scaling": {"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"},
                "tie_word_embeddings": false,
                "use_sliding_window": false,
                "bos_token_id": \(endOfText),
                "eos_token_id": \(endOfText)
              }
            }

            """
    }

    private var generationJSON: String {
        """
        {
          "bos_token_id": \(endOfText),
          "eos_token_id": \(endOfText + 2),
          "pad_token_id": \(endOfText)
        }

        """
    }

    private var preprocessorJSON: String {
        let side = configuration.vision.imageSize
        return """
            {
              "image_processor_type": "GotOcr2ImageProcessorFast",
              "processor_class": "InternVLProcessor",
              "crop_to_patches": false,
              "min_patches": 1,
              "max_patches": 12,
              "do_convert_rgb": true,
              "do_resize": true,
              "size": {"height": \(side), "width": \(side)},
              "resample": 3,
              "do_rescale": true,
              "rescale_factor": 0.00392156862745098,
              "do_normalize": true,
              "image_mean": [0.485, 0.456, 0.406],
              "image_std": [0.229, 0.224, 0.225]
            }

            """
    }
}
