import Analysis
import ArgumentParser
import Console
import Dispatch
import Events
import Faces
import Foundation
import Imaging
import Logging
import Video

/// `facellm analyze`: one video from beginning to end.
struct AnalyzeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Analyses a video and writes what it shows of faces, one JSON object a line.",
        discussion: """
            INPUT is a file, - for standard input, or any URL that FFmpeg opens (rtsp://, https://, …).

            Examples:
              facellm analyze party.mp4 -o events.jsonl
              facellm analyze party.mp4 --observations --annotate seen.mp4 -o events.jsonl
              facellm analyze party.mp4 --model FaceLLM-1B --describe-fields glasses,headwear -o events.jsonl
              facellm analyze - < party.mkv | grep track.ended

            Exit status: 0 complete, 1 failure, 2 usage, 3 input unreadable, 4 more decode errors than allowed, \
            130 or 143 after a signal. The last line is a run.summary with a ledger of every frame and face.
            """
    )

    @Argument(help: ArgumentHelp("The video: a file, - for standard input, or a URL.", valueName: "input"))
    var input: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the events go; - is standard output.", valueName: "file"))
    var output = "-"

    @Flag(help: "A face.observation line for each face in each sampled frame.")
    var observations = false

    @Flag(help: "The 468 points of the face mesh in each observation (with --observations).")
    var landmarks = false

    @Option(
        help: ArgumentHelp(
            "Attributes to tell, separated by commas: \(AttributeList.names), or none.",
            valueName: "list"
        )
    )
    var attributes = AttributeList.all

    @Option(help: ArgumentHelp("An annotated copy of the video, for looking at.", valueName: "out.mp4"))
    var annotate: String?

    @Option(
        help: ArgumentHelp(
            "Saves a crop of each face's best moment in this folder. Nothing is saved without it.",
            valueName: "dir"
        )
    )
    var crops: String?

    @OptionGroup(title: "For people")
    var report: ReportOptions

    @Flag(help: "Leaves out of events what differs between two runs, so that they can be compared with diff.")
    var stable = false

    @OptionGroup(title: "Which frames")
    var frames: FrameOptions

    @OptionGroup(title: "Which faces")
    var faces: FaceOptions

    @OptionGroup(title: "In words")
    var description: DescribingOptions

    @Flag(inversion: .prefixedNo, help: "Tells on standard error how far it is.")
    var progress = true

    @Option(
        help: ArgumentHelp(
            "How much to tell on standard error: trace, debug, info, notice, warning, error.",
            valueName: "level"
        )
    )
    var logLevel = LogLevel(level: .info)

    func validate() throws {
        if landmarks && !observations {
            throw ValidationError("--landmarks adds to observations: give --observations too.")
        }
        var outputs: [(option: String, path: String)] = [("--output", output)]
        if let annotate { outputs.append(("--annotate", annotate)) }
        outputs += report.paths.files
        try OutputCheck.check(outputs, against: [])
        for (name, path) in outputs where path != "-" && !path.isEmpty {
            if case .file(let inputPath) = VideoInput(commandLine: input), FileIdentity(path) != nil,
                FileIdentity(path) == FileIdentity(inputPath)
            {
                throw ValidationError("\(name) \(path) is the input: it would be overwritten.")
            }
        }
        for (name, path) in [("--annotate", annotate), ("--crops", crops)] {
            guard let path else { continue }
            let folder = URL(filePath: path).deletingLastPathComponent().path
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw ValidationError(
                    "\(name) \(path): there is no folder \(folder). Create it first, or choose another path."
                )
            }
        }
    }

    func run() async throws {
        let isTerminal = isatty(STDERR_FILENO) == 1
        let level = logLevel.level
        let line = ProgressLine(isShown: progress, isTerminal: isTerminal)
        LoggingSystem.bootstrap { label in
            StandardErrorLog(label: label, level: level, beforeLine: { line.clear() })
        }
        let logger = Logger(label: "facellm")

        let videoInput = VideoInput(commandLine: input)
        var reader = VideoReader.Options(input: videoInput, sampling: frames.sampling)
        reader.start = frames.start
        reader.duration = frames.duration
        reader.maximumDecodeErrors = frames.maxDecodeErrors
        reader.deliversUnsampledFrames = annotate != nil
        // The analysis keeps a core busy. A second decoding thread costs a tenth more processor time and gains nothing
        // unless every frame is wanted. How two threads hide the damage of a broken stream differs from run to run.
        reader.decoderThreads = stable || annotate == nil && !frames.everyFrame ? 1 : 2
        if !videoInput.isLive { reader.policy = .backPressure }

        var options = RecordedRun.Options(
            reader: reader,
            models: ModelFolder.standard(environment: ProcessInfo.processInfo.environment),
            sourceName: SourceName.of(videoInput)
        )
        options.modelCache = InferenceCore.standardCacheFolder(environment: ProcessInfo.processInfo.environment)
        options.output = output
        options.stable = stable
        options.annotated = annotate
        options.crops = crops
        options.analysis = faces.settings
        options.analysis.observations = observations
        options.analysis.landmarks = landmarks
        options.analysis.attributes = attributes.names
        options.analysis.wantsExpression = attributes.wantsExpression
        if videoInput.isLive { options.analysis.perception.tilesPerPicture = 2 }

        options.description = description.settings
        options.describer = try await makeDescriber()

        let reporting = try makeReporting()
        reporting?.attach(to: &options, pictures: report.reportShots)

        let run = RecordedRun(options: options, logger: logger) { line.show($0, logger: logger) }
        let signals = SignalWatch(stop: { run.stop($0) })
        let outcome = await run.run()
        signals.stop()
        line.clear()
        if let message = outcome.message { StandardError.line("facellm: \(message)") }
        let isReported = finish(reporting)
        if outcome.exitStatus == 0 || outcome.exitStatus >= 128 {
            logger.info("\(ProgressLine.summary(of: outcome))")
        }
        if outcome.exitStatus != 0 { throw ExitStatus(code: outcome.exitStatus) }
        if !isReported { throw ExitStatus(code: 1) }
    }

    private func makeReporting() throws -> Reporting? {
        guard !report.paths.isEmpty else { return nil }
        do throws(FileReplacement.Failure) {
            return Reporting(try ReportOutputs(report.paths))
        } catch {
            StandardError.line("facellm: \(error)")
            throw ExitStatus(code: error.exitCode)
        }
    }

    /// Writes what there is even after a failure, as the events are; a run that never began leaves all as it was.
    ///
    /// - Returns: whether it could be written.
    private func finish(_ reporting: Reporting?) -> Bool {
        do throws(FileReplacement.Failure) {
            for remark in try reporting?.finish() ?? [] { StandardError.line("facellm: \(remark)") }
            return true
        } catch {
            StandardError.line("facellm: \(error)")
            return false
        }
    }

    /// A checkpoint that does not fit is a matter of configuration, and told before the work begins.
    private func makeDescriber() async throws -> (any FaceDescriber)? {
        guard let options = description.describer else { return nil }
        do {
            return try await options.makeDescriber()
        } catch {
            StandardError.line("facellm: --model \(options.model): \(error)")
            throw ExitStatus(code: 2)
        }
    }
}

/// Which frames are looked at.
///
/// `.unconditional` lets a negative number through to `validate`, which says what is wrong with it.
struct FrameOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Frames to look at in a second of video.", valueName: "rate"))
    var sampleFps = 5.0

    @Flag(help: "Looks at every frame.")
    var everyFrame = false

    @Flag(help: "Looks at key frames alone: cheapest, and as often as the encoder made them.")
    var keyframesOnly = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where to begin, seconds from the start of the video.", valueName: "seconds")
    )
    var start: Double?

    @Option(parsing: .unconditional, help: ArgumentHelp("How much to analyse, seconds.", valueName: "seconds"))
    var duration: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Decode errors after which to give up with status 4.", valueName: "count")
    )
    var maxDecodeErrors = 100

    var sampling: Sampling {
        everyFrame ? .everyFrame : keyframesOnly ? .keyframes : .rate(sampleFps)
    }

    func validate() throws {
        if everyFrame && keyframesOnly {
            throw ValidationError("--every-frame and --keyframes-only exclude one another.")
        }
        guard sampleFps.isFinite, sampleFps >= 0.01, sampleFps <= 1000 else {
            throw ValidationError("--sample-fps is \(sampleFps); it must be between 0.01 and 1000.")
        }
        if let start, !(start.isFinite && start >= 0) {
            throw ValidationError("--start is \(start); it must not be negative.")
        }
        if let duration, !(duration.isFinite && duration > 0) {
            throw ValidationError("--duration is \(duration); it must be more than 0.")
        }
        guard maxDecodeErrors >= 0 else { throw ValidationError("--max-decode-errors must not be negative.") }
    }
}

/// Which faces are looked for.
struct FaceOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Faces in a frame, the largest first.", valueName: "count"))
    var maxFaces = 64

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Width of the smallest face to report, pixels of the displayed frame.", valueName: "px")
    )
    var minFacePx = 0.0

    @Option(
        help: ArgumentHelp(
            "Looks at overlapping squares too, for small faces: auto, off, or how many along the longer side.",
            valueName: "auto|off|N"
        )
    )
    var tiling = TilingArgument(mode: .auto)

    var settings: AnalysisSettings {
        var settings = AnalysisSettings()
        settings.perception.maximumFaces = maxFaces
        settings.perception.minimumFace = Float(minFacePx)
        settings.perception.tiling = tiling.mode
        return settings
    }

    func validate() throws {
        guard (1...1000).contains(maxFaces) else { throw ValidationError("--max-faces must be between 1 and 1000.") }
        guard minFacePx.isFinite, minFacePx >= 0 else { throw ValidationError("--min-face-px must not be negative.") }
    }
}

/// The value of `--log-level`.
struct LogLevel: ExpressibleByArgument {
    var level: Logger.Level

    init(level: Logger.Level) {
        self.level = level
    }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    var defaultValueDescription: String { level.rawValue }
}
