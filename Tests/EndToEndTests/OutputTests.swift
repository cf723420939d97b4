import Events
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Where events go, and what happens when they cannot.
    @Suite("Outputs", .serialized)
    struct OutputTests {
        @Test("a file, and nothing else is left behind: no pictures")
        func nothingElse() async throws {
            let folder = try TemporaryFolder()
            var options = RunningCommand.Options()
            options.folder = folder.path
            let own = ["HOME": folder.path, "TMPDIR": folder.path, "XDG_CACHE_HOME": folder.path("cache")]
            let run = try await Facellm.run(
                "analyze",
                try await Clips.small.path,
                "-o",
                "events.jsonl",
                "--observations",
                environment: own,
                options: options
            )
            #expect(run.ending == .exited(0))
            #expect(run.text == "")
            _ = try await EventFile(try Data(contentsOf: URL(filePath: folder.path("events.jsonl"))))
            let others = folder.files.filter { $0 != "events.jsonl" }
            #expect(others.allSatisfy { $0.hasPrefix("cache/facellm/") }, "\(others)")
            for name in folder.files {
                let start = [UInt8](try Data(contentsOf: URL(filePath: folder.path(name))).prefix(8))
                let isPicture = [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47], [0x42, 0x4d], [0x50, 0x36]]
                    .contains { start.starts(with: $0) }
                #expect(!isPicture, "\(name) is a picture")
            }
        }

        @Test("--crops saves one JPEG of each track")
        func crops() async throws {
            let folder = try TemporaryFolder()
            let crops = folder.path("crops")
            let events = try await Facellm.analyze(try await Clips.small.path, "--crops", crops)
            #expect(events.ended.count == 1)
            #expect(folder.files.count == events.ended.count)
            for (track, file) in zip(events.ended, folder.files) {
                #expect(file.hasPrefix("crops/\(track.trackID)-") && file.hasSuffix(".jpg"))
                let data = try Data(contentsOf: URL(filePath: folder.path(file)))
                #expect(data.starts(with: [0xff, 0xd8, 0xff]) && data.count > 1000)
            }
        }

        @Test("--annotate makes a video of the same size and length")
        func annotate() async throws {
            let folder = try TemporaryFolder()
            let video = folder.path("seen.mp4")
            let clip = try await Clips.small.path
            let events = try await Facellm.analyze(clip, "--annotate", video, "--stable")
            #expect(events.summary.ledger.framesDecoded == 50)
            // Decoded without an error, frame by frame.
            let pixels = folder.path("pixels")
            try await Clips.ffmpeg("-xerror -i \(video) -f rawvideo -pix_fmt gray \(pixels)")
            let size = try FileManager.default.attributesOfItem(atPath: pixels)[.size] as? Int
            #expect(size == 50 * 480 * 270)
            // Drawing changes nothing of what is told.
            let plain = try await Facellm.analyze(clip, "--stable")
            #expect(plain.lines.dropLast() == events.lines.dropLast())
        }

        @Test("standard output has lines of JSON alone; without a terminal no line is rewritten")
        func streams() async throws {
            let run = try await Facellm.run("analyze", try await Clips.small.path, "--log-level", "trace")
            #expect(run.ending == .exited(0))
            _ = try await EventFile(run.standardOutput)
            #expect(!run.standardError.isEmpty)
            #expect(!run.standardError.contains("\r") && !run.standardError.contains("\u{1B}"))
            #expect(!run.standardError.contains("{\""))
        }

        @Test("on a terminal the progress line goes to standard error and is taken off at the end")
        func terminal() async throws {
            var options = RunningCommand.Options()
            options.hasTerminal = true
            let run = try await Facellm.run("analyze", try await Clips.small.path, "--every-frame", options: options)
            #expect(run.ending == .exited(0))
            _ = try await EventFile(run.standardOutput)
            #expect(run.standardError.contains("\r") && run.standardError.contains("× realtime"))
            let last = try #require(run.standardError.split(separator: "\r").last { $0 != "\n" })
            #expect(!last.contains("× realtime"), "\(last)")
            let quiet = try await Facellm.run("analyze", Installation.portrait, "--no-progress", options: options)
            #expect(!quiet.standardError.contains("× realtime"))
        }

        @Test("a reader that goes away ends the run with status 1, not with a signal")
        func brokenPipe() async throws {
            var options = RunningCommand.Options()
            options.output = .closed(afterLines: 1)
            let run = try await Facellm.run(
                "analyze",
                try await Clips.long.path,
                "--observations",
                "--every-frame",
                options: options
            )
            #expect(run.ending == .exited(1), "\(run.standardError)")
            #expect(run.standardError.contains("cannot write events to \"standard output\": Broken pipe"))
            #expect(run.standardError.contains("keep it running until the last line, or write to a file"))
        }

        @Test("a full device")
        func fullDevice() async throws {
            let run = try await Facellm.run("analyze", try await Clips.small.path, "-o", "/dev/full")
            #expect(run.ending == .exited(1), "\(run.standardError)")
            #expect(run.standardError.contains("cannot write events to \"/dev/full\": No space left on device"))
            #expect(run.standardError.contains("Free space, raise the quota or choose another file."))
        }

        @Test("a file system that fills up keeps whole lines")
        func fullDisk() async throws {
            let folder = try TemporaryFolder()
            guard Installation.isRoot, mount("facellm-test", folder.path, "tmpfs", 0, "size=16k") == 0 else {
                try Test.cancel("mounting a small file system takes root")
            }
            defer { umount2(folder.path, Int32(MNT_DETACH)) }
            let file = folder.path("events.jsonl")
            let run = try await Facellm.run(
                "analyze",
                try await Clips.small.path,
                "-o",
                file,
                "--observations",
                "--every-frame"
            )
            try expectWholeLines(in: file, after: run)
        }

        @Test("a file that may not grow keeps whole lines")
        func limitedFile() async throws {
            let prlimit = try #require(Installation.executable("prlimit"))
            let folder = try TemporaryFolder()
            let file = folder.path("events.jsonl")
            var options = RunningCommand.Options()
            options.environment = try Facellm.environment()
            let run = try await CommandLineRun.of(
                prlimit,
                [
                    "--fsize=10000", Installation.facellm, "analyze", try await Clips.small.path, "-o", file,
                    "--observations", "--every-frame",
                ],
                options
            )
            try expectWholeLines(in: file, after: run)
        }

        private func expectWholeLines(
            in file: String,
            after run: CommandLineRun,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            #expect(run.ending == .exited(1), "\(run.standardError)", sourceLocation: sourceLocation)
            #expect(run.standardError.contains("cannot write events to \"\(file)\": "), sourceLocation: sourceLocation)
            #expect(run.standardError.contains("all of them whole. Free space"), sourceLocation: sourceLocation)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasSuffix("}\n"), sourceLocation: sourceLocation)
            let decoder = EventDecoder()
            let events = try text.split(separator: "\n").map { try decoder.event($0.utf8) }
            #expect(events.count > 3, sourceLocation: sourceLocation)
            #expect(events.map(\.envelope.seq) == Array(1...events.count), sourceLocation: sourceLocation)
        }

        @Test("an output in a folder that does not exist, or that is a folder")
        func wrongOutput() async throws {
            let folder = try TemporaryFolder()
            let clip = try await Clips.small.path
            let missing = folder.path("nowhere/events.jsonl")
            let first = try await Facellm.run("analyze", clip, "-o", missing)
            #expect(first.ending == .exited(2))
            #expect(first.standardError.contains("cannot open the output \"\(missing)\": No such file or directory"))
            #expect(first.standardError.contains("Create the folder first, or choose another path."))
            let second = try await Facellm.run("analyze", clip, "-o", folder.path)
            #expect(second.ending == .exited(2))
            #expect(second.standardError.contains("\"\(folder.path)\": Is a directory"))
            #expect(second.standardError.contains("Name a file in it instead."))
        }

        @Test("an output that this user may not write")
        func forbiddenOutput() async throws {
            let folder = try TemporaryFolder()
            chmod(folder.path, 0o555)
            let file = folder.path("events.jsonl")
            let run = try await OtherUser.run(["analyze", Installation.portrait, "-o", file])
            #expect(run.ending == .exited(2), "\(run.standardError)")
            #expect(run.standardError.contains("cannot open the output \"\(file)\": Permission denied"))
            #expect(run.standardError.contains("Choose a file that you may write, or change its permissions."))
        }

        @Test("pictures into a folder that does not exist", arguments: ["--annotate", "--crops"])
        func missingFolder(option: String) async throws {
            let folder = try TemporaryFolder()
            let target = folder.path("nowhere/seen.mp4")
            let run = try await Facellm.run("analyze", try await Clips.small.path, option, target)
            #expect(run.ending == .exited(2), "\(run.standardError)")
            let parent = folder.path("nowhere")
            #expect(run.standardError.contains("\(option) \(target): there is no folder \(parent)."))
            #expect(run.standardError.contains("Create it first, or choose another path."))
            #expect(folder.files == [])
        }
    }
}
