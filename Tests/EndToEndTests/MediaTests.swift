import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Recordings of people, where they are at hand: beside the repository or where FACELLM_MEDIA says.
    @Suite(
        "Recordings",
        .serialized,
        .enabled(if: Installation.media != nil, "no ../shared/media and no FACELLM_MEDIA")
    )
    struct MediaTests {
        private func analyze(_ name: String) async throws -> EventFile {
            let path = try #require(Installation.media) + "/" + name
            guard FileManager.default.isReadableFile(atPath: path) else { try Test.cancel("\(path) is missing") }
            return try await Facellm.analyze(path, "--duration", "8")
        }

        @Test("cars: nobody")
        func cars() async throws {
            let events = try await analyze("no-faces-cars.mp4")
            #expect(events.started.isEmpty)
            #expect(events.summary.ledger.framesSampled == 41)
        }

        @Test("a man who smiles, as GIF")
        func smile() async throws {
            let events = try await analyze("head-pose-face-detection-male.gif")
            let track = try #require(events.ended.first)
            #expect(events.ended.count == 1)
            #expect(track.summary.dominantExpression == .happy)
            #expect(track.summary.attributes?[.apparentGender]?.value == .text("male"))
            let yaw = try #require(track.summary.poseRange?.yawDegrees)
            #expect(yaw.min > -10 && yaw.max < 10)
        }

        @Test("two people who look at each other")
        func pair() async throws {
            let events = try await analyze("head-pose-face-detection-female-and-male.gif")
            #expect(events.ended.count == 2)
            let left = try #require(events.started.first { $0.face.boundingBox.left < 0.4 })
            let right = try #require(events.started.first { $0.face.boundingBox.left > 0.5 })
            for (track, gender) in [(left, "female"), (right, "male")] {
                let end = try #require(events.ended.first { $0.trackID == track.trackID })
                #expect(end.observations >= 20)
                #expect(end.summary.attributes?[.apparentGender]?.value == .text(gender))
            }
        }

        @Test("full-range colours, no duration in the container, a printed skull on the shirt: one man")
        func signing() async throws {
            let events = try await analyze("sign-again.mkv")
            #expect(events.ended.count == 1)
            #expect(try #require(events.started.first).face.boundingBox.top < 0.3)
            #expect(events.summary.complete)
        }
    }
}
