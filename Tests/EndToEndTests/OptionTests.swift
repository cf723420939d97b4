import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What the options change, and that they change nothing else.
    @Suite("Options", .serialized)
    struct OptionTests {
        @Test("--stable: two runs give the same lines, of a damaged video too", arguments: [false, true])
        func stable(isDamaged: Bool) async throws {
            let clip = try await (isDamaged ? Clips.damaged : Clips.small).path
            let first = try await Facellm.analyze(clip, "--stable", "--observations", "--every-frame")
            let second = try await Facellm.analyze(clip, "--stable", "--observations", "--every-frame")
            #expect(first.lines.count > 50)
            for (number, (left, right)) in zip(first.lines, second.lines).enumerated() where left != right {
                Issue.record("line \(number + 1) differs:\n\(left)\n\(right)")
                break
            }
            #expect(first.lines.count == second.lines.count)
        }

        @Test("--sample-fps: 5 a second unless told otherwise, and the ledger knows of the others")
        func sampling() async throws {
            let clip = try await Clips.small.path
            let usual = try await Facellm.analyze(clip, "--observations")
            // 2 s on a grid of 0.2 s, both ends included.
            #expect((10...11).contains(usual.summary.ledger.framesSampled))
            let ledger = usual.summary.ledger
            #expect(ledger.framesDecoded + ledger.framesSkipped == 50)
            let few = try await Facellm.analyze(clip, "--sample-fps", "2", "--observations")
            #expect((4...5).contains(few.summary.ledger.framesSampled))
        }

        @Test("--every-frame looks at all of them")
        func everyFrame() async throws {
            let events = try await Facellm.analyze(try await Clips.small.path, "--every-frame", "--observations")
            let ledger = events.summary.ledger
            #expect(ledger.framesDecoded == 50 && ledger.framesSampled == 50)
            #expect(ledger.framesUnsampled == 0 && ledger.framesSkipped == 0)
            #expect(events.observations.count == ledger.facesObserved)
            let times = Set(events.observations.map(\.frame.mediaTimeSeconds)).sorted()
            #expect(times == (0..<50).map { Double($0) / 25 })
            #expect(Set(events.observations.map(\.frame.index)).sorted() == Array(0..<50))
        }

        @Test("--keyframes-only looks at key frames alone")
        func keyframes() async throws {
            let events = try await Facellm.analyze(try await Clips.small.path, "--keyframes-only", "--observations")
            let ledger = events.summary.ledger
            #expect(ledger.framesDecoded == 5 && ledger.framesSampled == 5)
            #expect(ledger.framesDecoded + ledger.framesSkipped == 50)
            #expect(events.observations.allSatisfy { $0.frame.keyframe == true })
            #expect(Set(events.observations.map(\.frame.mediaTimeSeconds)).sorted() == [0, 0.4, 0.8, 1.2, 1.6])
        }

        @Test("--start and --duration")
        func stretch() async throws {
            let clip = try await Clips.small.path
            let events = try await Facellm.analyze(
                clip,
                "--start",
                "0.65",
                "--duration",
                "0.7",
                "--every-frame",
                "--observations"
            )
            let times = Set(events.times).sorted()
            #expect(times == (17...33).map { Double($0) / 25 })
            let whole = try await Facellm.analyze(clip, "--every-frame", "--observations")
            let frames = Set(whole.observations.map(\.frame))
            // The same numbers and times, although decoding began later.
            #expect(events.observations.allSatisfy { frames.contains($0.frame) })
            #expect(events.summary.ledger.framesSampled == 17)
            let beyond = try await Facellm.analyze(clip, "--start", "60")
            #expect(beyond.summary.ledger.framesSampled == 0)
        }

        @Test("--observations --landmarks: 468 points in the frame")
        func landmarks() async throws {
            let clip = try await Clips.small.path
            let events = try await Facellm.analyze(clip, "--observations", "--landmarks")
            let tracked = events.observations.filter { $0.trackID != nil }
            #expect(tracked.count >= 9)
            for observation in tracked {
                let points = try #require(observation.face.landmarks)
                #expect(points.count == 468)
                let box = observation.face.boundingBox
                let across = box.left - box.width / 2...box.left + 1.5 * box.width
                #expect(points.allSatisfy { across.contains($0.x) })
            }
            #expect(events.changes.allSatisfy { $0.face.landmarks == nil })
            let plain = try await Facellm.analyze(clip, "--observations")
            #expect(plain.observations.allSatisfy { $0.face.landmarks == nil })
        }

        private static var personWords: Regex<AnyRegexOutput> {
            Regex(/\b(wo)?man\b|\b(fe)?male\b|\b(he|she|his|her)\b|adult|child|boy|girl|old|young/)
        }

        @Test("--attributes none: no attributes, and no words of age and gender")
        func noAttributes() async throws {
            let events = try await Facellm.analyze(
                try await Clips.small.path,
                "--attributes",
                "none",
                "--observations"
            )
            #expect(events.changes.allSatisfy { $0.attributes == nil && $0.expression == nil })
            #expect(events.ended.allSatisfy { $0.summary.attributes == nil && $0.summary.dominantExpression == nil })
            #expect(events.observations.allSatisfy { $0.attributes == nil && $0.expression == nil })
            let texts =
                events.changes.compactMap(\.description?.text)
                + events.ended.compactMap(\.summary.description?.text)
            #expect(texts.count >= 2)
            for text in texts {
                #expect(text.lowercased().firstMatch(of: Self.personWords) == nil, "\(text)")
                #expect(text.hasPrefix("Person") && !text.contains("appears") && !text.contains("mouth"), "\(text)")
            }
            #expect(!events.lines.contains { $0.contains("apparent_") })
        }

        @Test("--attributes names what is told")
        func someAttributes() async throws {
            let events = try await Facellm.analyze(try await Clips.small.path, "--attributes", "mouth,expression")
            let track = try #require(events.started.first)
            #expect(track.attributes.map { Array($0.keys) } == [.mouth])
            #expect(track.expression != nil)
            #expect(track.description?.text.hasPrefix("Person") == true)
        }

        @Test("--max-faces and --min-face-px")
        func fewerFaces() async throws {
            let folder = try TemporaryFolder()
            let pair = folder.path("pair.png")
            // The portrait and a smaller copy beside it.
            try await Clips.ffmpeg(
                "-i \(Installation.portrait) -filter_complex"
                    + " [0]split[a][b];[b]scale=320:320,pad=512:512[c];[a][c]hstack \(pair)"
            )
            let both = try await Facellm.analyze(pair)
            #expect(both.started.count == 2)
            let one = try await Facellm.analyze(pair, "--max-faces", "1")
            #expect(one.started.count == 1)
            #expect(one.summary.ledger.facesObserved == 1)
            // The larger one.
            #expect(try #require(one.started.first).face.boundingBox.left < 0.5)
            let large = try await Facellm.analyze(pair, "--min-face-px", "80")
            #expect(large.started.count == 1)
            let none = try await Facellm.analyze(pair, "--min-face-px", "5000")
            #expect(none.started.isEmpty && none.summary.ledger.facesObserved == 0)
            #expect(none.summary.complete)
        }
    }
}
