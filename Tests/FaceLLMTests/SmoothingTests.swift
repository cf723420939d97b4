import Foundation
import Imaging
import Testing

@testable import FaceLLM

/// Channels that stand out in a norm, and what becomes of them in quantised weights.
@Suite struct SmoothingTests {
    @Test("nothing changes where no channel stands out")
    func ordinary() {
        #expect(Smoothing.factors(gain: [1, 2, 0.5, 3.9, -1, 1, 1], bias: nil) == nil)
        #expect(Smoothing.factors(gain: [0, 0, 0, 0], bias: [0, 0, 0, 0]) == nil)
        #expect(Smoothing.factors(gain: [1, 1, .nan, 1], bias: nil) == nil)
        #expect(Smoothing.factors(gain: [1, 1, .infinity, 1], bias: nil) == nil)
        #expect(Smoothing.factors(gain: [1], bias: nil) == nil)
    }

    @Test("an outlier's factor is the root of what it exceeds the median by, whether gain or bias is large")
    func outliers() throws {
        let gains = try #require(Smoothing.factors(gain: [1, 1, -25, 1, 4, 1], bias: nil))
        #expect(gains == [1, 1, 5, 1, 1, 1])
        let biases = try #require(Smoothing.factors(gain: [3, 3, 3, 3, 3], bias: [4, 4, 180, 4, 4]))
        #expect(biases[0] == 1 && biases[1] == 1)
        #expect(abs(biases[2] - Float(36).squareRoot()) < 0.01)
    }

    /// A copy of the tiny model some of whose norms have gains 20 to 50 times as large.
    private func model(in folder: CheckpointFolder, seed: UInt64) throws -> String {
        let path = folder.file("model")
        try RandomCheckpoint(.tiny, seed: seed).write(to: path)
        let file = path + "/model.safetensors"
        var bytes = try Array(Data(contentsOf: URL(filePath: file)))
        let headerLength = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            JSONSerialization.jsonObject(with: Data(bytes[8..<8 + headerLength])) as? [String: Any]
        )
        var generator = SplitMix64(seed: seed)
        var changed = 0
        for name in header.keys.sorted() where name.contains("norm") && name.hasSuffix(".weight") {
            let entry = try #require(header[name] as? [String: Any])
            let offsets = try #require(entry["data_offsets"] as? [Int])
            let isShort = entry["dtype"] as? String != "F32"
            try #require(!isShort || entry["dtype"] as? String == "BF16")
            let count = (offsets[1] - offsets[0]) / (isShort ? 2 : 4)
            // One channel of 50 or so, at another place in each norm.
            for _ in 0..<max(1, count / 50) {
                let place = Int(generator.next() % UInt64(count))
                let gain = Float(20 + Int(generator.next() % 31))
                let start = 8 + headerLength + offsets[0] + place * (isShort ? 2 : 4)
                let bits = isShort ? gain.bitPattern >> 16 : gain.bitPattern
                for byte in 0..<(isShort ? 2 : 4) {
                    bytes[start + byte] = UInt8(truncatingIfNeeded: bits >> (8 * byte))
                }
            }
            changed += 1
        }
        try #require(changed > 10)
        try Data(bytes).write(to: URL(filePath: file), options: .atomic)
        return path
    }

    private struct Outcome {
        let features: [Float]
        /// Of the last token.
        let logits: [Float]
    }

    private func run(_ path: String, _ precision: ModelPrecision, smooths: Bool = true) throws -> Outcome {
        let model = try VisionLanguageModel(
            try Checkpoint.open(path),
            precision: precision,
            smooths: smooths,
            pool: ComputePool(threads: 2)
        )
        let v = model.configuration.vision
        var generator = SplitMix64(seed: 1)
        let pixels = (0..<v.channels * v.imageSize * v.imageSize).map { _ in Float(generator.next() % 256) / 64 - 2 }
        let features = try #require(model.vision.encode(pixels))
        let embeddings = model.language.embed(Array(1...40))
        var cache = model.language.makeCache(capacity: 64)
        let hidden = try #require(model.language.forward(embeddings, cache: &cache, wanted: .last))
        return Outcome(features: features.values, logits: model.language.logits(hidden).values)
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var ab = 0.0, aa = 0.0, bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa * bb).squareRoot()
    }

    @Test("a model with outlier channels is nearer to the reference at 8 bits than without", arguments: [3, 4, 5])
    func model(seed: UInt64) throws {
        let folder = try CheckpointFolder()
        let path = try model(in: folder, seed: seed)
        let reference = try run(path, .reference), int8 = ModelPrecision(vision: .int8, text: .int8)
        let smoothed = try run(path, int8), plain = try run(path, int8, smooths: false)
        let features = cosine(smoothed.features, reference.features), logits = cosine(smoothed.logits, reference.logits)
        #expect(features > cosine(plain.features, reference.features) && features > 0.999)
        #expect(logits > cosine(plain.logits, reference.logits) && logits > 0.99)
    }

    @Test("an ordinary model is the same with and without, bit by bit")
    func ordinaryModel() throws {
        let folder = try CheckpointFolder()
        let path = folder.file("model")
        try RandomCheckpoint(.tiny, seed: 3).write(to: path)
        let int8 = ModelPrecision(vision: .int8, text: .int4)
        let smoothed = try run(path, int8), plain = try run(path, int8, smooths: false)
        #expect(smoothed.features == plain.features && smoothed.logits == plain.logits)
    }
}
