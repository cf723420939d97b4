import FaceLLM
import Foundation

extension ModelConfiguration {
    /// InternVL3-1B, read from what its `config.json` says about sizes.
    static func oneB() throws -> ModelConfiguration {
        let json = """
            {
              "architectures": ["InternVLForConditionalGeneration"], "model_type": "internvl",
              "downsample_ratio": 0.5, "image_seq_length": 256, "image_token_id": 151667,
              "projector_hidden_act": "gelu", "vision_feature_layer": -1, "vision_feature_select_strategy": "default",
              "text_config": {
                "model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
                "max_position_embeddings": 32768, "num_attention_heads": 14, "num_hidden_layers": 24,
                "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
                "tie_word_embeddings": false, "use_sliding_window": false, "vocab_size": 151674
              },
              "vision_config": {
                "model_type": "internvl_vision", "attention_bias": true, "hidden_act": "gelu", "hidden_size": 1024,
                "image_size": [448, 448], "intermediate_size": 4096, "layer_norm_eps": 1e-06,
                "norm_type": "layer_norm", "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 24,
                "patch_size": [14, 14], "use_absolute_position_embeddings": true, "use_mask_token": false,
                "use_mean_pooling": true, "use_qk_norm": false
              }
            }
            """
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
        try Data(json.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try ModelConfiguration(path: file.path)
    }
}
