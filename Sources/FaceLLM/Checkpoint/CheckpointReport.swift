/// Everything that can be told of a model folder without running the model, and everything that is wrong with it.
///
/// Parts that could not be found out, because an earlier part is at fault, are nil.
package struct CheckpointReport: Sendable, Hashable, Encodable {
    /// The folder with `config.json`, or the one that was named.
    package let directory: String
    /// What the folder says of being random noise.
    package internal(set) var noise: String?
    package internal(set) var architecture: Architecture?
    package internal(set) var weights: Weights?
    package internal(set) var values: Values?
    package internal(set) var tokenizer: TokenizerFacts?
    /// Tokens that end an answer, rising.
    package internal(set) var stopTokens: [Int]?
    package internal(set) var images: Images?
    /// What is unusual and does no harm.
    package internal(set) var remarks: [String] = []
    /// Why the model cannot be run; empty where it can.
    package internal(set) var faults: [CheckpointError] = []

    package var isUsable: Bool { faults.isEmpty }

    init(directory: String) { self.directory = directory }

    package struct Architecture: Sendable, Hashable, Encodable {
        /// `InternVL3-1B` and so on by the sizes; nil for another size.
        package let name: String?
        package let vision: Part
        /// Its width is the language model's.
        package let projector: Part
        package let text: Part
        package let vocabularySize: Int
        package let memory: Memory

        package var parameters: Int { vision.parameters + projector.parameters + text.parameters }
    }

    /// One of the three parts of the model.
    package struct Part: Sendable, Hashable, Encodable {
        package let layers: Int
        package let hiddenSize: Int
        package let parameters: Int
    }

    /// Bytes that describing a face takes: one of the first four, and all of the others.
    ///
    /// Of the embedding only the rows of the tokens at hand are read: it counts only where it is the head too.
    package struct Memory: Sendable, Hashable, Encodable {
        /// Matrices as bfloat16.
        package let bf16: Int
        /// Matrices as float32.
        package let f32: Int
        /// Matrices of 8 bits.
        package let int8: Int
        /// The vision tower in 8 bits, the language model in 4.
        package let int4: Int
        /// Buffers for computing one face at a time.
        package let working: Int
        /// The program with its tokenizer, the kernels' scratch, and the networks that find the face.
        package let program: Int
        /// Keys and values of one token in all layers, float32.
        package let cachePerToken: Int
    }

    package struct Weights: Sendable, Hashable, Encodable {
        /// `A`, `B` or `B′`.
        package let layout: String
        package let tensors: Int
        /// How many tensors have each element type.
        package let elementTypes: [String: Int]
        package let hasSeparateHead: Bool
        package let files: [File]
    }

    package struct File: Sendable, Hashable, Encodable {
        package let name: String
        package let bytes: Int
    }

    /// How many of the numbers were looked at for infinities and NaN.
    package struct Values: Sendable, Hashable, Encodable {
        package let checked: Int
        package let total: Int
    }

    package struct TokenizerFacts: Sendable, Hashable, Encodable {
        /// The files that it was read from.
        package let kind: String
        /// Tokens with the added ones.
        package let tokens: Int
        /// The tokens that the chat format needs.
        package let specialTokens: [String: Int]
    }

    package struct Images: Sendable, Hashable, Encodable {
        /// Side of a tile, pixels.
        package let tileSize: Int
        package let tokensPerTile: Int
        package let maxTiles: Int
        package let mean: [Float]
        package let deviation: [Float]
    }
}
