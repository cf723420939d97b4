import ArgumentParser
import Benchmarking
import FaceLLM
import Foundation

/// A model as `facellm-bench engine` drives it.
struct ModelEngine: EngineUnderTest {
    /// How weights are held and multiplied: one precision, or the vision tower's and the language model's.
    struct Precision: ExpressibleByArgument {
        let model: ModelPrecision

        init?(argument: String) {
            let parts = argument.split(separator: "+").map { WeightPrecision(rawValue: String($0)) }
            guard let vision = parts.first ?? nil, let text = parts.last ?? nil, parts.count <= 2 else { return nil }
            model = ModelPrecision(vision: vision, text: text)
        }

        var name: String {
            model.vision == model.text ? model.text.rawValue : "\(model.vision.rawValue)+\(model.text.rawValue)"
        }
    }

    private let model: VisionLanguageModel
    private var cache: KVCache
    private let pixels: [Float]
    private let token: Int
    private let precision: ModelPrecision

    init(folder: String, precision: Precision, threads: Int) throws {
        let checkpoint = try Checkpoint.open(folder)
        model = try VisionLanguageModel(
            checkpoint,
            precision: precision.model,
            cacheFolder: Engine.standardWeightCache(environment: ProcessInfo.processInfo.environment),
            pool: ComputePool(threads: threads)
        )
        self.precision = precision.model
        cache = model.language.makeCache(capacity: Self.capacity)
        let vision = checkpoint.configuration.vision
        pixels = (0..<vision.channels * vision.imageSize * vision.imageSize).map { Float($0 % 255) / 127 - 1 }
        token = checkpoint.configuration.text.vocabularySize / 2
    }

    /// Tokens: more than any stage needs.
    private static let capacity = 2048

    var configuration: ModelConfiguration { model.configuration }
    var visionArithmetic: Arithmetic { Self.arithmetic(precision.vision) }
    var textArithmetic: Arithmetic { Self.arithmetic(precision.text) }
    var bytesPerToken: Int { model.language.bytesPerToken }

    private static func arithmetic(_ precision: WeightPrecision) -> Arithmetic {
        switch precision {
        case .f32, .bf16: .float32
        case .int8, .int4: .int8
        }
    }

    mutating func encodeVision(batch: Int) {
        for _ in 0..<batch { _ = model.vision.encode(pixels) }
    }

    mutating func prefill(tokens: Int) {
        cache.roll(backTo: 0)
        forward([Int](repeating: token, count: tokens))
    }

    mutating func decode(batch: Int, context: Int, tokens: Int) {
        cache.roll(backTo: context)
        guard batch > 1 else {
            for _ in 0..<tokens { forward([token]) }
            return
        }
        var caches = [KVCache](repeating: cache, count: batch)
        let ids = [Int](repeating: token, count: batch)
        for _ in 0..<tokens {
            let hidden = model.language.step(ids, caches: &caches, expected: 128)
            if let hidden { model.language.withLogits(hidden) { _ in } }
        }
    }

    /// Logits of the last token.
    private mutating func forward(_ ids: [Int]) {
        let hidden = model.language.forward(model.language.embed(ids), cache: &cache, wanted: .last, expected: 128)
        if let hidden { model.language.withLogits(hidden) { _ in } }
    }
}
