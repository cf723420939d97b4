import Analysis
import ArgumentParser
import Benchmarking
import Console
import Events
import Faces
import Foundation
import Logging
import Video

/// `facellm-bench pipeline`: what an analysis of a video costs, stage by stage.
struct PipelineBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Stage times, processor seconds, speed and memory of an analysis.",
        discussion: "With --decode, plain decoding by ffmpeg -threads 2 is measured in the same run, before and after."
    )

    @Argument(help: "The video.")
    var file: String

    @Option(help: "Frames to look at in a second of video.")
    var sampleFps = 5.0

    @Flag(help: "Looks at small faces too, in tiles.")
    var tiling = false

    @Flag(help: "Measures ffmpeg's plain decoding too, and prints the ratio.")
    var decode = false

    func run() async throws {
        let before = decode ? try decodeSeconds() : nil
        var reader = VideoReader.Options(input: VideoInput(argument: file), sampling: .rate(sampleFps))
        reader.policy = .backPressure
        reader.decoderThreads = 1
        var options = RecordedRun.Options(
            reader: reader,
            models: ModelFolder.standard(environment: ProcessInfo.processInfo.environment),
            sourceName: "bench"
        )
        options.modelCache = InferenceCore.standardCacheFolder(environment: ProcessInfo.processInfo.environment)
        options.output = "/dev/null"
        options.measuresTimings = true
        options.analysis.perception.tiling = tiling ? .auto : .off

        let usageBefore = ProcessUsage.own
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = await RecordedRun(options: options, logger: Logger(label: "bench")).run()
        let elapsed = clock.now - start
        let wall = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        let usage = ProcessUsage.own
        if let message = outcome.message {
            StandardError.write("facellm-bench: \(message)\n")
            throw ExitCode(outcome.exitStatus)
        }

        print("stage             per    calls  median ms     p95 ms    total s")
        for stage in StageTimings.Stage.allCases {
            guard let samples = outcome.timings.samples[stage]?.sorted(), !samples.isEmpty else { continue }
            func quantile(_ q: Double) -> Double { samples[min(samples.count - 1, Int(q * Double(samples.count)))] }
            print(
                stage.rawValue.padding(toLength: 18, withPad: " ", startingAt: 0)
                    + (StageTimings.isPerFrame(stage) ? "frame" : "face ")
                    + String(
                        format: "%7d %10.2f %10.2f %10.2f",
                        samples.count,
                        quantile(0.5),
                        quantile(0.95),
                        samples.reduce(0, +) / 1000
                    )
            )
        }
        let decoded = max(1, outcome.video.framesDecoded)
        print(
            "decode            frame"
                + String(
                    format: "%7d %10.2f (mean, processor time) %.2f",
                    outcome.video.framesDecoded,
                    outcome.video.processorSeconds * 1000 / Double(decoded),
                    outcome.video.processorSeconds
                )
        )
        let cpu = usage.cpuSeconds - usageBefore.cpuSeconds
        let ledger = outcome.ledger
        let media = Double(ledger.framesSampled) / sampleFps
        print(
            """

            frames              \(ledger.framesSampled) sampled, \(ledger.framesUnsampled) unsampled, \
            \(ledger.framesSkipped) not decoded
            faces               \(ledger.facesObserved) observed, \(ledger.facesAnalysed) analysed, \
            \(ledger.facesReused) reused, \(ledger.facesRejectedQuality) rejected, \(ledger.tracksStarted) tracks
            """
        )
        print(String(format: "processor time      %.2f s", cpu))
        print(String(format: "wall time           %.2f s, about %.1f x realtime", wall, media / wall))
        print(String(format: "peak memory         %.0f MiB", usage.peakMiB))
        if let before {
            let after = try decodeSeconds()
            let mean = (before + after) / 2
            print(String(format: "ffmpeg decoding     %.2f s (%.2f before, %.2f after)", mean, before, after))
            print(String(format: "ratio               %.2f of ffmpeg -threads 2 -i FILE -f null -", cpu / mean))
        }
    }

    /// Processor seconds of `ffmpeg -threads 2 -i FILE -f null -`.
    private func decodeSeconds() throws -> Double {
        let before = ProcessUsage.children.cpuSeconds
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "2", "-i", file, "-f", "null", "-"]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            StandardError.write("facellm-bench: ffmpeg failed with status \(process.terminationStatus)\n")
            throw ExitCode(1)
        }
        return ProcessUsage.children.cpuSeconds - before
    }
}
