import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Videos put into words by a language model of noise: its words mean nothing, all the rest counts.
    @Suite(
        "Describing",
        .serialized,
        .enabled(if: Installation.tinyCheckpoint != nil, "no ../shared/conformance and no FACELLM_CONFORMANCE")
    )
    struct DescribingTests {
        private func analyze(_ arguments: String...) async throws -> EventFile {
            let model = try #require(Installation.tinyCheckpoint)
            let clip = try await Clips.small.path
            let run = try await Facellm.start(["analyze", clip, "--stable", "--model", model] + arguments).finish()
            #expect(run.ending == .exited(0), "\(run.standardError)")
            return try await EventFile(run.standardOutput)
        }

        @Test("fields and a sentence, once a face, the same in every run")
        func words() async throws {
            let first = try await analyze()
            let analysis = try #require(first.analyses.first)
            #expect(first.analyses.count == 1 && first.ended.map(\.analyses) == [1])
            #expect(analysis.expression?.method == .vlm && analysis.expression?.scores?.count == 8)
            #expect((analysis.attributes?.count ?? 0) >= 5)
            #expect(analysis.attributes?.values.allSatisfy { $0.method == .vlm } == true)
            #expect(analysis.description?.method == .vlm)
            #expect((analysis.analysis.inputTokens ?? 0) > 0 && (analysis.analysis.outputTokens ?? 0) > 0)
            #expect(first.summary.provenance["facellm"]?.promptSHA256?.count == 64)
            #expect(try await analyze().lines == first.lines)
        }

        @Test("faces that are described together have the lines of faces described one by one")
        func together() async throws {
            let often = ["--describe-refresh", "0.5"]
            func lines(_ count: Int) async throws -> [String] {
                try await analyze(often[0], often[1], "--describe-batch", "\(count)").lines
            }
            let alone = try await lines(1)
            #expect(alone.contains { $0.contains("\"face.analysis\"") })
            #expect(try await lines(8) == alone)
        }

        @Test("a sentence about several moments of a face, the same in every run")
        func frames() async throws {
            // The first description comes after the first look, the next ones can tell of more.
            func run(_ frames: Int) async throws -> EventFile {
                try await analyze(
                    "--describe-fields",
                    "none",
                    "--describe-refresh",
                    "0.5",
                    "--describe-frames",
                    "\(frames)"
                )
            }
            let one = try await run(1), three = try await run(3)
            #expect(one.analyses.count == three.analyses.count && three.analyses.count > 2)
            let last = try #require(three.analyses.last?.analysis.inputTokens)
            let single = try #require(one.analyses.last?.analysis.inputTokens)
            // A tile of the tiny model is 4 tokens, and each image has a name.
            #expect(last > single + 8)
            #expect(try await run(3).lines == three.lines)
        }

        @Test("what is asked can be chosen")
        func choice() async throws {
            let folder = try TemporaryFolder()
            let fields = """
                {"fields": [{"name": "looks_tired", "stem": "The person looks", "options": [
                    {"value": "yes", "phrase": "tired"}, {"value": "no", "phrase": "awake"}]}]}
                """
            let file = try folder.file("fields.json", Data(fields.utf8))
            let events = try await analyze(
                "--describe-fields",
                "looks_tired,glasses",
                "--fields-file",
                file,
                "--describe-question",
                "none"
            )
            let analysis = try #require(events.analyses.first)
            #expect(analysis.attributes?.keys.map(\.rawValue).sorted() == ["glasses", "looks_tired"])
            #expect(analysis.description == nil && analysis.expression == nil)
            let texts = try await analyze("--describe-fields", "none", "--describe-question", "pose")
            #expect(texts.analyses.allSatisfy { $0.attributes == nil && $0.expression == nil })
            #expect(texts.analyses.first?.description?.question?.contains("face pose") == true)
        }

        @Test("a folder without a checkpoint, and fields that are none")
        func wrong() async throws {
            let folder = try TemporaryFolder()
            let clip = try await Clips.small.path
            let empty = try await Facellm.run("analyze", clip, "--model", folder.path)
            #expect(empty.ending == .exited(2) && empty.text == "")
            #expect(empty.standardError.contains("facellm: --model \(folder.path): "))
            let file = try folder.file("fields.json", Data("{}]".utf8))
            let model = try #require(Installation.tinyCheckpoint)
            let fields = try await Facellm.run("analyze", clip, "--model", model, "--fields-file", file)
            #expect(fields.ending == .exited(2) && fields.text == "", "\(fields.standardError)")
        }
    }
}
