/// The sizes and switches of an InternVL3 model: an InternViT, a projector and a Qwen2 language model.
///
/// One struct for the files of `transformers` 4.52 and later (`InternVLForConditionalGeneration`) and for those of the
/// original repository (`InternVLChatModel`); equal models compare equal whatever file they come from.
package struct ModelConfiguration: Sendable, Hashable {
    package var vision: Vision
    package var projector: Projector
    package var text: Text
    /// The vocabulary's entry whose embedding an image's features replace (`<IMG_CONTEXT>`).
    ///
    /// `nil` where neither `config.json` nor the tokenizer's files beside it say; then only the tokenizer knows.
    package var imageTokenID: Int?

    /// How many `<IMG_CONTEXT>` tokens one tile becomes.
    package var imageTokensPerTile: Int {
        let side = vision.gridSize / projector.shuffleFactor
        return side * side
    }

    /// The InternViT.
    package struct Vision: Sendable, Hashable {
        package enum Norm: String, Sendable, Hashable {
            /// Mean and variance, with weight and bias: InternViT-300M.
            case layer = "layer_norm"
            /// Root mean square, with weight only: InternViT-6B.
            case rms = "rms_norm"
        }

        package var layers: Int
        package var hiddenSize: Int
        package var attentionHeads: Int
        package var intermediateSize: Int
        /// The side of a tile, in pixels.
        package var imageSize: Int
        /// The side of a patch, in pixels; divides `imageSize`.
        package var patchSize: Int
        package var norm: Norm
        package var normEps: Float
        /// RMS norms of query and key over the whole width, before it is cut into heads.
        package var usesQKNorm: Bool
        /// Bias on query, key and value; the output projection always has one.
        package var hasQKVBias: Bool
        /// A norm after the last block (`use_mean_pooling: false`); the published models have none.
        package var hasFinalNorm: Bool

        package var channels: Int { 3 }
        package var headDim: Int { hiddenSize / attentionHeads }
        /// Patches on one side of a tile.
        package var gridSize: Int { imageSize / patchSize }
        /// Patches of a tile and the class token.
        package var tokens: Int { gridSize * gridSize + 1 }
    }

    /// From the vision tower's width to the language model's.
    package struct Projector: Sendable, Hashable {
        /// So many patches on each side become one token (`downsample_ratio` 0.5).
        package var shuffleFactor: Int
        /// `vision.hiddenSize * shuffleFactor * shuffleFactor`.
        package var inputSize: Int
        /// `text.hiddenSize`.
        package var hiddenSize: Int
        package var normEps: Float
    }

    /// The Qwen2 language model.
    package struct Text: Sendable, Hashable {
        package var layers: Int
        package var hiddenSize: Int
        package var attentionHeads: Int
        /// Divides `attentionHeads`.
        package var kvHeads: Int
        /// Even, for rotary positions.
        package var headDim: Int
        package var intermediateSize: Int
        /// Rows of the embedding; the tokenizer may have a few tokens more.
        package var vocabularySize: Int
        package var rmsNormEps: Float
        package var ropeTheta: Double
        package var ropeScaling: RopeScaling
        /// Positions that the model was trained for.
        package var maxPositions: Int
        /// Whether the embedding is also the output head.
        ///
        /// As `config.json` says until the weights are known: `Checkpoint` makes it false where a `lm_head` is there.
        package var tiesEmbeddings: Bool
    }

    package enum RopeScaling: Sendable, Hashable {
        case none
        /// No effect up to `maxPositions`; beyond, the base grows with the length of the sequence.
        case dynamic(factor: Double)
    }
}
