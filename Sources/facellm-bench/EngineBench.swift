import ArgumentParser
import Benchmarking
import Foundation

/// `facellm-bench engine`: how fast a model runs, and how near the machine's limits that is.
struct EngineBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "Times image encoding, prefill and decoding of a model, beside the machine's measured limits.",
        discussion: """
            The limits (multiply-adds on registers, 8-bit products, reading memory) are measured between the samples, \
            because they drift on shared machines. Use it on an idle machine, and as few threads as cores.

            With --compare, a shell command and this engine, each in a process of its own that loads its model, \
            describe one image in turn (a prompt of 64 tokens, 64 tokens of answer). The command must do the same work \
            with the same number of threads; what it prints is thrown away.
            """
    )

    @Option(help: ArgumentHelp("The model's folder.", valueName: "dir"))
    var model: String

    @Option(parsing: .upToNextOption, help: "Numbers of threads; all cores unless given.")
    var threads: [Int] = []

    @Option(
        name: .customLong("precision"),
        parsing: .upToNextOption,
        help: "How weights are held: f32, bf16, int8, int4, or vision+text as int8+int4. (default: f32)"
    )
    var precisions: [ModelEngine.Precision] = []

    @Option(parsing: .upToNextOption, help: "Numbers of images encoded, and of answers decoded, at once.")
    var batch: [Int] = [1]

    @Option(help: "Measurements of each stage, after one that is thrown away.")
    var samples = 5

    @Flag(help: "Prints JSON.")
    var json = false

    @Option(help: ArgumentHelp("Compares with a shell command that does the same work.", valueName: "command"))
    var compare: String?

    @Flag(help: ArgumentHelp("Describes one image and ends.", visibility: .private))
    var once = false

    func validate() throws {
        guard samples > 0 else { throw ValidationError("--samples must be at least 1") }
        guard threads.allSatisfy({ 1...1024 ~= $0 }) else { throw ValidationError("--threads must be 1 to 1024") }
        guard batch.allSatisfy({ 1...256 ~= $0 }) else { throw ValidationError("--batch must be 1 to 256") }
    }

    func run() throws {
        let precision = precisions.isEmpty ? [ModelEngine.Precision(argument: "f32")].compactMap { $0 } : precisions
        let threads = threads.isEmpty ? [ProcessInfo.processInfo.activeProcessorCount] : threads
        if once {
            var engine = try ModelEngine(folder: model, precision: precision[0], threads: threads[0])
            try EngineMeasurement.describe(&engine)
            return
        }
        var measurement = EngineMeasurement()
        measurement.samples = samples
        measurement.batches = batch
        var report = EngineReport(environment: .current, model: model, runs: [])
        if !json { print(report.text) }
        for precision in precision {
            for threads in threads {
                var run = try measurement.run(
                    precision: precision.name,
                    threads: threads,
                    load: { try ModelEngine(folder: model, precision: precision, threads: threads) },
                    limits: { try LimitTracker(threads: threads) }
                )
                if let compare {
                    run.comparison = try CommandComparison.measure(
                        own: ownCommand(precision: precision, threads: threads),
                        command: compare,
                        samples: samples
                    )
                }
                if !json {
                    print("\n" + run.text)
                    print(
                        String(
                            format: "OpenBLAS sgemm 1025 x 4096 x 1024 just now: %.0f GFLOP/s",
                            Sgemm.rate(threads: threads)
                        )
                    )
                }
                report.runs.append(run)
            }
        }
        if !json, report.runs.count > 1 { print("\n" + report.summary) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        }
    }

    /// This program, describing one image.
    private func ownCommand(precision: ModelEngine.Precision, threads: Int) -> [String] {
        [
            "/proc/self/exe", "engine", "--once", "--model", model, "--precision", precision.name,
            "--threads", String(threads),
        ]
    }
}
