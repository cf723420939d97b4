import Analysis
import Events
import Faces
import Imaging
import Testing
import Video

/// What the networks and the geometry around them are worth, on clips; Documentation/accuracy.md tells the figures.
@Suite(.serialized, .withMedia) struct AccuracyTests {
    /// The clips that are looked at frame by frame, and the long one at the frames that the reference has.
    static func looks(tiling: Bool) -> [AnalysedClip.Look] {
        Clip.short.map { AnalysedClip.Look(clip: $0, tiling: tiling) }
            + [joined(tiling: tiling)]
    }

    /// With tiling five times a second as in an ordinary run, else the frames of the reference, two a second.
    static func joined(tiling: Bool) -> AnalysedClip.Look {
        tiling
            ? AnalysedClip.Look(clip: .joined, sampling: .rate(5), tiling: true)
            : AnalysedClip.Look(clip: .joined, stride: 15)
    }

    // MARK: - Detection

    @Test(arguments: [false, true]) func facesAreFound(tiling: Bool) async throws {
        var all = Agreement()
        for look in Self.looks(tiling: tiling) {
            let agreement = try await Agreement.of(look)
            #expect(agreement.recall >= 0.95, "\(look.clip.rawValue): \(agreement.missed)")
            all.add(agreement)
        }
        #expect(all.faces >= 150, "the references were not compared")
        #expect(all.recall >= 0.95, "\(all.found) of \(all.faces)")
        #expect(all.overlap / Float(all.found) >= 0.75)
    }

    @Test(arguments: [false, true]) func nobodyIsNobody(tiling: Bool) async throws {
        let clip = try await AnalysedClip.of(.init(clip: .cars, tiling: tiling))
        #expect(clip.frames.count == 377)
        #expect(clip.started.isEmpty)
        #expect(clip.ended.isEmpty)
        #expect(clip.cuts.isEmpty)
        #expect(clip.ledger.violations(atEnd: false).isEmpty)
    }

    // MARK: - Pose

    @Test func poseAgrees() async throws {
        var all = Agreement()
        for look in Self.looks(tiling: false) {
            let agreement = try await Agreement.of(look)
            expectSmall(agreement, look.clip.rawValue)
            // A frame may differ, a face whose look is lost for a while may not.
            let worst = (agreement.yaw + agreement.pitch + agreement.roll).max() ?? 0
            #expect(worst <= 9, "\(look.clip.rawValue)")
            all.add(agreement)
        }
        #expect(all.yaw.count >= Int(0.97 * Double(all.meshes)), "\(all.yaw.count) of \(all.meshes) meshes")
        #expect(all.meshes >= 200, "the references were not compared")
        expectSmall(all, "all")
    }

    private func expectSmall(_ agreement: Agreement, _ name: String) {
        #expect(Agreement.mean(agreement.yaw) <= 4, "yaw, \(name)")
        #expect(Agreement.mean(agreement.pitch) <= 5, "pitch, \(name)")
        #expect(Agreement.mean(agreement.roll) <= 4, "roll, \(name)")
    }

    /// What one sees: she turns to the left edge, he to the right, then both tilt their heads to the left edge.
    @Test func poseFollowsThePair() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .pair))
        let first = try #require(clip.frames.first).faces.sorted { $0.face.box.left < $1.face.box.left }
        #expect(first.count == 2)
        let her = try #require(first.first?.face.pose), him = try #require(first.last?.face.pose)
        #expect(her.yaw < -20 && him.yaw > 5)
        let last = try #require(clip.frames.last).faces
        #expect(last.count == 2)
        for face in last { #expect(try #require(face.face.pose).roll < -30) }
    }

    /// He looks down at first.
    @Test func pitchFollowsTheSign() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .sign))
        let pitches = clip.samples(of: "t1").compactMap { $0.face.face.pose?.pitch }
        #expect(pitches.count == 77)
        #expect(pitches[0] < -8)
        #expect(pitches.dropFirst(20).allSatisfy { $0 > -5 })
    }

    // MARK: - Tracks

    struct People: Sendable {
        var clip: Clip
        var count: Int
        var tiling: Bool
    }

    static let people = [
        People(clip: .astronaut, count: 1, tiling: false), People(clip: .pair, count: 2, tiling: false),
        People(clip: .male, count: 1, tiling: false), People(clip: .sign, count: 1, tiling: false),
        People(clip: .astronaut, count: 1, tiling: true), People(clip: .pair, count: 2, tiling: true),
        People(clip: .male, count: 1, tiling: true), People(clip: .sign, count: 1, tiling: true),
        People(clip: .classroom, count: 4, tiling: true), People(clip: .walking, count: 2, tiling: true),
    ]

    @Test(arguments: people, [Sampling.everyFrame, .rate(5)]) func onePersonIsOneTrack(
        people: People,
        sampling: Sampling
    ) async throws {
        let clip = try await AnalysedClip.of(.init(clip: people.clip, sampling: sampling, tiling: people.tiling))
        #expect(clip.started.count == people.count)
        #expect(clip.ended.count == people.count)
        for end in clip.ended {
            #expect(end.reason == .endOfStream)
            let share = Double(clip.samples(of: end.trackID).count) / Double(clip.frames.count)
            #expect(share >= 0.95, "\(end.trackID)")
        }
        #expect(clip.cuts.isEmpty)
        #expect(clip.ledger.violations(atEnd: true) == [])
    }

    /// The skull on the shirt is no face, and the track stays on the man's.
    @Test(arguments: [false, true]) func theSkullIsNoFace(tiling: Bool) async throws {
        let clip = try await AnalysedClip.of(.init(clip: .sign, tiling: tiling))
        let track = try #require(clip.started.first).trackID
        let references = try Reference.load(.sign)
        for (frame, face) in clip.samples(of: track) {
            guard let man = references.first(where: { $0.frame == frame.index })?.detections.first else { continue }
            #expect(face.face.box.iou(man.box) >= 0.5, "frame \(frame.index)")
        }
    }

    /// male, pair, walking (three times) and classroom, joined by hard cuts.
    static let cuts = [15.467, 38.767, 47.5]

    @Test(arguments: [true, false]) func cutsEndTracks(tiling: Bool) async throws {
        let interval = tiling ? 0.2 : 0.5
        let clip = try await AnalysedClip.of(Self.joined(tiling: tiling))
        #expect(clip.cuts.count == Self.cuts.count, "\(clip.cuts)")
        for (found, cut) in zip(clip.cuts, Self.cuts) {
            #expect(found >= cut - 0.05 && found <= cut + interval + 0.1, "\(found)")
        }
        for end in clip.ended {
            for cut in clip.cuts {
                #expect(
                    end.lastMediaTimeSeconds < cut || end.firstMediaTimeSeconds >= cut,
                    "\(end.trackID) spans a cut"
                )
            }
        }
        func tracks(from start: Double, to end: Double) -> Int {
            clip.ended.filter { $0.firstMediaTimeSeconds >= start && $0.firstMediaTimeSeconds < end }.count
        }
        #expect(tracks(from: 0, to: clip.cuts[0]) == 1)
        #expect(tracks(from: clip.cuts[0], to: clip.cuts[1]) == 2)
        if tiling {
            #expect(tracks(from: clip.cuts[1], to: clip.cuts[2]) == 6)
            #expect(tracks(from: clip.cuts[2], to: .infinity) == 4)
        }
        #expect(clip.ledger.violations(atEnd: true) == [])
    }

    // MARK: - What faces show

    @Test func theAstronautSmiles() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .astronaut))
        let start = try #require(clip.started.first)
        #expect(start.expression?.label == .happy)
        #expect(start.attributes?[.mouth]?.value == .text("open"))
        #expect(start.attributes?[.eyes]?.value == .text("open"))
        #expect(start.attributes?[.apparentGender]?.value == .text("female"))
        #expect(start.description?.text == "Adult woman, facing the camera, mouth open, appears happy.")
    }

    @Test func theManSmiles() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .male))
        let start = try #require(clip.started.first), end = try #require(clip.ended.first)
        #expect(start.description?.text == "Adult man, facing the camera, mouth open, appears happy.")
        #expect(end.summary.attributes?[.apparentGender]?.value == .text("male"))
        #expect(end.summary.dominantExpression == .happy)
        #expect(try #require(end.summary.expressionShares?[.happy]) >= 0.9)
        let observations = clip.frames.compactMap { $0.faces.first?.observation }
        #expect(observations.count == 62)
        for observation in observations {
            #expect(try #require(observation.measures?[.mouthOpenness]) > 0.12)
            #expect(try #require(observation.actionUnits?[.au12]) > 1)
        }
        let smiles = observations.compactMap { $0.actionUnits?[.au12] }
        #expect(smiles.reduce(0, +) / 62 > 4)
    }

    /// He blinks in the last two of 62 pictures.
    @Test func theBlinkIsSeen() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .male))
        for frame in clip.frames {
            let measures = try #require(frame.faces.first?.observation?.measures)
            let right = try #require(measures[.eyeOpennessRight]), left = try #require(measures[.eyeOpennessLeft])
            let openness = (right + left) / 2
            if frame.index >= 60 {
                #expect(openness < 0.255, "frame \(frame.index)")
            } else {
                #expect(openness > 0.265, "frame \(frame.index)")
            }
        }
    }

    @Test func sentencesFitThePair() async throws {
        let clip = try await AnalysedClip.of(.init(clip: .pair))
        let starts = clip.started.sorted { $0.face.boundingBox.left < $1.face.boundingBox.left }
        let her = try #require(starts.first), him = try #require(starts.last)
        #expect(her.attributes?[.apparentGender]?.value == .text("female"))
        #expect(him.attributes?[.apparentGender]?.value == .text("male"))
        #expect(try #require(her.description).text.hasPrefix("Adult woman, face turned to her right"))
        #expect(try #require(him.description).text.hasPrefix("Adult man, face turned slightly to his left"))
        for end in clip.ended {
            let whose = end.trackID == her.trackID ? "her" : "his"
            #expect(try #require(end.summary.description).text.contains("head tilted to \(whose) right"))
        }
    }

    /// People of 10 to 25 real pixels say nothing about their looks, enlarged or not.
    @Test func tinyFacesGetNoLooks() async throws {
        let enlarged = try await AnalysedClip.of(Self.joined(tiling: true))
        for end in enlarged.ended where end.firstMediaTimeSeconds >= 38.7 {
            let text = try #require(end.summary.description).text
            #expect(text.hasPrefix("Person"), "\(end.trackID): \(text)")
            #expect(!text.contains("appears"), "\(end.trackID): \(text)")
        }
        for clip in [Clip.classroom, .walking] {
            for end in try await AnalysedClip.of(.init(clip: clip, tiling: true)).ended {
                #expect(end.summary.attributes == nil && end.summary.dominantExpression == nil)
            }
        }
    }
}
