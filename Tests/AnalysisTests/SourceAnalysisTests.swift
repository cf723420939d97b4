import Events
import Faces
import Imaging
import TestSupport
import Testing
import Video

@testable import Analysis

/// The pipeline on pictures with chosen times.
@Suite(.serialized, .withModels) struct SourceAnalysisTests {
    private func analysis(_ change: (inout AnalysisSettings) -> Void = { _ in }) throws -> SourceAnalysis {
        var settings = AnalysisSettings()
        change(&settings)
        return try SourceAnalysis(core: InferenceCore(), models: TestMedia.models, settings: settings)
    }

    private func frame(_ picture: Picture, _ index: Int, every interval: Double = 0.2) -> VideoFrame {
        VideoFrame(
            picture: picture,
            index: index,
            pts: Int64(index),
            timeBase: Rational(numerator: 1, denominator: 5),
            mediaTime: Double(index) * interval
        )
    }

    private func blank(_ value: UInt8 = 90, width: Int = 512, height: Int = 512) -> Picture {
        Picture(
            planes: [[UInt8](repeating: value, count: width * height)],
            size: Size(width: width, height: height)
        )
    }

    private func portrait() async throws -> Picture {
        let reader = try await VideoReader.open(.init(input: .file(Clip.astronaut.path), sampling: .everyFrame))
        while let event = try await reader.next() { if let frame = event.frame { return frame.picture } }
        throw VideoError(.decode, .invalidOption("the portrait has no picture"), source: Clip.astronaut.path)
    }

    private func types(_ payloads: [Event.Payload]) -> [String] { payloads.map(\.type) }

    // MARK: - Nobody

    @Test(arguments: [(0, 64, 64), (255, 1920, 1080), (90, 1, 1), (128, 3, 700)]) func blankPicturesHaveNoFaces(
        value: Int,
        width: Int,
        height: Int
    ) throws {
        let analysis = try analysis { $0.perception.tiling = .auto }
        for index in 0..<4 {
            #expect(try analysis.see(frame(blank(UInt8(value), width: width, height: height), index)).isEmpty)
        }
        #expect(analysis.endTracks(.endOfStream).isEmpty)
        #expect(analysis.ledger == Ledger())
        #expect(analysis.sightings.isEmpty)
    }

    @Test func noiseHasNoTracks() throws {
        let analysis = try analysis { $0.perception.tiling = .auto }
        var generator = SeededGenerator(seed: 9)
        for index in 0..<6 {
            let planes = (0..<3).map { _ in
                (0..<320 * 240).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            _ = try analysis.see(frame(Picture(planes: planes, size: Size(width: 320, height: 240)), index))
        }
        _ = analysis.endTracks(.endOfStream)
        #expect(analysis.ledger.tracksStarted == 0)
        #expect(analysis.ledger.violations(atEnd: true) == [])
    }

    // MARK: - A face comes and goes

    @Test(.withMedia) func aFaceComesAndLeaves() async throws {
        let analysis = try analysis { $0.observations = true }
        let portrait = try await portrait()
        var payloads: [Event.Payload] = []
        for index in 0..<3 {
            let new = try analysis.see(frame(portrait, index))
            // Two observations before the track counts, and then the track before its observation.
            #expect(types(new) == (index < 2 ? ["face.observation"] : ["track.started", "face.observation"]))
            if case .faceObservation(let observation)? = new.last {
                #expect(observation.trackID == (index < 2 ? nil : "t1"))
            }
            #expect(analysis.ledger.facesPending == (index < 2 ? index + 1 : 0))
            #expect(analysis.ledger.violations() == [])
            payloads += new
        }
        let sighting = try #require(analysis.sightings.first)
        #expect(sighting.trackID == "t1" && sighting.ordinal == 1)
        #expect(sighting.label == "happy")
        // A wall of the picture's own mean: no cut, just nobody there.
        let last = analysis.ledger
        for index in 3..<12 { payloads += try analysis.see(frame(blank(), index)) }
        let ends = payloads.compactMap { payload in
            if case .trackEnded(let end) = payload { end } else { nil }
        }
        let end = try #require(ends.first)
        #expect(ends.count == 1)
        #expect([.left, .sceneCut].contains(end.reason))
        #expect(end.observations == 3)
        #expect(end.firstMediaTimeSeconds == 0 && end.lastMediaTimeSeconds == 0.4)
        #expect(analysis.ledger.facesObserved == last.facesObserved)
        #expect(analysis.endTracks(.endOfStream).isEmpty)
        #expect(analysis.ledger.tracksStarted == 1 && analysis.ledger.tracksEnded == 1)
        #expect(analysis.ledger.violations(atEnd: true) == [])
    }

    @Test(.withMedia) func anEpochEndsTracks() async throws {
        let analysis = try analysis()
        let portrait = try await portrait()
        for index in 0..<4 { _ = try analysis.see(frame(portrait, index)) }
        let payloads = analysis.beginEpoch()
        #expect(types(payloads) == ["track.ended"])
        if case .trackEnded(let end)? = payloads.first { #expect(end.reason == .epoch) }
        #expect(analysis.sightings.isEmpty)
        // Time begins anew; the number does not come back.
        for index in 0..<3 {
            for case .trackStarted(let start) in try analysis.see(frame(portrait, index)) {
                #expect(start.trackID == "t2")
            }
        }
        #expect(types(analysis.endTracks(.interrupted)) == ["track.ended"])
        #expect(analysis.ledger.tracksStarted == 2 && analysis.ledger.tracksEnded == 2)
        #expect(analysis.ledger.violations(atEnd: true) == [])
    }

    /// Seen once in passing: nothing is told, and its face is counted as rejected.
    @Test(.withMedia) func aGlimpseIsForgotten() async throws {
        let analysis = try analysis()
        let portrait = try await portrait()
        var payloads = try analysis.see(frame(portrait, 0))
        for index in 1..<8 { payloads += try analysis.see(frame(blank(), index)) }
        payloads += analysis.endTracks(.endOfStream)
        #expect(payloads.filter { if case .trackStarted = $0 { true } else { false } }.count <= 1)
        #expect(analysis.ledger.facesObserved == 1)
        #expect(analysis.ledger.facesPending == 0)
        #expect(analysis.ledger.violations(atEnd: true) == [])
    }

    /// The same frames give the same events.
    @Test(.withMedia) func isDeterministic() async throws {
        let portrait = try await portrait()
        func run() throws -> [Event.Payload] {
            let analysis = try analysis { $0.observations = true }
            return try (0..<5).flatMap { try analysis.see(frame(portrait, $0)) } + analysis.endTracks(.endOfStream)
        }
        #expect(try run() == run())
    }

    // MARK: - Settings

    @Test(.withMedia) func whatIsSwitchedOffIsNotTold() async throws {
        let analysis = try analysis {
            $0.attributes = []
            $0.wantsExpression = false
        }
        let portrait = try await portrait()
        var payloads = try (0..<3).flatMap { try analysis.see(frame(portrait, $0)) }
        payloads += analysis.endTracks(.endOfStream)
        #expect(types(payloads) == ["track.started", "track.ended"])
        for payload in payloads {
            switch payload {
            case .trackStarted(let start):
                #expect(start.attributes == nil && start.expression == nil)
                #expect(start.description?.text == "Person, facing the camera.")
            case .trackEnded(let end):
                #expect(end.summary.attributes == nil && end.summary.dominantExpression == nil)
                #expect(end.summary.description?.text == "Person, facing the camera.")
            default: break
            }
        }
    }

    @Test(.withMedia) func smallFacesCanBeLeftOut() async throws {
        let analysis = try analysis { $0.perception.minimumFace = 200 }
        let portrait = try await portrait()
        for index in 0..<3 { #expect(try analysis.see(frame(portrait, index)).isEmpty) }
        #expect(analysis.ledger.facesObserved == 0)
    }
}

@Suite struct FaceOutcomesTests {
    @Test func everyOutcomeEndsInItsCounter() {
        var outcomes = FaceOutcomes(.analysed)
        for outcome in [FaceOutcome.reused, .reused, .rejected, .failed] { outcomes.add(outcome) }
        #expect(outcomes.total == 5)
        var ledger = Ledger()
        ledger.facesObserved = 5
        outcomes.add(to: &ledger)
        #expect(ledger.facesAnalysed == 1)
        #expect(ledger.facesReused == 2)
        #expect(ledger.facesRejectedQuality == 1)
        #expect(ledger.facesFailed == 1)
        #expect(ledger.violations(atEnd: true) == [])
    }
}
