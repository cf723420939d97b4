import Analysis
import ArgumentParser
import Console
import Events
import Foundation
import Imaging
import Report
import Video

/// `facellm report`: what events tell, as a page, as tables, as subtitles.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes a page, tables or subtitles from a file of events.",
        discussion: """
            Examples:
              facellm report events.jsonl -o report.html
              facellm report events.jsonl --video party.mp4 -o report.html
              facellm report events.jsonl --csv party.csv --srt party.srt

            The page is one file that needs nothing else, no network and no script. It holds no pictures unless --video \
            is given. Lines that are damaged or unknown are counted, told and passed over.

            Exit status: 0 complete, 1 failure, 2 usage, 3 the events or the video cannot be read, \
            4 more damaged lines than allowed (everything is written all the same), 130 or 143 after a signal.
            """
    )

    @Argument(help: ArgumentHelp("The events: a file, or - for standard input.", valueName: "events"))
    var input: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the page goes; - is standard output.", valueName: "file"))
    var output: String?

    @OptionGroup var tables: TableOptions

    @Option(
        help: ArgumentHelp(
            "The video that the events are about: puts a picture of each face on the page. Of several sources: NAME=FILE,"
                + " more than once.",
            valueName: "file"
        )
    )
    var video: [String] = []

    @Option(help: ArgumentHelp("Only the events of this source.", valueName: "name"))
    var source: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Damaged lines after which the status is 4.", valueName: "count")
    )
    var maxDamagedLines = 100

    private var paths: ReportOutputs.Paths { ReportOutputs.Paths(html: output, csv: tables.csv, srt: tables.srt) }

    func validate() throws {
        guard !paths.isEmpty else {
            throw ValidationError("Nothing to write: give --output, --csv or --srt.")
        }
        guard maxDamagedLines >= 0 else { throw ValidationError("--max-damaged-lines must not be negative.") }
        if !video.isEmpty, output == nil {
            throw ValidationError("--video is for the pictures on the page: give --output too.")
        }
        try OutputCheck.check(
            paths.files.map { ($0.option == "--report" ? "--output" : $0.option, $0.path) },
            against: [input]
                + video.flatMap { [$0, $0.split(separator: "=", maxSplits: 1).last.map(String.init) ?? $0] }
        )
    }

    func run() async throws {
        let stopping = StopSwitch()
        let signals = SignalWatch(stop: { stopping.stop($0) })
        defer { signals.stop() }
        let outputs: ReportOutputs
        do {
            let file = try EventFile(input)
            outputs = try ReportOutputs(paths)
            try await read(file, into: outputs, stopping: stopping)
            if stopping.reason == nil, !video.isEmpty {
                try await takePictures(for: outputs, stopping: stopping)
            }
            if let reason = stopping.reason {
                outputs.discard()
                throw ExitStatus(code: reason.rawValue)
            }
            for remark in try outputs.finish() { StandardError.line("facellm: \(remark)") }
        } catch let status as ExitStatus {
            throw status
        } catch is CancellationError {
            throw ExitStatus(code: stopping.reason?.rawValue ?? 1)
        } catch {
            StandardError.line("facellm: \(error)")
            let code: Int32 =
                switch error {
                case let error as FileReplacement.Failure: error.exitCode
                case let error as VideoError: error.exitStatus
                case is EventFile.Failure, is ShotReader.OtherVideo: 3
                case is WrongVideo: 2
                default: 1
                }
            throw ExitStatus(code: code)
        }
        tell(outputs.counts)
        if outputs.counts.damaged > maxDamagedLines { throw ExitStatus(code: 4) }
    }

    // MARK: - Events

    /// Reads on a thread of its own: a pipe may keep it waiting.
    private func read(_ file: EventFile, into outputs: ReportOutputs, stopping: StopSwitch) async throws {
        let source = source
        var reading = EventReading()
        for try await chunk in file.chunks {
            if stopping.reason != nil { return }
            reading.append(chunk) { if source == nil || $0.envelope.source == source { outputs.see($0) } }
        }
        reading.finish { if source == nil || $0.envelope.source == source { outputs.see($0) } }
        outputs.counts = reading.counts
        let counts = reading.counts
        if counts.lines > 0, counts.events + counts.unknownLines + counts.connection == 0 {
            throw EventFile.Failure(
                description: "\(file.name) holds no events: \(counts.examples.first?.reason ?? "no line can be read")"
            )
        }
        if let source, counts.events > 0, outputs.story.runs.isEmpty {
            throw EventFile.Failure(description: "\(file.name) holds no events of a source \(source)")
        }
    }

    private func tell(_ counts: EventReading.Counts) {
        func lines(_ count: Int) -> String { "\(count) line\(count == 1 ? "" : "s")" }
        if counts.lines == 0 { StandardError.line("facellm: \(input) is empty") }
        if counts.damaged > 0 {
            let example = counts.examples.first.map { " (line \($0.line): \($0.reason))" } ?? ""
            StandardError.line("facellm: \(lines(counts.damaged)) could not be read\(example)")
            if counts.isCut { StandardError.line("facellm: the last line is cut off") }
        }
        if counts.unknownLines > 0 {
            let names = counts.unknown.keys.sorted().joined(separator: ", ")
            StandardError.line("facellm: \(lines(counts.unknownLines)) of unknown types: \(names)")
        }
    }

    // MARK: - Pictures

    private struct WrongVideo: Error, CustomStringConvertible { let description: String }

    private func takePictures(for outputs: ReportOutputs, stopping: StopSwitch) async throws {
        let names = outputs.story.sourceNames
        for argument in video {
            let (name, path) = try assignment(argument, among: names)
            var keys: [ReportPage.TrackKey] = []
            var shots: [ShotReader.Shot] = []
            for (run, story) in outputs.story.runs.enumerated() {
                for source in story.sources where source.name == name {
                    // As many as there are cards, those that were on screen longest.
                    let tracks = source.tracks.sorted { $0.duration > $1.duration }.prefix(ReportPage.cardLimit)
                    for track in tracks {
                        guard let shot = track.bestShot else { continue }
                        keys.append(ReportPage.TrackKey(run: run, source: name, track: track.id))
                        shots.append(
                            ShotReader.Shot(time: shot.time, box: shot.box, width: shot.width, height: shot.height)
                        )
                    }
                }
            }
            let wanted = shots
            let work = Task { try await ShotReader.pictures(of: .file(path), at: wanted) }
            stopping.attach { work.cancel() }
            for (index, jpeg) in try await work.value.enumerated() {
                if let jpeg { outputs.pictures[keys[index]] = ReportPage.Picture(jpeg: jpeg, time: shots[index].time) }
            }
        }
    }

    /// Which source a video belongs to: the one that is named, the one of the file's name, or the only one.
    private func assignment(_ argument: String, among names: [String]) throws -> (source: String?, path: String) {
        for name in names where argument.hasPrefix(name + "=") {
            return (name, String(argument.dropFirst(name.count + 1)))
        }
        let last = SourceName.of(.file(argument))
        if names.contains(last) { return (last, argument) }
        if names.count <= 1 { return (names.first, argument) }
        throw WrongVideo(
            description:
                "--video \(argument): the events have \(names.count) sources; give --video NAME=FILE with one of"
                + " \(names.joined(separator: ", "))."
        )
    }
}

/// Outputs that would overwrite what is read, or one another.
enum OutputCheck {
    static func check(_ outputs: [(option: String, path: String)], against inputs: [String]) throws {
        var seen: [(option: String, path: String)] = []
        for output in outputs where FileKind(output.path) != .other {
            if let other = seen.first(where: { $0.path == output.path }) {
                throw ValidationError("\(output.option) and \(other.option) name the same file \(output.path).")
            }
            seen.append(output)
            guard let identity = FileIdentity(output.path) else { continue }
            if inputs.contains(where: { FileIdentity($0) == identity }) {
                throw ValidationError("\(output.option) \(output.path) is an input: it would be overwritten.")
            }
        }
    }
}

/// A file of events, read piece by piece on a thread of its own.
struct EventFile {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let name: String
    private let descriptor: Int32

    init(_ path: String) throws {
        name = path == "-" ? "standard input" : path
        if path == "-" {
            descriptor = STDIN_FILENO
            return
        }
        if FileKind(path) == .folder {
            throw Failure(description: "\(path): this is a folder; name a file of events in it")
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "\(path): \(String(cString: strerror(errno)))") }
    }

    /// The bytes of the file, in pieces; the reading thread is at most two pieces ahead.
    var chunks: AsyncThrowingStream<[UInt8], any Error> {
        let (descriptor, name) = (descriptor, name)
        // Unfolding: each piece is asked for, so nothing piles up.
        return AsyncThrowingStream {
            try await withCheckedThrowingContinuation { done in
                Thread.detachNewThread {
                    var buffer = [UInt8](repeating: 0, count: 1 << 18)
                    while true {
                        let count = read(descriptor, &buffer, buffer.count)
                        if count < 0, errno == EINTR { continue }
                        guard count >= 0 else {
                            done.resume(
                                throwing: Failure(description: "\(name): \(String(cString: strerror(errno)))")
                            )
                            return
                        }
                        done.resume(returning: count == 0 ? nil : Array(buffer[..<count]))
                        return
                    }
                }
            }
        }
    }
}
