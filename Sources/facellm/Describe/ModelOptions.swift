import ArgumentParser
import FaceLLM
import Foundation

/// Which checkpoint computes, and how.
struct ModelOptions: ParsableArguments {
    @Option(
        name: .customLong("model"),
        help: ArgumentHelp("The folder of a FaceLLM or InternVL3 checkpoint.", valueName: "dir")
    )
    var path: String

    @Option(
        name: .customLong("adapter"),
        help: ArgumentHelp("A folder with a LoRA adapter to merge; may be given again.", valueName: "dir")
    )
    var adapters: [String] = []

    @Option(help: ArgumentHelp("Threads that compute; as many as there are cores if not given.", valueName: "count"))
    var threads: Int?

    @OptionGroup var precision: PrecisionOptions

    @Option(help: ArgumentHelp("Tiles of a picture at most (12 is InternVL3's default).", valueName: "count"))
    var maxTiles = 1

    @Flag(help: "Puts InternVL's system message first, as the training of FaceLLM did.")
    var systemMessage = false

    var engineOptions: Engine.Options {
        var options = Engine.Options(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        options.adapters = adapters
        options.precision = precision.precision
        options.weightCache = Engine.standardWeightCache(environment: ProcessInfo.processInfo.environment)
        options.maxTiles = maxTiles
        if systemMessage { options.template = .internVL2_5() }
        return options
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); it must be between 1 and 1024.")
        }
        guard (1...40).contains(maxTiles) else {
            throw ValidationError("--max-tiles is \(maxTiles); it must be between 1 and 40.")
        }
    }
}

/// How a model's weights are held and multiplied.
struct PrecisionOptions: ParsableArguments {
    @Option(
        name: .customLong("precision"),
        help: ArgumentHelp(
            "f32 is exact; bf16 halves f32 files in memory; int8 is three times as fast; int4 (language model only, the rest int8) is smallest.",
            valueName: "f32|bf16|int8|int4"
        )
    )
    var text: WeightPrecision = .int8

    @Option(
        name: .customLong("vision-precision"),
        help: ArgumentHelp("Of the vision tower, where it is to differ.", valueName: "f32|bf16|int8|int4")
    )
    var vision: WeightPrecision?

    var precision: ModelPrecision {
        // 4 bits lose too much of a picture to be taken without being asked for.
        ModelPrecision(vision: vision ?? (text == .int4 ? .int8 : text), text: text)
    }
}

extension WeightPrecision: ExpressibleByArgument {}
