import Faces
import Foundation
import Imaging
import Testing
import Video

@testable import Analysis

@Suite("What is done about faces in a finished copy")
struct RedactionCheckTests {
    private let head = Rect(left: 100, top: 100, width: 50, height: 60)

    private func correction(
        _ box: Rect,
        of strength: RedactionStrength = .fine,
        method: RedactionRun.Method = .pixelate,
        attempt: Int = 0
    ) -> RedactionCheck.Correction {
        RedactionCheck.correction(
            of: box,
            covers: [
                RedactionCover(
                    track: 1,
                    region: Rect(left: 0, top: 0, width: 30, height: 30),
                    strength: .fine,
                    block: 5
                ),
                RedactionCover(track: 2, region: head, strength: strength, block: strength == .plain ? nil : 10),
            ],
            method: method,
            strength: attempt
        )
    }

    @Test("a face beside all that is covered was missed, however often the copy was corrected", arguments: 0...5)
    func missed(attempt: Int) {
        let apart = Rect(left: 300, top: 100, width: 40, height: 40)
        #expect(correction(apart, attempt: attempt) == .missed(apart))
        // Two heads close together: the second is no part of the first.
        let neighbour = Rect(left: 140, top: 100, width: 40, height: 40)
        #expect(correction(neighbour, attempt: attempt) == .missed(neighbour))
    }

    @Test("blocks that look like a face become coarser, then one colour, and nothing more is covered")
    func strengthen() {
        #expect(correction(head.scaled(by: 0.7)) == .strengthen(1, .coarse))
        #expect(correction(head.scaled(by: 0.7), of: .coarse, attempt: 4) == .strengthen(1, .plain))
        // A guess at a whole body, for the sake of the head that it has.
        #expect(correction(Rect(left: 60, top: 80, width: 140, height: 140)) == .strengthen(1, .coarse))
    }

    @Test("what was one colour and is found again gets a patch that grows")
    func patch() throws {
        let box = head.scaled(by: 0.8)
        var last: Float = 0
        for attempt in 1...6 {
            guard case .patch(let rect) = correction(box, of: .plain, attempt: attempt) else {
                Issue.record("no patch at \(attempt)")
                continue
            }
            #expect(abs(rect.center.x - box.center.x) < 0.01 && rect.area > last)
            last = rect.area
        }
        #expect(last > box.area)
        // Black has nothing plainer.
        #expect(correction(box, method: .fill) == .patch(box.scaled(by: 0.4)))
    }
}

/// Copies that were made with few attempts.
@Suite("A redaction's attempts", .serialized, .withMedia, .timeLimit(.minutes(4)))
struct RedactionAttemptsTests {
    /// - Parameter passes: how often the copy may be written.
    private func run(_ clip: Clip, passes: Int) async throws -> RedactionRun.Outcome {
        let folder = FileManager.default.temporaryDirectory.appending(path: "facellm-redaction-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = RedactionRun.Options(
            input: .file(clip.path),
            output: folder.appending(path: "copy.mp4").path,
            models: TestMedia.models
        )
        options.maximumPasses = passes
        return await RedactionRun(options: options).run()
    }

    @Test("a copy in which something is found in the end is not whole, and the reason says where")
    func givenUp() async throws {
        // Blocks at the size of these heads look like faces in many frames, which one attempt cannot know.
        let outcome = try await run(.walking, passes: 1)
        #expect(!outcome.isWhole && outcome.exitStatus == 1 && outcome.passes == 1)
        let message = try #require(outcome.message)
        #expect(message.contains("of 35 frames") && message.contains("no copy was kept"), "\(message)")
    }

    @Test("with enough attempts nothing is found, and what was added is told")
    func corrected() async throws {
        let outcome = try await run(.walking, passes: 8)
        #expect(outcome.isWhole && outcome.exitStatus == 0 && outcome.message == nil)
        #expect(outcome.passes > 1 && outcome.corrections > 0 && outcome.framesWritten == 35)
    }
}
