import ArgumentParser
import Benchmarking
import FaceLLM
import Foundation
import Imaging
import Video

/// `facellm-bench precision`: what quantised weights change in a model's numbers and answers.
struct PrecisionBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "precision",
        abstract: "Compares quantised weights with the reference: features, logits, greedy tokens, chosen answers.",
        discussion: """
            Images are shown as they are. Cosines are the least over all images (of image tokens, of the prompt's \
            logits); a choice that flips is listed with the margin that the reference gave it.
            """
    )

    @Option(help: ArgumentHelp("The model's folder.", valueName: "dir"))
    var model: String

    @Option(parsing: .upToNextOption, help: "Precisions to compare with f32, as for `engine`.")
    var precision: [ModelEngine.Precision]

    @Option(help: "Tokens that are generated greedily for each image.")
    var tokens = 16

    @Argument(help: "Image files.")
    var images: [String]

    /// What a precision makes of an image.
    private struct Result {
        var features: Matrix
        var logits: Matrix
        var answer: [Int]
        var fields: [FieldScores]
    }

    func run() async throws {
        var pictures: [RGBImage] = []
        for image in images {
            let picture = try await StillPicture.read(.file(image))
            pictures.append(try RGBImage(Pyramid(picture)))
        }
        let reference = try results(of: pictures, precision: .reference)
        for precision in precision {
            let found = try results(of: pictures, precision: precision.model)
            print("\(precision.name) against f32, \(pictures.count) images")
            let features = zip(reference, found).map { Self.leastCosine($0.features, $1.features) }.min() ?? 1
            let whole = zip(reference, found).map { Self.cosine($0.features.values, $1.features.values) }.min() ?? 1
            let logits = zip(reference, found).map { Self.leastCosine($0.logits, $1.logits) }.min() ?? 1
            let last =
                zip(reference, found).map {
                    Self.cosine($0.logits.row($0.logits.rows - 1), $1.logits.row($1.logits.rows - 1))
                }.min() ?? 1
            print(String(format: "  projector output   cosine %.5f, of a single token %.5f", whole, features))
            print(String(format: "  logits             cosine %.5f at the end, %.5f of a single token", last, logits))
            let same = zip(reference, found).map { a, b in zip(a.answer, b.answer).prefix { $0 == $1 }.count }
            let all = reference.reduce(0) { $0 + $1.answer.count }
            print("  greedy tokens      \(same.reduce(0, +)) of \(all) equal up to the first that differs")
            var agree = 0, asked = 0
            var flips: [String] = []
            for (index, (a, b)) in zip(reference, found).enumerated() {
                for (one, other) in zip(a.fields, b.fields) {
                    asked += 1
                    if one.best?.value == other.best?.value {
                        agree += 1
                    } else {
                        let sorted = one.values.map(\.probability).sorted(by: >)
                        flips.append(
                            String(
                                format: "    %@: %@ %@ -> %@, margin %.4f",
                                URL(filePath: images[index]).lastPathComponent,
                                one.field,
                                one.best?.value ?? "",
                                other.best?.value ?? "",
                                sorted.count > 1 ? sorted[0] - sorted[1] : 1
                            )
                        )
                    }
                }
            }
            print("  choices            \(agree) of \(asked) agree")
            for flip in flips { print(flip) }
        }
    }

    private func results(of pictures: [RGBImage], precision: ModelPrecision) throws -> [Result] {
        var options = Engine.Options(threads: ProcessInfo.processInfo.activeProcessorCount)
        options.precision = precision
        options.weightCache = Engine.standardWeightCache(environment: ProcessInfo.processInfo.environment)
        let engine = try Engine(model, options: options)
        let messages = engine.builder.face(FaceQuestion.release.text)
        return try pictures.map { picture in
            let tiles = try engine.tiles(of: picture)
            let features = try engine.features(of: tiles)
            let logits = try engine.promptLogits(messages, pictures: [tiles])
            let answer = try engine.greedyTokens(messages, pictures: [tiles], count: tokens)
            let fields = try engine.answer(.builtIn, rules: try ConsistencyRules(), picture: tiles).scores
            return Result(features: features, logits: logits, answer: answer, fields: fields)
        }
    }

    private static func leastCosine(_ a: Matrix, _ b: Matrix) -> Double {
        (0..<a.rows).map { cosine(a.row($0), b.row($0)) }.min() ?? 1
    }

    private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var ab = 0.0, aa = 0.0, bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : aa == bb ? 1 : 0
    }
}
