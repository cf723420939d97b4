import Events
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Copies of videos in which faces cannot be seen.
    @Suite("Redaction", .serialized)
    struct RedactCommandTests {
        /// Every frame of a video, searched as by default.
        private func faces(in video: String) async throws -> (faces: Int, frames: Int) {
            let events = try await Facellm.analyze(video, "--every-frame", "--observations", "--no-progress")
            return (events.observations.count, events.summary.ledger.framesDecoded)
        }

        @Test("nothing is found in the copy, which has every frame", arguments: ["pixelate", "fill"])
        func clip(method: String) async throws {
            let folder = try TemporaryFolder()
            let clip = try await Clips.small.path, copy = folder.path("copy.mp4")
            let before = try await faces(in: clip)
            #expect(before.faces > 40)
            let run = try await Facellm.run("redact", clip, "-o", copy, "--method", method)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            #expect(run.standardError.contains("50 frames") && run.standardError.contains("no sound"))
            let after = try await faces(in: copy)
            #expect(after.faces == 0 && after.frames == 50)
            #expect(folder.files == ["copy.mp4"])
        }

        @Test(
            "nothing is found in copies of recordings",
            .enabled(if: Installation.media != nil, "no ../shared/media and no FACELLM_MEDIA"),
            arguments: [
                "head-pose-face-detection-male.gif", "head-pose-face-detection-female-and-male.gif",
                "face-demographics-walking.gif", "classroom.gif", "sign-again.mkv",
            ]
        )
        func recording(name: String) async throws {
            let folder = try TemporaryFolder()
            let copy = folder.path("copy.mp4")
            let path = try #require(Installation.media) + "/" + name
            guard FileManager.default.isReadableFile(atPath: path) else { try Test.cancel("\(path) is missing") }
            var options = RunningCommand.Options()
            options.seconds = 480
            let run = try await Facellm.run("redact", path, "-o", copy, options: options)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let after = try await faces(in: copy)
            #expect(after.faces == 0 && after.frames > 10)
        }

        @Test(
            "a recording without faces is only encoded anew",
            .enabled(if: Installation.media != nil, "no ../shared/media and no FACELLM_MEDIA")
        )
        func nobody() async throws {
            let folder = try TemporaryFolder()
            let path = try #require(Installation.media) + "/no-faces-cars.mp4"
            guard FileManager.default.isReadableFile(atPath: path) else { try Test.cancel("\(path) is missing") }
            let clip = folder.path("clip.mp4"), copy = folder.path("copy.mp4")
            try await Clips.ffmpeg("-i \(path) -t 4 -an -c copy \(clip)")
            let run = try await Facellm.run("redact", clip, "-o", copy)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            #expect(run.standardError.contains("0 faces covered") && run.standardError.contains("written once"))
        }

        /// When each picture is shown, and the size of a picture as displayed.
        private func probe(_ path: String) async throws -> (times: [Double], size: String, streams: Int) {
            let ffprobe = try #require(Installation.executable("ffprobe"))
            func ask(_ arguments: String) async throws -> [Substring] {
                let words = "-v error \(arguments) -of csv=p=0 \(path)".split(separator: " ").map(String.init)
                return try await CommandLineRun.of(ffprobe, words).text.split(whereSeparator: \.isWhitespace)
            }
            let times = try await ask("-select_streams v -show_entries frame=pts_time").compactMap {
                Double($0.split(separator: ",").first ?? "")
            }
            return (
                times.sorted(),
                String(try await ask("-select_streams v -show_entries stream=width,height").first ?? ""),
                try await ask("-show_entries stream=index").count
            )
        }

        @Test("frames keep their distances in time and the side that is up, with B-frames and without; no sound")
        func kept() async throws {
            let folder = try TemporaryFolder()
            let turned = folder.path("turned.mp4"), copy = folder.path("copy.mp4")
            // Frames that are stored out of order, sound, and a picture that lies on its side.
            try await Clips.ffmpeg(
                "-i \(await Clips.small.path) -i \(await Clips.audio.path) -map 0:v -map 1:a -c copy"
                    + " -metadata:s:v rotate=90 \(turned)"
            )
            for (clip, size, count) in [(turned, "270,480", 50), (try await Clips.irregular.path, "480,270", 22)] {
                let run = try await Facellm.run("redact", clip, "-o", copy)
                #expect(run.ending == .exited(0), "\(run.standardError)")
                let (before, after) = (try await probe(clip), try await probe(copy))
                #expect(after.size == size && after.streams == 1, "\(after)")
                try #require(before.times.count == count && after.times.count == count)
                for (a, b) in zip(before.times, after.times) {
                    #expect(abs((a - before.times[0]) - (b - after.times[0])) < 0.0015)
                }
                #expect(try await faces(in: copy).faces == 0)
            }
        }

        @Test("what covers a face that does not move is the same in every frame")
        func calm() async throws {
            let folder = try TemporaryFolder()
            let clip = folder.path("still.mp4"), copy = folder.path("copy.mp4"), raw = folder.path("copy.rgb")
            try await Clips.ffmpeg(
                "-loop 1 -t 5 -r 10 -i \(Installation.portrait) -vf scale=320:320 \(Clips.lossless) \(clip)"
            )
            let run = try await Facellm.run("redact", clip, "-o", copy)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            try await Clips.ffmpeg("-i \(copy) -f rawvideo -pix_fmt rgb24 \(raw)")
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: raw)))
            let frame = 3 * 320 * 320
            try #require(bytes.count == 50 * frame)
            // Whoever alternates between blocks and one colour changes much of the picture much.
            for number in 1..<50 {
                var changed = 0
                for index in stride(from: 0, to: frame, by: 7)
                where abs(Int(bytes[number * frame + index]) - Int(bytes[index])) > 16 { changed += 1 }
                #expect(changed < 40, "\(changed) of \(frame / 7) samples differ in frame \(number)")
            }
            #expect(try await faces(in: clip).faces > 40)
        }

        @Test("the input is never overwritten, and a copy that is not whole is not left behind")
        func careful() async throws {
            let folder = try TemporaryFolder()
            let clip = try folder.file("clip.mp4", try await Clips.small.data)
            let itself = try await Facellm.run("redact", clip, "-o", clip)
            #expect(itself.ending == .exited(2) && itself.standardError.contains("it would be overwritten"))
            let link = folder.path("link.mp4")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: clip)
            #expect(try await Facellm.run("redact", clip, "-o", link).ending == .exited(2))
            #expect(try Data(contentsOf: URL(filePath: clip)) == (try await Clips.small.data))
            let pipe = try await Facellm.run("redact", "-", "-o", folder.path("copy.mp4"))
            #expect(pipe.ending == .exited(2) && pipe.standardError.contains("reads its input twice"))
            let noVideo = try await Facellm.run("redact", try await Clips.audio.path, "-o", folder.path("copy.mp4"))
            #expect(noVideo.ending == .exited(3), "\(noVideo.standardError)")
            let nowhere = try await Facellm.run("redact", clip, "-o", folder.path("no/copy.mp4"))
            #expect(nowhere.ending == .exited(2))
            #expect(folder.files == ["clip.mp4", "link.mp4"])
        }

        @Test("a signal leaves what was there before", arguments: [SIGINT, SIGTERM])
        func signal(number: Int32) async throws {
            let folder = try TemporaryFolder()
            let copy = try folder.file("copy.mp4", "what was there before")
            var options = RunningCommand.Options()
            options.hasTerminal = false
            let running = try Facellm.start(["redact", try await Clips.long.path, "-o", copy], options)
            // The temporary file is there as soon as the arguments are read.
            while folder.files.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
            try await Task.sleep(for: .seconds(1))
            running.send(number)
            let run = await running.finish()
            #expect(run.ending == .exited(128 + number), "\(run.standardError)")
            #expect(folder.files == ["copy.mp4"])
            #expect(try String(contentsOfFile: copy, encoding: .utf8) == "what was there before")
        }
    }
}
