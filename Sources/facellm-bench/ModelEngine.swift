import Benchmarking
import FaceLLM

/// A model as `facellm-bench engine` drives it.
struct ModelEngine: EngineUnderTest {
    /// How weights are held and multiplied.
    enum Precision: String, CaseIterable {
        /// As they are stored, multiplied in float32.
        case stored
    }

    private let model: VisionLanguageModel
    private var cache: KVCache
    private let pixels: [Float]
    private let token: Int
    /// Of the language model's matrices in memory.
    private let bytesPerWeight: Int

    init(folder: String, precision: Precision, threads: Int) throws {
        let checkpoint = try Checkpoint.open(folder)
        model = try VisionLanguageModel(
            checkpoint.weights,
            configuration: checkpoint.configuration,
            pool: ComputePool(threads: threads)
        )
        bytesPerWeight = model.language.storedType.size
        cache = model.language.makeCache(capacity: Self.capacity)
        let vision = checkpoint.configuration.vision
        pixels = (0..<vision.channels * vision.imageSize * vision.imageSize).map { Float($0 % 255) / 127 - 1 }
        token = checkpoint.configuration.text.vocabularySize / 2
    }

    /// Tokens: more than any stage needs.
    private static let capacity = 2048

    var configuration: ModelConfiguration { model.configuration }
    var visionArithmetic: Arithmetic { .float32 }
    var textArithmetic: Arithmetic { .float32 }
    var bytesPerToken: Int { Int(EngineWork.decodeWeights(configuration)) * bytesPerWeight }

    mutating func encodeVision(batch: Int) {
        for _ in 0..<batch { _ = model.vision.encode(pixels) }
    }

    mutating func prefill(tokens: Int) {
        cache.roll(backTo: 0)
        forward([Int](repeating: token, count: tokens))
    }

    mutating func decode(context: Int, tokens: Int) {
        cache.roll(backTo: context)
        for _ in 0..<tokens { forward([token]) }
    }

    /// Logits of the last token.
    private mutating func forward(_ ids: [Int]) {
        let hidden = model.language.forward(model.language.embed(ids), cache: &cache, wanted: .last, expected: 128)
        if let hidden { model.language.withLogits(hidden) { _ in } }
    }
}
