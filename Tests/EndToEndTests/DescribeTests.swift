import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `facellm describe` with a model of noise: its words mean nothing, all the rest counts.
    @Suite("Pictures in words", .serialized)
    struct DescribeTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func model() async throws -> String {
            let path = folder.path("noise")
            let made = try await Facellm.run("models", "make-random", "--size", "tiny", path)
            #expect(made.ending == .exited(0), "\(made.standardError)")
            return path
        }

        @Test("faces together have the words, the order and the errors that they have one by one")
        func batch() async throws {
            let model = try await model()
            let broken = try folder.file("broken.png", Data("no picture".utf8))
            let absent = folder.path("absent.jpg")
            let images = [Installation.portrait, broken, Installation.portrait, absent, Installation.portrait]
            let asking = ["--model", model, "--fields", "all", "--question", "expression", "--max-tokens", "12"]
            func describe(_ count: Int) async throws -> CommandLineRun {
                try await Facellm.start(["describe"] + images + asking + ["--batch", "\(count)"]).finish()
            }
            let alone = try await describe(1)
            #expect(alone.ending == .exited(3), "\(alone.standardError)")
            #expect(alone.text.components(separatedBy: "\(Installation.portrait):").count == 4)
            for count in [2, 8] {
                let together = try await describe(count)
                #expect(together.text == alone.text)
                #expect(together.standardError == alone.standardError)
                #expect(together.ending == alone.ending)
            }
        }

        @Test("JSON has a line for each picture, whatever the batch")
        func json() async throws {
            let model = try await model()
            let pictures = [Installation.portrait, Installation.portrait, Installation.portrait]
            let run = try await Facellm.start(
                ["describe"] + pictures + ["--no-crop", "--json", "--model", model, "--max-tokens", "5"]
            ).finish()
            #expect(run.ending == .exited(0), "\(run.standardError)")
            let lines = run.text.split(separator: "\n")
            #expect(lines.count == 3)
            let texts = try lines.map { line in
                let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                #expect(object["image"] as? String == Installation.portrait && object["timing"] != nil)
                return try #require(object["text"] as? String)
            }
            #expect(Set(texts).count == 1)
        }

        @Test("a batch that is none is a usage error", arguments: ["0", "9", "-1", "many"])
        func usage(count: String) async throws {
            let run = try await Facellm.run(
                "describe",
                Installation.portrait,
                "--model",
                folder.path,
                "--batch=\(count)"
            )
            #expect(run.ending == .exited(2) && run.text == "")
            #expect(run.standardError.contains("--batch"))
        }
    }
}
