import Foundation
import Synchronization
import Testing

@testable import FaceLLM

/// Every recorded case of the reference implementation, activation by activation, in f32.
@Suite(.enabled(if: CheckpointFixtures.isPresent, CheckpointFixtures.absence), .serialized)
struct ModelConformanceTests {
    /// What a case's JSON says that the tensors do not.
    private struct Case: Decodable {
        struct Generation: Decodable {
            var max_new_tokens: Int
            var eos_token_ids: [Int]
        }

        var model: String
        struct Picture: Decodable {
            var file: String
        }

        struct Preprocessing: Decodable {
            var image_size: Int
            var crop_to_patches: Bool
            var min_patches: Int
            var max_patches: Int
            var thumbnail: Bool
            var mean: [Float]
            var std: [Float]
        }

        struct PillowResult: Decodable {
            var generated_ids: [Int]
        }

        var adapter: String?
        var images: [Picture]
        var preprocess: Preprocessing
        var tile_grids: [[Int]]
        var tiles_per_image: [Int]
        var image_tokens_per_tile: Int
        var prompt: String
        var input_ids: [Int]
        var pil_preprocessing: PillowResult?
        var generation: Generation
        var generated_ids: [Int]
        var stop_reason: String
    }

    private static let names: [String] = {
        let folder = CheckpointFixtures.path("cases")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".json") && $0 != "index.json" }.map { String($0.dropLast(5)) }.sorted()
    }()

    private static func model(_ checkpoint: Checkpoint) throws -> VisionLanguageModel {
        try VisionLanguageModel(
            checkpoint,
            pool: ComputePool(threads: 2)
        )
    }

    private func open(_ name: String) throws -> (description: Case, golden: SafetensorsFile) {
        let path = CheckpointFixtures.path("cases/\(name)")
        let json = try Data(contentsOf: URL(filePath: path + ".json"))
        return (try JSONDecoder().decode(Case.self, from: json), try SafetensorsFile(path: path + ".safetensors"))
    }

    private func tensor(_ name: String, _ file: SafetensorsFile) throws -> Tensor? {
        guard let shape = file.shape(of: name) else { return nil }
        return try file.tensor(name, shape: shape)
    }

    /// max |a − b| ≤ 1e-4 · max(1, max |reference|), the tolerance that the fixtures recommend.
    private func expect(_ values: [Float], equals golden: Tensor, _ what: String) {
        #expect(values.count == golden.values.count, "\(what)")
        guard values.count == golden.values.count else { return }
        let scale = max(1, golden.values.map(abs).max() ?? 1)
        let error = zip(values, golden.values).map { abs($0 - $1) }.max() ?? 0
        #expect(error <= 1e-4 * scale, "\(what): off by \(error) where the largest value is \(scale)")
    }

    @Test("a recorded case, from pixels to generated tokens", arguments: names)
    func recorded(name: String) throws {
        let (description, golden) = try open(name)
        let checkpoint = try CheckpointFixtures.open(
            description.model,
            adapters: description.adapter.map { [$0] } ?? []
        )
        let model = try Self.model(checkpoint)

        var features: Matrix?
        if let pixels = try tensor("pixel_values", golden) {
            features = try encode(pixels, with: model, golden: golden)
        }
        let ids = try golden.integers("input_ids").map { Int($0) }
        let imageToken = try #require(checkpoint.configuration.imageTokenID)
        let prompt = try #require(model.embed(ids, imageToken: imageToken, features: features))
        if let expected = try tensor("text.inputs_embeds", golden) {
            expect(prompt.values, equals: expected, "text.inputs_embeds")
        }
        try checkPrompt(prompt, with: model, golden: golden)

        var cache = model.language.makeCache(capacity: ids.count + description.generation.max_new_tokens)
        var steps: [[Float]] = []
        var sampler = try Sampler()
        var answer: [Int] = [], history: [TokenID] = []
        var isStopped = false
        let end = model.language.generate(
            after: prompt,
            cache: &cache,
            sampler: &sampler,
            history: &history,
            expected: description.generation.max_new_tokens,
            onToken: { token, logits in
                answer.append(Int(token.id))
                steps.append(Array(logits))
                isStopped = description.generation.eos_token_ids.contains(Int(token.id))
                return !isStopped && answer.count < description.generation.max_new_tokens
            }
        )
        #expect(end == .enough)
        #expect(answer == description.generated_ids)
        #expect(isStopped == (description.stop_reason != "length"))
        if let expected = try tensor("step_logits", golden) {
            expect(steps.flatMap { $0 }, equals: expected, "step_logits")
        }
        let top = try #require(try tensor("step_top5_logits", golden))
        let topIDs = try golden.integers("step_top5_ids").map { Int($0) }
        let picked = topIDs.enumerated().map { steps[$0.offset / 5][$0.element] }
        expect(picked, equals: top, "step_top5_logits")
    }

    /// - Parameter pixels: [tiles, 3, height, width].
    private func encode(
        _ pixels: Tensor,
        with model: VisionLanguageModel,
        golden: SafetensorsFile
    ) throws -> Matrix {
        var stages: [String: [Float]] = [:]
        let tokens = try #require(
            model.vision.encode(pixels.values, observe: { stages["vision.\($0)", default: []] += $1.values })
        )
        #expect(!stages.isEmpty)
        for (stage, values) in stages {
            if let expected = try tensor(stage, golden) { expect(values, equals: expected, stage) }
        }
        return tokens
    }

    private func checkPrompt(_ prompt: Matrix, with model: VisionLanguageModel, golden: SafetensorsFile) throws {
        var cache = model.language.makeCache(capacity: prompt.rows)
        var stages: [String: Matrix] = [:]
        let hidden = try #require(
            model.language.forward(prompt, cache: &cache, observe: { stages["text.\($0)"] = $1 })
        )
        #expect(cache.count == prompt.rows)
        for (stage, matrix) in stages {
            if let all = try tensor(stage, golden) { expect(matrix.values, equals: all, stage) }
            if let last = try tensor(stage + ".last", golden) {
                expect(matrix.row(matrix.rows - 1), equals: last, stage + ".last")
            }
        }
        let logits = model.language.logits(hidden)
        if let all = try tensor("logits", golden) { expect(logits.values, equals: all, "logits") }
        if let last = try tensor("logits_last", golden) {
            expect(logits.row(logits.rows - 1), equals: last, "logits_last")
        }
    }

    @Test("from picture files and the prompt's text to the same tokens, the pictures computed first", arguments: names)
    func fromPictures(name: String) throws {
        let (description, golden) = try open(name)
        let checkpoint = try CheckpointFixtures.open(
            description.model,
            adapters: description.adapter.map { [$0] } ?? []
        )
        let model = try Self.model(checkpoint)
        let preprocess = description.preprocess
        let processor = try ImageProcessor(
            ImageProcessor.Configuration(
                tileSize: preprocess.image_size,
                minTiles: preprocess.min_patches,
                maxTiles: preprocess.crop_to_patches ? preprocess.max_patches : 1,
                appendsThumbnail: preprocess.thumbnail,
                mean: preprocess.mean,
                deviation: preprocess.std
            )
        )
        var pixels: [Float] = []
        for (index, picture) in description.images.enumerated() {
            let data = try Data(contentsOf: URL(filePath: CheckpointFixtures.path(picture.file)))
            let tiles = try processor.process(try ImagePNG.decode(data, name: picture.file))
            #expect([tiles.grid.columns, tiles.grid.rows] == description.tile_grids[index])
            #expect(tiles.count == description.tiles_per_image[index])
            pixels += tiles.values
        }
        if let recorded = try tensor("pixel_values_pil", golden) {
            let error = zip(pixels, recorded.values).map { abs($0 - $1) }.max() ?? 0
            #expect(pixels.count == recorded.values.count && error <= 2e-6, "off by \(error)")
        }
        let tokenizer = try Tokenizer(folder: checkpoint.directory)
        let ids = tokenizer.encode(description.prompt).map(Int.init)
        #expect(ids == description.input_ids)

        // As the engine does it: everything up to the last picture in a pass of its own, the question on a fork.
        let imageToken = try #require(checkpoint.configuration.imageTokenID)
        let features = pixels.isEmpty ? nil : model.vision.encode(pixels)
        let prompt = try #require(model.embed(ids, imageToken: imageToken, features: features))
        let boundary = ids.lastIndex(of: imageToken).map { $0 + 2 } ?? 0
        var cache = model.language.makeCache(capacity: ids.count + description.generation.max_new_tokens)
        if boundary > 0 {
            let prefix = model.language.forward(prompt.rows(0..<boundary), cache: &cache, wanted: .rows([]))
            #expect(prefix?.rows == 0)
        }
        var fork = cache
        var sampler = try Sampler(), history: [TokenID] = []
        var answer: [Int] = []
        _ = model.language.generate(
            after: prompt.rows(boundary..<ids.count),
            cache: &fork,
            sampler: &sampler,
            history: &history,
            expected: 0,
            onToken: { token, _ in
                answer.append(Int(token.id))
                return !description.generation.eos_token_ids.contains(Int(token.id))
                    && answer.count < description.generation.max_new_tokens
            }
        )
        #expect(answer == description.pil_preprocessing?.generated_ids ?? description.generated_ids)
        #expect(cache.count == boundary)
    }

    @Test("a prompt in two parts, on a fork, and after rolling back gives the same")
    func cache() throws {
        let (description, golden) = try open(try #require(Self.names.first))
        let checkpoint = try CheckpointFixtures.open(description.model)
        let model = try Self.model(checkpoint)
        let ids = try golden.integers("input_ids").map { Int($0) }
        let embeddings = model.language.embed(ids)
        var whole = model.language.makeCache(capacity: 256)
        let expected = try #require(model.language.forward(embeddings, cache: &whole))

        var parts = model.language.makeCache(capacity: 256)
        let cut = ids.count / 3
        _ = model.language.forward(embeddings.rows(0..<cut), cache: &parts)
        var fork = parts
        let rest = embeddings.rows(cut..<ids.count)
        let first = try #require(model.language.forward(rest, cache: &parts))
        // What one branch does must not show in the other.
        _ = model.language.forward(model.language.embed([7, 7, 7]), cache: &fork)
        fork.roll(backTo: cut)
        let second = try #require(model.language.forward(rest, cache: &fork))
        #expect(first == second)
        let last = expected.row(expected.rows - 1)
        #expect(zip(first.row(first.rows - 1), last).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("cancelled between layers, nothing changes")
    func cancellation() throws {
        let checkpoint = try CheckpointFixtures.open("tiny-internvl-hf")
        let model = try Self.model(checkpoint)
        var cache = model.language.makeCache(capacity: 16)
        var asked = 0
        let result = model.language.forward(
            model.language.embed([1, 2, 3]),
            cache: &cache,
            isCancelled: {
                asked += 1
                return asked > 1
            }
        )
        #expect(result == nil)
        #expect(asked == 2)
        #expect(cache.count == 0)
    }

    @Test("places and features that differ in number are refused")
    func places() throws {
        let checkpoint = try CheckpointFixtures.open("tiny-internvl-hf")
        let model = try Self.model(checkpoint)
        let imageToken = try #require(checkpoint.configuration.imageTokenID)
        #expect(model.embed([1, imageToken, 2], imageToken: imageToken, features: nil) == nil)
        let features = Matrix(zeros: 2, checkpoint.configuration.text.hiddenSize)
        #expect(model.embed([1, imageToken, 2], imageToken: imageToken, features: features) == nil)
        #expect(model.embed([1, 2], imageToken: imageToken, features: nil) != nil)
    }
}
