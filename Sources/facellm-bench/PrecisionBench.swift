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
            logits); a choice that flips is listed with the margin that the reference gave it. For 8 bits on random \
            weights of the published size the marks are a cosine of 0.999 of the projector's output and 0.995 of logits.

            --conformance takes a folder of cases that the reference implementation has recorded: the greedy tokens of \
            each precision are held against the recorded ones, and the choices for its pictures against f32. The status \
            is 1 where f32 does not give the recorded tokens.
            """
    )

    @Option(help: ArgumentHelp("The model's folder.", valueName: "dir"))
    var model: String?

    @Option(help: ArgumentHelp("A folder of recorded cases.", valueName: "dir"))
    var conformance: String?

    @Option(parsing: .upToNextOption, help: "Precisions to compare with f32, as for `engine`.")
    var precision: [ModelEngine.Precision]

    @Option(help: "Tokens that are generated greedily for each image.")
    var tokens = 16

    @Argument(help: "Image files.")
    var images: [String] = []

    func validate() throws {
        guard (model == nil) != (conformance == nil) else {
            throw ValidationError("give --model with images, or --conformance")
        }
        guard model == nil || !images.isEmpty else { throw ValidationError("--model needs images") }
    }

    private static let threads = ProcessInfo.processInfo.activeProcessorCount

    /// What a precision makes of an image.
    private struct Result {
        var features: Matrix
        var logits: Matrix
        var answer: [Int]
        var fields: [FieldScores]
    }

    func run() async throws {
        if let conformance {
            try await compareRecorded(in: conformance)
        } else if let model {
            let reference = try results(model, of: try await pictures(images), precision: .reference)
            for precision in precision {
                let found = try results(model, of: try await pictures(images), precision: precision.model)
                report(precision.name, reference, found)
            }
        }
    }

    private func pictures(_ files: [String]) async throws -> [RGBImage] {
        var pictures: [RGBImage] = []
        for file in files { pictures.append(try RGBImage(Pyramid(try await StillPicture.read(.file(file))))) }
        return pictures
    }

    private func report(_ precision: String, _ reference: [Result], _ found: [Result]) {
        print("\(precision) against f32, \(reference.count) images")
        let features = zip(reference, found).map { Similarity.leastCosine($0.features, $1.features) }.min() ?? 1
        let whole = zip(reference, found).map { Similarity.cosine($0.features.values, $1.features.values) }.min() ?? 1
        let logits = zip(reference, found).map { Similarity.leastCosine($0.logits, $1.logits) }.min() ?? 1
        let last =
            zip(reference, found).map {
                Similarity.cosine($0.logits.row($0.logits.rows - 1), $1.logits.row($1.logits.rows - 1))
            }.min() ?? 1
        print(String(format: "  projector output   cosine %.5f, of a single token %.5f", whole, features))
        print(String(format: "  logits             cosine %.5f at the end, %.5f of a single token", last, logits))
        let same = zip(reference, found).map { a, b in zip(a.answer, b.answer).prefix { $0 == $1 }.count }
        let all = reference.reduce(0) { $0 + $1.answer.count }
        print("  greedy tokens      \(same.reduce(0, +)) of \(all) equal up to the first that differs")
        var choices = ChoiceAgreement()
        for (index, (a, b)) in zip(reference, found).enumerated() {
            choices.add(a.fields, b.fields, place: URL(filePath: images[index]).lastPathComponent)
        }
        print("  choices            \(choices.equal) of \(choices.asked) agree")
        for flip in choices.flips { print("    \(flip)") }
    }

    // MARK: - Recorded cases

    private func compareRecorded(in folder: String) async throws {
        let cases = try RecordedCase.all(in: folder)
        let reference = try cases.map { try $0.replay(precision: .reference, threads: Self.threads) }
        var exact = RecordedAgreement(precision: "f32")
        for (recorded, own) in zip(cases, reference) { exact.add(recorded, reference: own, replay: own) }
        report(exact, choices: nil)
        let chosen = try await choices(cases, precision: .reference)
        for precision in precision {
            var agreement = RecordedAgreement(precision: precision.name)
            for (recorded, own) in zip(cases, reference) {
                let replay = try recorded.replay(precision: precision.model, threads: Self.threads)
                agreement.add(recorded, reference: own, replay: replay)
            }
            var answers = ChoiceAgreement()
            for (one, other) in zip(chosen, try await choices(cases, precision: precision.model)) {
                answers.add(one.fields, other.fields, place: one.place)
            }
            report(agreement, choices: answers)
        }
        if exact.equalCases < exact.cases { throw ExitCode(1) }
    }

    private func report(_ agreement: RecordedAgreement, choices: ChoiceAgreement?) {
        print(
            """
            \(agreement.precision): greedy tokens \(agreement.equalTokens) of \(agreement.tokens) as recorded up to the \
            first that differs, \(agreement.equalCases) of \(agreement.cases) cases whole
            """
        )
        for flip in agreement.flips { print("    \(flip)") }
        guard let choices else { return }
        print(
            String(
                format: "  least cosine       projector output %.5f, logits %.5f",
                agreement.featureCosine,
                agreement.logitCosine
            )
        )
        print("  choices            \(choices.equal) of \(choices.asked) as f32")
        for flip in choices.flips { print("    \(flip)") }
    }

    /// The closed questions' answers for the first picture of each case, once where cases share model and picture.
    private func choices(
        _ cases: [RecordedCase],
        precision: ModelPrecision
    ) async throws -> [(place: String, fields: [FieldScores])] {
        var found: [(place: String, fields: [FieldScores])] = []
        var seen: Set<[String]> = []
        for recorded in cases {
            guard let image = recorded.images.first else { continue }
            guard seen.insert([recorded.model, image] + recorded.adapters).inserted else { continue }
            var options = Engine.Options(threads: Self.threads)
            options.precision = precision
            options.adapters = recorded.adapters
            let engine = try Engine(recorded.model, options: options)
            let tiles = try engine.tiles(of: try await pictures([image])[0])
            let fields = try engine.answer(.builtIn, rules: try ConsistencyRules(), picture: tiles).scores
            found.append((recorded.name, fields))
        }
        return found
    }

    /// Closed questions whose answer another precision changes.
    private struct ChoiceAgreement {
        private(set) var equal = 0
        private(set) var asked = 0
        /// With the margin between the reference's best two probabilities.
        private(set) var flips: [String] = []

        mutating func add(_ reference: [FieldScores], _ found: [FieldScores], place: String) {
            for (one, other) in zip(reference, found) {
                asked += 1
                guard one.best?.value != other.best?.value else {
                    equal += 1
                    continue
                }
                let sorted = one.values.map(\.probability).sorted(by: >)
                let margin = sorted.count > 1 ? sorted[0] - sorted[1] : 1
                let values = "\(one.best?.value ?? "") -> \(other.best?.value ?? "")"
                flips.append("\(place): \(one.field) \(values), margin " + String(format: "%.4f", margin))
            }
        }
    }

    private func results(_ model: String, of pictures: [RGBImage], precision: ModelPrecision) throws -> [Result] {
        var options = Engine.Options(threads: Self.threads)
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
}
