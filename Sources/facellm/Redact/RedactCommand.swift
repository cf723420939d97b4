import Analysis
import ArgumentParser
import Console
import Faces
import Foundation
import Imaging
import Logging
import Video

extension RedactionRun.Method: ExpressibleByArgument {}

/// `facellm redact`: a copy of a video in which faces cannot be seen.
struct RedactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Makes a copy of a video in which faces are pixelated or black.",
        discussion: """
            Every frame is searched, faces are followed over frames that miss them, and each is covered a while before \
            its first and after its last sighting. Then the detector searches the copy; while it finds something there, that \
            is covered too and the copy is written again. Where this does not end, there is no copy.

            The copy has the pictures alone: no sound, no subtitles, no metadata, since all of these can tell who \
            somebody is. To have the sound again: ffmpeg -i OUT.mp4 -i INPUT -map 0:v -map 1:a -c copy WITH-SOUND.mp4

            No detector finds every face: look at the copy before you pass it on.

            Exit status: 0 complete, 1 failure, 2 usage, 3 input unreadable, 4 more decode errors than allowed (the copy \
            is there all the same), 130 or 143 after a signal. A copy that is not whole is not left behind.
            """
    )

    @Argument(help: ArgumentHelp("The video, a file: it is read twice.", valueName: "input"))
    var input: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the copy goes.", valueName: "out.mp4"))
    var output: String

    @Option(
        help: ArgumentHelp("pixelate, or fill with black, which leaves nothing to guess from.", valueName: "method")
    )
    var method = RedactionRun.Method.pixelate

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What is covered beside a face on each side, in parts of its box.", valueName: "ratio")
    )
    var margin: Double = 0.35

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long before its first and after its last sighting.", valueName: "seconds")
    )
    var hold: Double = 0.5

    @Option(
        help: ArgumentHelp(
            "Looks at overlapping squares too, for small faces: auto, off, or how many along the longer side.",
            valueName: "auto|off|N"
        )
    )
    var tiling = TilingArgument(mode: .auto)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Decode errors after which the status is 4.", valueName: "count")
    )
    var maxDecodeErrors = 100

    @Flag(inversion: .prefixedNo, help: "Tells on standard error how far it is.")
    var progress = true

    func validate() throws {
        guard case .file = VideoInput(commandLine: input) else {
            throw ValidationError("redact reads its input twice: give a file, not \(input).")
        }
        guard margin.isFinite, (0...5).contains(margin) else {
            throw ValidationError("--margin is \(margin); it must be between 0 and 5.")
        }
        guard hold.isFinite, (0...60).contains(hold) else {
            throw ValidationError("--hold is \(hold); it must be between 0 and 60.")
        }
        guard maxDecodeErrors >= 0 else { throw ValidationError("--max-decode-errors must not be negative.") }
        if case .file(let path) = VideoInput(commandLine: input) {
            switch FileKind(path) {
            case .other: throw ValidationError("redact reads its input twice: \(path) is no plain file.")
            case .missing, .regular, .folder: break
            }
            if let identity = FileIdentity(output), identity == FileIdentity(path) {
                throw ValidationError("--output \(output) is the input: it would be overwritten.")
            }
        }
        guard output != "-" else { throw ValidationError("--output must name a file.") }
    }

    func run() async throws {
        let line = ProgressLine(isShown: progress, isTerminal: isatty(STDERR_FILENO) == 1)
        LoggingSystem.bootstrap { label in
            StandardErrorLog(label: label, level: .info, beforeLine: { line.clear() })
        }
        let logger = Logger(label: "facellm")
        let copy: FileReplacement
        do {
            copy = try FileReplacement(output, isOpenedElsewhere: true)
        } catch {
            StandardError.line("facellm: \(error)")
            throw ExitStatus(code: error.exitCode)
        }
        let environment = ProcessInfo.processInfo.environment
        var options = RedactionRun.Options(
            input: VideoInput(commandLine: input),
            output: copy.temporaryPath,
            models: ModelFolder.standard(environment: environment)
        )
        options.modelCache = InferenceCore.standardCacheFolder(environment: environment)
        options.method = method
        options.plan.margin = Float(margin)
        options.plan.hold = hold
        options.perception.tiling = tiling.mode
        options.maximumDecodeErrors = maxDecodeErrors

        let run = RedactionRun(options: options) { line.show($0, logger: logger) }
        let signals = SignalWatch(stop: { run.stop($0) })
        var outcome = await run.run()
        line.clear()
        if outcome.isWhole {
            do {
                try copy.commit()
            } catch {
                outcome.message = error.description
                outcome.exitStatus = 1
            }
        } else {
            copy.discard()
        }
        signals.stop()
        if let message = outcome.message { StandardError.line("facellm: \(message)") }
        if outcome.isWhole {
            let times =
                outcome.passes == 1 ? "once" : "\(outcome.passes) times, with \(outcome.corrections) corrections"
            logger.info(
                """
                \(output): \(outcome.framesWritten) frames, \(outcome.regions) faces covered in \(outcome.tracks) tracks; \
                nothing is found in the copy, written \(times); \
                no sound, no metadata
                """
            )
        }
        if outcome.exitStatus != 0 { throw ExitStatus(code: outcome.exitStatus) }
    }
}
