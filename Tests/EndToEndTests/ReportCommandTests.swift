import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Pages, tables and subtitles from events.
    @Suite("Reports", .serialized)
    struct ReportCommandTests {
        /// The events of the small clip, with observations.
        private func makeEvents(in folder: TemporaryFolder) async throws -> String {
            let path = folder.path("events.jsonl")
            let run = try await Facellm.run("analyze", try await Clips.small.path, "--observations", "-o", path)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            return path
        }

        private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

        @Test("a page, tables and subtitles of a clip, and pictures where the video is given")
        func all() async throws {
            let folder = try TemporaryFolder()
            let events = try await makeEvents(in: folder)
            let html = folder.path("report.html"), srt = folder.path("a.srt")
            let run = try await Facellm.run("report", events, "-o", html, "--csv", folder.path("a.csv"), "--srt", srt)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            #expect(folder.files == ["a-observations.csv", "a-tracks.csv", "a.srt", "events.jsonl", "report.html"])
            let page = try text(html)
            #expect(page.contains("small.mp4") && page.contains("id=\"face-1\"") && !page.contains("<img"))
            #expect(page.utf8.count < 200_000)
            let lines = try text(events).split(separator: "\n")
            let observed = lines.count { $0.contains("\"type\":\"face.observation\"") }
            #expect(try text(folder.path("a-observations.csv")).components(separatedBy: "\r\n").count == observed + 2)
            #expect(try text(folder.path("a-tracks.csv")).components(separatedBy: "\r\n").count == 3)
            #expect(try text(srt).hasPrefix("1\n00:00:0"))
            // Another program's reader takes the subtitles too.
            try await Clips.ffmpeg("-xerror -i \(srt) \(folder.path("a.vtt"))")

            let shots = try await Facellm.run("report", events, "-o", html, "--video", try await Clips.small.path)
            #expect(shots.ending == .exited(0), "\(shots.standardError)")
            #expect(try text(html).components(separatedBy: "<img src=\"data:image/jpeg;base64,/9j/").count == 2)
            // The same by the name of its source, whose letters may have several bytes.
            let renamed = try text(events).replacingOccurrences(of: "\"small.mp4\"", with: "\"tür 門\"")
            let named = try await Facellm.run(
                "report",
                try folder.file("named.jsonl", renamed),
                "-o",
                html,
                "--video",
                "tür 門=\(try await Clips.small.path)"
            )
            #expect(named.ending == .exited(0), "\(named.standardError)")
            #expect(try text(html).contains("<img src=\"data:image/jpeg;base64,/9j/"))
            let wrong = try await Facellm.run("report", events, "-o", html, "--video", try await Clips.demo.path)
            #expect(wrong.ending == .exited(3))
            #expect(wrong.standardError.contains("it is not the video that they are about"))
        }

        @Test("analyze writes the same page in one go")
        func inOneGo() async throws {
            let folder = try TemporaryFolder()
            let html = folder.path("report.html"), srt = folder.path("a.srt"), events = folder.path("events.jsonl")
            let clip = try await Clips.small.path
            let run = try await Facellm.run(
                "analyze",
                clip,
                "--observations",
                "-o",
                events,
                "--report",
                html,
                "--srt",
                srt,
                "--csv",
                folder.path("a.csv")
            )
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let page = try text(html), subtitles = try text(srt)
            let tables = try ["tracks", "observations"].map { try text(folder.path("a-\($0).csv")) }
            let again = try await Facellm.run(
                "report",
                events,
                "-o",
                html,
                "--srt",
                srt,
                "--csv",
                folder.path("a.csv")
            )
            #expect(again.ending == .exited(0), "\(again.standardError)")
            #expect(try text(html) == page)
            #expect(try text(srt) == subtitles)
            #expect(try ["tracks", "observations"].map { try text(folder.path("a-\($0).csv")) } == tables)
            let shots = try await Facellm.run("analyze", clip, "-o", "/dev/null", "--report", html, "--report-shots")
            #expect(shots.ending == .exited(0), "\(shots.standardError)")
            #expect(try text(html).contains("<img src=\"data:image/jpeg;base64,/9j/"))
        }

        @Test(
            "the page of a minute of video is small, and shows in a browser without a network",
            .needsChromium,
            .enabled(if: Installation.media != nil, "no ../shared/media and no FACELLM_MEDIA"),
            arguments: [false, true]
        )
        func minute(withShots: Bool) async throws {
            let folder = try TemporaryFolder()
            let html = folder.path("report.html"), events = folder.path("events.jsonl")
            let video = try #require(Installation.media) + "/faces-1080p.mp4"
            guard FileManager.default.isReadableFile(atPath: video) else { try Test.cancel("\(video) is missing") }
            var options = RunningCommand.Options()
            options.seconds = 280
            let arguments = ["analyze", video, "--observations", "-o", events, "--report", html]
            let run = try await Facellm.start(arguments + (withShots ? ["--report-shots"] : []), options).finish()
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let page = try text(html)
            #expect(page.utf8.count < 2_000_000, "\(page.utf8.count) bytes")
            let cards = page.components(separatedBy: "<article ").count - 1
            #expect(cards >= 8, "\(cards) cards")
            #expect(page.contains("<img") == withShots)
            let shots = page.components(separatedBy: "<img ").count - 1
            try await BrowserScript.run(
                "Tests/ReportTests/Browser/report.py",
                [html, "{\"cards\":\(cards),\"sources\":1,\"labels\":2,\"partial\":true,\"shots\":\(shots)}"],
                seconds: 170
            )
        }

        @Test("an empty file, damaged and unknown lines: told, and the rest is reported")
        func lenient() async throws {
            let folder = try TemporaryFolder()
            let html = folder.path("report.html")
            let empty = try await Facellm.run("report", try folder.file("empty.jsonl"), "-o", html)
            #expect(empty.ending == .exited(0) && empty.standardError.contains("empty.jsonl is empty"))
            #expect(try text(html).contains("The file holds no events."))

            let events = try text(try await makeEvents(in: folder))
            let damaged = try folder.file(
                "damaged.jsonl",
                "{\"schema\":\"facellm.events/1\",\"type\":\"new.thing\"}\nnonsense\n" + events.dropLast(30)
            )
            let run = try await Facellm.run("report", damaged, "-o", html)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            #expect(run.standardError.contains("2 lines could not be read (line 2: "))
            #expect(run.standardError.contains("the last line is cut off"))
            #expect(run.standardError.contains("1 line of unknown types: new.thing"))
            #expect(try text(html).contains("id=\"face-1\""))
            let strict = try await Facellm.run("report", damaged, "-o", html, "--max-damaged-lines", "1")
            #expect(strict.ending == .exited(4))
        }

        @Test("what cannot be read or written, and wrong usage")
        func failures() async throws {
            let folder = try TemporaryFolder()
            let html = folder.path("report.html")
            let missing = try await Facellm.run("report", folder.path("none.jsonl"), "-o", html)
            #expect(missing.ending == .exited(3) && missing.standardError.contains("No such file"))
            let noise = try await Facellm.run("report", try folder.file("noise", "a\nb\n"), "-o", html)
            #expect(noise.ending == .exited(3) && noise.standardError.contains("holds no events"))
            let events = try folder.file("e.jsonl", "")
            let nothing = try await Facellm.run("report", events)
            #expect(nothing.ending == .exited(2) && nothing.standardError.contains("Nothing to write"))
            let itself = try await Facellm.run("report", events, "-o", events)
            #expect(itself.ending == .exited(2) && itself.standardError.contains("it would be overwritten"))
            let nowhere = try await Facellm.run("report", events, "-o", folder.path("no/where.html"))
            #expect(nowhere.ending == .exited(2) && nowhere.standardError.contains("create the folder first"))
            let full = try await Facellm.run("report", events, "-o", "/dev/full")
            #expect(full.ending == .exited(1), "\(full.standardError)")
            #expect(folder.files == ["e.jsonl", "noise"], "nothing is left behind")
        }

        @Test("a name, an attribute and a sentence with markup, through the whole program")
        func injection() async throws {
            let folder = try TemporaryFolder()
            let html = folder.path("report.html")
            let evil = "<img src=x onerror=alert(1)>\\\"'"
            let text = try self.text(try await makeEvents(in: folder))
                .replacingOccurrences(of: "\"small.mp4\"", with: "\"\(evil)\"")
                .replacingOccurrences(of: #""text":""#, with: "\"text\":\"\(evil)")
            let run = try await Facellm.run("report", try folder.file("evil.jsonl", text), "-o", html)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let page = try self.text(html)
            #expect(!page.contains("<img"))
            #expect(page.components(separatedBy: "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;").count > 3)
        }
    }
}
