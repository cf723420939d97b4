package import FaceLLM
import Foundation

/// A prompt with pictures whose greedy answer the reference implementation has recorded.
///
/// A folder of them has `cases/NAME.json`, `cases/NAME.safetensors` with the pixels, and the models that they name.
package struct RecordedCase: Sendable {
    package let name: String
    /// The model's folder.
    package let model: String
    package let adapters: [String]
    /// The pictures' files.
    package let images: [String]
    package let inputIDs: [Int]
    /// What the reference answered, greedily.
    package let generatedIDs: [Int]
    private let tensors: String

    private struct Description: Decodable {
        struct Picture: Decodable { let file: String }

        let name: String
        let model: String
        let adapter: String?
        let images: [Picture]
        let input_ids: [Int]
        let generated_ids: [Int]
    }

    /// All cases of a folder in the order of their names.
    package static func all(in folder: String) throws -> [RecordedCase] {
        let cases = "\(folder)/cases"
        let files = try FileManager.default.contentsOfDirectory(atPath: cases).filter {
            $0.hasSuffix(".json") && $0 != "index.json"
        }
        return try files.sorted().map { file in
            let data = try Data(contentsOf: URL(filePath: "\(cases)/\(file)"))
            let description = try JSONDecoder().decode(Description.self, from: data)
            return RecordedCase(
                name: description.name,
                model: "\(folder)/\(description.model)",
                adapters: description.adapter.map { ["\(folder)/\($0)"] } ?? [],
                images: description.images.map { "\(folder)/\($0.file)" },
                inputIDs: description.input_ids,
                generatedIDs: description.generated_ids,
                tensors: "\(cases)/\(file.dropLast(".json".count)).safetensors"
            )
        }
    }

    /// What a model of some precision makes of a case.
    package struct Replay: Sendable {
        /// The pictures' tokens, one row each; nil without pictures.
        package let features: Matrix?
        /// As many tokens as were recorded.
        package let answer: [Int]
        /// Of the prompt's last token, [vocabularySize].
        package let logits: [Float]
        /// By how much the likeliest token's logit exceeds the next one's, for each of `answer`.
        package let margins: [Float]
    }

    /// Runs the prompt and generates greedily.
    package func replay(precision: ModelPrecision, threads: Int) throws -> Replay {
        let checkpoint = try Checkpoint.open(model, adapters: adapters)
        let model = try VisionLanguageModel(checkpoint, precision: precision, pool: ComputePool(threads: threads))
        let file = try SafetensorsFile(path: tensors)
        var features: Matrix?
        if let shape = file.shape(of: "pixel_values") {
            features = model.vision.encode(try file.tensor("pixel_values", shape: shape).values)
        }
        guard let imageToken = checkpoint.configuration.imageTokenID,
            let prompt = model.embed(inputIDs, imageToken: imageToken, features: features)
        else { throw BenchmarkError(.loadEngine, "\(name): the prompt has not as many places as image tokens") }
        var answer: [Int] = [], margins: [Float] = [], first: [Float] = []
        var cache = model.language.makeCache(capacity: inputIDs.count + generatedIDs.count)
        var sampler = try Sampler()
        var history: [TokenID] = []
        _ = model.language.generate(
            after: prompt,
            cache: &cache,
            sampler: &sampler,
            history: &history,
            expected: generatedIDs.count,
            onToken: { token, logits in
                if answer.isEmpty { first = Array(logits) }
                answer.append(Int(token.id))
                margins.append(Self.margin(logits))
                return answer.count < generatedIDs.count
            }
        )
        return Replay(features: features, answer: answer, logits: first, margins: margins)
    }

    private static func margin(_ logits: UnsafeBufferPointer<Float>) -> Float {
        var best = -Float.infinity, next = -Float.infinity
        for value in logits {
            if value > best {
                (best, next) = (value, best)
            } else if value > next {
                next = value
            }
        }
        return best - next
    }
}

/// How alike two lists of numbers are.
package enum Similarity {
    /// The cosine of the angle between two vectors; 1 for two that are zero, 0 where one is.
    package static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var ab = 0.0, aa = 0.0, bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : aa == bb ? 1 : 0
    }

    /// The least cosine of rows that correspond.
    package static func leastCosine(_ a: Matrix, _ b: Matrix) -> Double {
        (0..<a.rows).map { cosine(a.row($0), b.row($0)) }.min() ?? 1
    }
}

/// What a precision changes in recorded cases.
package struct RecordedAgreement: Sendable {
    package let precision: String
    /// Tokens before the first that differs, of all cases.
    package private(set) var equalTokens = 0
    package private(set) var tokens = 0
    package private(set) var equalCases = 0
    package private(set) var cases = 0
    /// The least over all cases; of the reference's own runs in f32.
    package private(set) var featureCosine = 1.0
    package private(set) var logitCosine = 1.0
    /// A line for each case that goes another way.
    package private(set) var flips: [String] = []

    package init(precision: String) { self.precision = precision }

    /// - Parameters:
    ///   - reference: the same case in f32.
    ///   - replay: with this precision.
    package mutating func add(
        _ recorded: RecordedCase,
        reference: RecordedCase.Replay,
        replay: RecordedCase.Replay
    ) {
        let equal = zip(recorded.generatedIDs, replay.answer).prefix { $0 == $1 }.count
        equalTokens += equal
        tokens += recorded.generatedIDs.count
        cases += 1
        if let a = reference.features, let b = replay.features {
            featureCosine = min(featureCosine, Similarity.cosine(a.values, b.values))
        }
        logitCosine = min(logitCosine, Similarity.cosine(reference.logits, replay.logits))
        guard equal < recorded.generatedIDs.count else {
            equalCases += 1
            return
        }
        let found = equal < replay.answer.count ? String(replay.answer[equal]) : "nothing"
        let margin = equal < reference.margins.count ? fixed(Double(reference.margins[equal]), 4) : "unknown"
        flips.append(
            "\(recorded.name): token \(equal + 1) of \(recorded.generatedIDs.count), "
                + "\(recorded.generatedIDs[equal]) -> \(found), margin \(margin)"
        )
    }
}
