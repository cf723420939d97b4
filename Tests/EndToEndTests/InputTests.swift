import Events
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// What is given as the video, good or bad.
    @Suite("Inputs", .serialized)
    struct InputTests {
        /// Expects status 3 and one line that names the input and says `words`, and nothing on standard output.
        private func expectUnreadable(
            _ input: String,
            _ words: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let run = try await Facellm.run("analyze", input)
            #expect(run.ending == .exited(3), "\(run.standardError)", sourceLocation: sourceLocation)
            #expect(run.text == "", sourceLocation: sourceLocation)
            let message = run.standardError
            #expect(message.hasPrefix("facellm: \(input): "), "\(message)", sourceLocation: sourceLocation)
            #expect(message.contains(words), "\(message)", sourceLocation: sourceLocation)
            #expect(message.split(separator: "\n").count == 1, "\(message)", sourceLocation: sourceLocation)
        }

        @Test("a missing file")
        func missing() async throws {
            try await expectUnreadable("/nowhere/party.mp4", "does not exist; check the name")
        }

        @Test("a folder")
        func folder() async throws {
            let folder = try TemporaryFolder()
            try await expectUnreadable(folder.path, "is a directory; name a file in it")
        }

        @Test("an empty file")
        func empty() async throws {
            let folder = try TemporaryFolder()
            try await expectUnreadable(try folder.file("empty.mp4"), "is empty")
        }

        @Test("empty standard input")
        func emptyStandardInput() async throws {
            let run = try await Facellm.run("analyze", "-")
            #expect(run.ending == .exited(3))
            #expect(run.standardError.hasPrefix("facellm: standard input: is "), "\(run.standardError)")
        }

        @Test("text that is called a video")
        func text() async throws {
            let folder = try TemporaryFolder()
            let text = String(repeating: "This is no video. ", count: 200)
            let file = try folder.file("text.mp4", Data(text.utf8))
            try await expectUnreadable(file, "is not a video that FFmpeg can read; check")
        }

        @Test("an MP4 whose recording was cut short has no index")
        func noIndex() async throws {
            let folder = try TemporaryFolder()
            let whole = folder.path("whole.mp4")
            // Without +faststart the index comes last.
            try await Clips.ffmpeg("-i \(await Clips.small.path) -c copy \(whole)")
            let data = try Data(contentsOf: URL(filePath: whole))
            let file = try folder.file("cut.mp4", data.prefix(data.count / 2))
            try await expectUnreadable(file, "has no index (no 'moov' atom)")
        }

        @Test("sound alone")
        func audio() async throws {
            try await expectUnreadable(try await Clips.audio.path, "has no video stream")
        }

        @Test("sound with a cover picture")
        func coverArt() async throws {
            try await expectUnreadable(try await Clips.coverArt.path, "has no video stream, only a cover picture")
        }

        @Test("a video stream without pictures")
        func nothing() async throws {
            let run = try await Facellm.run("analyze", try await Clips.nothing.path)
            #expect(run.ending == .exited(3))
            #expect(run.standardError.contains("nothing.mp4: "), "\(run.standardError)")
        }

        @Test("a file that this user may not read")
        func unreadable() async throws {
            let folder = try TemporaryFolder()
            let file = try folder.file("secret.mp4", try await Clips.small.data)
            chmod(file, 0)
            let run = try await OtherUser.run(["analyze", file])
            #expect(run.ending == .exited(3), "\(run.standardError)")
            #expect(run.standardError.contains("\(file): may not be read; check its permissions"))
        }

        @Test("an MP4 that was cut in mid-picture: what is there is analysed, and the loss is told")
        func cut() async throws {
            let folder = try TemporaryFolder()
            let data = try await Clips.small.data
            let file = try folder.file("cut.mp4", data.prefix(data.count * 6 / 10))
            let run = try await Facellm.run("analyze", file)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let events = try await EventFile(run.standardOutput)
            #expect(events.started.count == 1)
            #expect(events.summary.ledger.framesSampled >= 5)
            #expect(try #require(events.summary.lastMediaTimeSeconds) < 1.7)
            #expect(!events.summary.complete)
            #expect(
                run.standardError.contains("cut.mp4 is cut short: not all of it could be read"),
                "\(run.standardError)"
            )
        }

        @Test("an edit list that trims the end leaves nothing to miss")
        func trimmed() async throws {
            let folder = try TemporaryFolder()
            var data = try await Clips.small.data
            // ISO/IEC 14496-12, version 0: version and flags, number of entries, duration of the first.
            let list = try #require(data.range(of: Data("elst".utf8)))
            data.replaceSubrange(list.upperBound + 8..<list.upperBound + 12, with: [0, 0, 0x03, 0xe8])
            let file = try folder.file("trimmed.mp4", data)
            let run = try await Facellm.run("analyze", file)
            let events = try await EventFile(run.standardOutput)
            #expect(events.summary.complete)
            #expect(!run.standardError.contains("cut short"), "\(run.standardError)")
            #expect(try #require(events.summary.lastMediaTimeSeconds) < 1.3)
        }

        @Test("damaged packets are counted, and the rest is analysed")
        func damaged() async throws {
            let run = try await Facellm.run("analyze", try await Clips.damaged.path, "--every-frame")
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let events = try await EventFile(run.standardOutput)
            let ledger = events.summary.ledger
            #expect(ledger.framesCorrupt > 0 && ledger.framesCorrupt < ledger.framesDecoded)
            #expect(events.summary.exitReason == .complete && events.summary.complete)
            #expect(events.started.count >= 1)
            #expect(run.standardError.contains("damaged.mkv: \(ledger.framesCorrupt) packets or frames are damaged"))
        }

        @Test("more decode errors than allowed: status 4 after a valid last line")
        func tooManyErrors() async throws {
            let run = try await Facellm.run("analyze", try await Clips.damaged.path, "--max-decode-errors", "0")
            let events = try await expectTooManyErrors(run, "damaged.mkv")
            #expect(events.started.count >= 1)
        }

        @Test("so many decode errors in a row end the run")
        func errorsInARow() async throws {
            let run = try await Facellm.run("analyze", try await Clips.ruined.path, "--max-decode-errors", "0")
            let events = try await expectTooManyErrors(run, "ruined.mkv")
            #expect(!events.summary.complete)
            #expect(events.summary.ledger.framesDecoded < 10)
        }

        private func expectTooManyErrors(
            _ run: CommandLineRun,
            _ name: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> EventFile {
            #expect(run.ending == .exited(4), "\(run.standardError)", sourceLocation: sourceLocation)
            #expect(run.standardError.contains("\(name): is damaged: "), sourceLocation: sourceLocation)
            #expect(
                run.standardError.contains("0 allowed; raise the limit or copy the file again"),
                sourceLocation: sourceLocation
            )
            let events = try await EventFile(run.standardOutput, sourceLocation: sourceLocation)
            #expect(events.summary.exitReason == .decodeErrors, sourceLocation: sourceLocation)
            #expect(events.summary.ledger.framesCorrupt > 0, sourceLocation: sourceLocation)
            return events
        }

        @Test("standard input, and a file: URL")
        func otherWays() async throws {
            let file = try await Clips.stream.path
            let direct = try await Facellm.analyze(file, "--stable")
            var options = RunningCommand.Options()
            options.input = file
            let piped = try await Facellm.analyze("-", "--stable", options: options)
            let url = try await Facellm.analyze("file://" + file, "--stable")
            for (other, name) in [(piped, "stdin"), (url, "stream.mkv")] {
                #expect(other.events.allSatisfy { $0.envelope.source == name })
                // The name of the source is all that may differ.
                #expect(other.lines.map { $0.replacing(name, with: "stream.mkv") } == direct.lines)
            }
        }

        @Test("a FIFO whose writer goes away early")
        func fifo() async throws {
            let folder = try TemporaryFolder()
            let fifo = try FIFO(in: folder)
            let data = try await Clips.stream.data
            let running = try Facellm.start(["analyze", fifo.path])
            try await fifo.write(data.prefix(data.count * 6 / 10)).close()
            let run = await running.finish()
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let events = try await EventFile(run.standardOutput)
            #expect(events.started.count == 1)
            #expect(events.ended.map(\.reason) == [.endOfStream])
        }

        @Test("a picture: one track with its one observation")
        func picture() async throws {
            let events = try await Facellm.analyze(Installation.portrait)
            let track = try #require(events.started.first)
            #expect(events.started.count == 1)
            #expect(track.expression?.label == .happy)
            #expect(track.attributes?[.mouth]?.value == .text("open"))
            #expect(track.attributes?[.eyes]?.value == .text("open"))
            #expect(track.attributes?[.apparentGender]?.value == .text("female"))
            let text = try #require(track.description?.text)
            #expect(text == "Adult woman, facing the camera, mouth open, appears happy.")
            #expect(events.ended.map(\.observations) == [1])
            #expect(events.summary.ledger.framesDecoded == 1)
        }

        @Test("a picture that grows in the middle of a stream begins a new epoch")
        func growing() async throws {
            let events = try await Facellm.analyze(try await Clips.growing.path, "--observations")
            let statuses = events.statuses
            #expect(statuses.map { $0.video?.width } == [480, 640])
            #expect(statuses.last?.reason?.contains("size changed") == true)
            #expect(Set(events.events.compactMap(\.envelope.epoch)) == [0, 1])
            #expect(events.ended.map(\.reason) == [.epoch, .endOfStream])
            for event in events.events {
                guard case .faceObservation(let observation) = event.payload else { continue }
                #expect(observation.frame.width == (event.envelope.epoch == 0 ? 480 : 640))
            }
            // The same face in both sizes: boxes are ratios.
            let boxes = [0, 1].map { epoch in
                events.events.compactMap { event in
                    if case .faceObservation(let seen) = event.payload, event.envelope.epoch == epoch {
                        seen.face.boundingBox
                    } else {
                        nil
                    }
                }
            }
            let first = try #require(boxes[0].first)
            let second = try #require(boxes[1].first)
            #expect(abs(first.left - second.left) < 0.02 && abs(first.width - second.width) < 0.02)
        }
    }
}

/// The program run by a user who may do nothing: `nobody` where the tests run as root, else who runs them.
enum OtherUser {
    static func run(_ arguments: [String]) async throws -> CommandLineRun {
        guard Installation.isRoot else { return try await Facellm.start(arguments).finish() }
        guard let setpriv = Installation.setpriv else {
            try Test.cancel(
                "the tests run as root, and setpriv is not installed: nobody to play the user without rights"
            )
        }
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        var options = RunningCommand.Options()
        options.environment = try Facellm.environment()
        let check = try await CommandLineRun.of(setpriv, nobody + ["test", "-x", Installation.facellm], options)
        guard check.status == 0 else {
            try Test.cancel("user 65534 may not enter the folder of \(Installation.facellm)")
        }
        return try await CommandLineRun.of(setpriv, nobody + [Installation.facellm] + arguments, options)
    }
}

/// A pipe with a name.
///
/// Opening and writing block, so they happen on threads of their own.
struct FIFO {
    let path: String

    init(in folder: TemporaryFolder) throws {
        path = folder.path("fifo")
        try #require(mkfifo(path, 0o600) == 0)
    }

    /// Waits until a reader has opened the pipe and taken everything but what the pipe itself holds.
    ///
    /// - Returns: the writing end; the pipe ends when it is closed.
    func write(_ data: Data) async throws -> FileHandle {
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread {
                done.resume(
                    with: Result {
                        let handle = try FileHandle(forWritingTo: URL(filePath: path))
                        try handle.write(contentsOf: data)
                        return handle
                    }
                )
            }
        }
    }
}
