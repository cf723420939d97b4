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

    @Option(help: ArgumentHelp("Tiles of a picture at most (12 is InternVL3's default).", valueName: "count"))
    var maxTiles = 1

    @Flag(help: "Puts InternVL's system message first, as the training of FaceLLM did.")
    var systemMessage = false

    var engineOptions: Engine.Options {
        var options = Engine.Options(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        options.adapters = adapters
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
