import ArgumentParser
import Benchmarking
import FaceLLM
import Foundation
import Imaging

/// `facellm-bench describe`: how long a face's description takes, alone and beside others.
struct DescribeBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Times what a face is asked: all built-in closed questions and a sentence of 24 tokens.",
        discussion: """
            Pictures are noise, each another one, so that nothing is known from before but where it says so. Weights \
            may be noise too: the time does not depend on what they say.
            """
    )

    @Option(help: ArgumentHelp("The model's folder.", valueName: "dir"))
    var model: String

    @Option(parsing: .upToNextOption, help: "How weights are held, as for `engine`.")
    var precision: [ModelEngine.Precision]

    @Option(help: "Faces that are described together.")
    var faces = 4

    @Option(help: "Threads; all cores unless given.")
    var threads: Int?

    @Option(help: "Measurements, after one that is thrown away.")
    var samples = 3

    func run() throws {
        print(MachineDescription.current.line)
        for precision in precision {
            var options = Engine.Options(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
            options.precision = precision.model
            options.weightCache = Engine.standardWeightCache(environment: ProcessInfo.processInfo.environment)
            let engine = try Engine(model, options: options)
            var inquiry = FaceInquiry(
                catalogue: .builtIn,
                rules: try ConsistencyRules(),
                question: FaceQuestion.release.text
            )
            inquiry.description.answer = AnswerOptions(
                maximumTokens: 24,
                cutsAtSentence: false,
                // Noise repeats itself at once.
                repetition: RepetitionOptions(sameToken: 10_000, phraseRepeats: 1000, phraseTokens: 8192)
            )
            var seed: UInt64 = 0
            func picture() throws -> PixelTiles {
                seed += 1
                var generator = SplitMix64(seed: seed)
                let side = engine.processor.configuration.tileSize
                let bytes = (0..<3 * side * side).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 40) }
                return try engine.tiles(of: try RGBImage(width: side, height: side, bytes: bytes))
            }
            var one: [Double] = [], together: [Double] = [], again: [Double] = [], tokens = 0
            for sample in 0...samples {
                let face = try picture()
                let alone = try Self.seconds {
                    tokens = try engine.report(on: face, inquiry: inquiry).description?.timings.outputTokens ?? 0
                }
                let known = try Self.seconds { _ = try engine.answer(.builtIn, rules: inquiry.rules, picture: face) }
                let group = try (0..<faces).map { _ in TogetherQuestion(picture: try picture()) }
                let several = try Self.seconds {
                    for report in engine.reports(on: group, inquiry: inquiry) { _ = try report.get() }
                }
                if sample == 0 { continue }
                one.append(alone)
                again.append(known)
                together.append(several / Double(faces))
            }
            print("\n\(precision.name), \(options.threads) threads, peak memory \(Int(PeakMemory.mebibytes ?? 0)) MiB")
            func show(_ name: String, _ seconds: [Double]) {
                let sorted = seconds.sorted()
                print(String(format: "  %@  least %.2f s, median %.2f s", name, sorted[0], sorted[sorted.count / 2]))
            }
            show("one face: fields and \(tokens) tokens        ", one)
            show("each of \(faces) faces together              ", together)
            show("the fields of a face whose prefix is known", again)
        }
    }

    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
