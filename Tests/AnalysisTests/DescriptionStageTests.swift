import Events
import FaceLLM
import Imaging
import Testing
import Video

@testable import Analysis
@testable import Faces

/// The stage on made-up faces: what is asked, in which order, with which picture.
@Suite struct DescriptionStageTests {
    /// 640 x 480, brighter from left to right.
    private static let picture: Picture = {
        let row = (0..<640).map { UInt8($0 * 255 / 639) }
        let plane = [UInt8]((0..<480).flatMap { _ in row })
        return Picture(planes: [plane], size: Size(width: 640, height: 480))
    }()

    private func frame(_ time: Double) -> VideoFrame {
        VideoFrame(
            picture: Self.picture,
            index: Int(time * 5),
            pts: Int64(time * 5),
            timeBase: Rational(numerator: 1, denominator: 5),
            mediaTime: time
        )
    }

    private func sighting(
        _ id: String,
        _ score: Float,
        box: Rect = Rect(left: 200, top: 100, width: 100, height: 120),
        isBorn: Bool = true,
        _ appearance: TrackState.Appearance = .init(expression: .neutral)
    ) throws -> SourceAnalysis.Sighting {
        var quality = FaceQuality(
            grey: [Float](repeating: 128, count: 64 * 64),
            interEyeDistance: 40,
            pose: HeadPose(yaw: 0, pitch: 0, roll: 0),
            box: box,
            frame: Self.picture.size
        )
        quality.unifiedScore = score
        quality.sharpness = 0.6
        var face = PerceivedFace(box: box, score: 0.9)
        face.quality = quality
        var sighting = SourceAnalysis.Sighting(face: face, trackID: isBorn ? id : nil, ordinal: 1)
        sighting.state = SourceAnalysis.Sighting.State(
            id: id,
            face: try #require(EventRecords.face(face, size: Self.picture.size, withLandmarks: false)),
            appearance: appearance,
            facts: .init()
        )
        return sighting
    }

    private func stage(
        isLive: Bool = false,
        _ describer: FakeDescriber = FakeDescriber(),
        _ change: (inout DescriptionSettings) -> Void = { _ in }
    ) -> DescriptionStage {
        var settings = DescriptionSettings()
        change(&settings)
        return DescriptionStage(describer: describer, settings: settings, isLive: isLive)
    }

    /// - Returns: each step in a word: the track asked about, or the type of the event.
    private func words(_ steps: [DescriptionStage.Step]) -> [String] {
        steps.map {
            switch $0 {
            case .ask(let request): "ask \(request.trackID)"
            case .publish(let payload): payload.type
            }
        }
    }

    private func see(
        _ stage: DescriptionStage,
        _ time: Double,
        _ sightings: [SourceAnalysis.Sighting],
        _ payloads: [Event.Payload] = []
    ) -> [DescriptionRequest] {
        let followed = Set(sightings.compactMap { $0.state?.id })
        let steps = stage.steps(
            after: payloads,
            sightings: sightings,
            followed: followed,
            in: frame(time),
            epoch: 0
        )
        return steps.compactMap { if case .ask(let request) = $0 { request } else { nil } }
    }

    private func end(_ id: String, _ reason: TrackEnd.Reason) throws -> Event.Payload {
        .trackEnded(
            try #require(
                TrackEnd(
                    trackID: id,
                    reason: reason,
                    firstMediaTimeSeconds: 0,
                    lastMediaTimeSeconds: 1,
                    observations: 3,
                    analyses: 7
                )
            )
        )
    }

    // MARK: - Budgets

    /// A day before the camera, a look each second, nothing of it changing.
    @Test(arguments: [
        (12, 1200, 60.0, 12), (100_000, 1200, 60, 1440), (100_000, 30, 60, 720), (100_000, 1200, 3600, 24),
    ])
    func aStillFaceIsDescribedWithinItsBudget(perTrack: Int, perHour: Int, interval: Double, expected: Int) async throws
    {
        let stage = stage(isLive: true) {
            $0.shots.perTrack = perTrack
            $0.shots.perHour = perHour
            $0.shots.refreshInterval = interval
        }
        let face = try sighting("t1", 80)
        var times: [Double] = []
        var most = 0
        for second in 0..<86_400 {
            for request in see(stage, Double(second), [face]) { stage.offer(request) }
            most = max(most, stage.queue.waiting.count)
            while let request = stage.take(upTo: 1).first {
                times.append(request.mediaTime)
                _ = await stage.ask([request], stoppedBy: StopSwitch())
            }
        }
        #expect(most <= 1)
        #expect((expected - 1...expected + 1).contains(times.count), "\(times.count)")
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= interval })
        for start in times { #expect(times.count { $0 >= start && $0 < start + 3600 } <= perHour) }
        #expect(stage.queue.outcomes[.described] == times.count && stage.queue.outcomes.queued == times.count)
    }

    // MARK: - Pictures

    @Test func thePictureIsTheSquareAroundTheFace() throws {
        let request = try #require(see(stage(), 0, [try sighting("t1", 80)]).first)
        // 120 pixels and a quarter of it on each side.
        #expect(request.picture.size == Size(width: 180, height: 180))
        let left = 250 - 90
        #expect(request.picture[x: 0, y: 90].red == UInt8(left * 255 / 639))
        #expect(request.quality == 80 && request.mediaTime == 0)
    }

    @Test func aLargeFaceIsNoLargerThanTheModelsTile() throws {
        let box = Rect(left: 100, top: 40, width: 400, height: 400)
        let request = try #require(see(stage(), 0, [try sighting("t1", 80, box: box)]).first)
        #expect(request.picture.size == Size(width: 448, height: 448))
    }

    /// What is asked about later is the moment that was kept, not the present one.
    @Test func theKeptMomentIsDescribed() throws {
        let stage = stage()
        #expect(see(stage, 0, [try sighting("t1", 40)]).isEmpty)
        #expect(see(stage, 0.4, [try sighting("t1", 50)]).isEmpty)
        let request = try #require(see(stage, 1, [try sighting("t1", 30)]).first)
        #expect(request.mediaTime == 0.4 && request.quality == 50)
        #expect(request.represents?.observations == 3 && request.represents?.lastMediaTimeSeconds == 1)
    }

    @Test func aFaceIsDescribedByItsBestMoments() throws {
        let stage = stage { $0.frames = 3 }
        // None is good enough to be asked about before the patience is over.
        var requests: [DescriptionRequest] = []
        for (time, score) in [(0, 30), (0.2, 55), (0.4, 40), (0.6, 35), (0.8, 50), (1, 45)] as [(Double, Float)] {
            requests += see(stage, time, [try sighting("t1", score), try sighting("t2", score, isBorn: false)])
        }
        let request = try #require(requests.first)
        #expect(requests.count == 1 && request.trackID == "t1" && request.mediaTime == 0.2)
        #expect(request.moments.count == 3 && request.moments.contains(request.picture))
        #expect(see(self.stage(), 0, [try sighting("t1", 80)]).first?.moments == [])
        // Nothing was seen before.
        #expect(see(self.stage { $0.frames = 3 }, 0, [try sighting("t1", 80)]).first?.moments == [])
        #expect(stage.mostTogether == 1)
    }

    // MARK: - Ends

    @Test func anUndescribedTrackIsAskedAboutBeforeItsEnd() throws {
        let stage = stage()
        _ = see(stage, 0, [try sighting("t1", 40, isBorn: false)])
        let steps = stage.steps(
            after: [try end("t1", .endOfStream)],
            sightings: [],
            followed: [],
            in: nil,
            epoch: 0
        )
        #expect(words(steps) == ["ask t1", "track.ended"])
        // The number of analyses is this stage's, not perception's.
        guard case .trackEnded(let ended) = stage.finished(try end("t1", .left)) else { return }
        #expect(ended.analyses == 0)
    }

    @Test func nothingIsAskedWhenTheRunIsStopped() throws {
        let stage = stage()
        _ = see(stage, 0, [try sighting("t1", 40)])
        let last = [try end("t1", .interrupted)]
        #expect(words(stage.steps(after: last, sightings: [], followed: [], in: nil, epoch: 0)) == ["track.ended"])
    }

    @Test func aGlimpseLeavesNothingBehind() throws {
        let stage = stage()
        _ = see(stage, 0, [try sighting("t1", 40, isBorn: false)])
        _ = see(stage, 0.2, [])
        let last = [try end("t1", .left)]
        #expect(words(stage.steps(after: last, sightings: [], followed: [], in: nil, epoch: 0)) == ["track.ended"])
    }

    // MARK: - Waiting requests

    @Test func aBetterPictureTakesThePlaceOfTheOneThatWaits() throws {
        let stage = stage(isLive: true)
        stage.offer(try #require(see(stage, 0, [try sighting("t1", 65)]).first))
        // The one before is being described, so that this one waits.
        stage.offer(try #require(see(stage, 1, [try sighting("t2", 65)]).first))
        #expect(see(stage, 1.2, [try sighting("t2", 66)]).isEmpty)
        let better = try #require(see(stage, 1.4, [try sighting("t2", 80)]).first)
        #expect(better.reason == .new)
        stage.offer(better)
        #expect(stage.queue.waiting.map(\.quality) == [65, 80])
        #expect(stage.queue.outcomes[.replaced] == 1 && stage.queue.outcomes.queued == 3)
        // A picture of something else is no better picture of the same.
        let smile = try sighting("t2", 95, .init(expression: .happy))
        #expect(see(stage, 1.6, [smile]).isEmpty)
    }

    @Test func aTrackWhoseCropExpiredAsksAgain() throws {
        let stage = stage(isLive: true) { $0.lifetime = 2 }
        stage.offer(try #require(see(stage, 0, [try sighting("t1", 65)]).first))
        #expect(see(stage, 2.1, [try sighting("t1", 65)]).isEmpty)
        #expect(stage.queue.outcomes[.expired] == 1)
        #expect(see(stage, 2.3, [try sighting("t1", 65)]).isEmpty)
        #expect(see(stage, 3.2, [try sighting("t1", 65)]).count == 1)
    }

    // MARK: - Answers

    @Test func theDescriberIsToldWhatItSaidBefore() async throws {
        let describer = FakeDescriber()
        let stage = stage(describer) { $0.shots.refreshInterval = 1 }
        let start = TrackChange(
            trackID: "t1",
            frame: try DescriptionRequest.sample("t1").frame,
            face: FaceRecord(
                boundingBox: try #require(BoundingBox(left: 0, top: 0, width: 1, height: 1))
            )
        )
        var texts: [String?] = []
        for time in [0.0, 1.5, 3] {
            let payloads: [Event.Payload] = time == 0 ? [.trackStarted(start)] : []
            stage.offer(try #require(see(stage, time, [try sighting("t1", 80)], payloads).first))
            let requests = stage.take(upTo: 1)
            texts.append(try #require(requests.first).previousDescription)
            let reply = try #require(await stage.ask(requests, stoppedBy: StopSwitch()).first)
            #expect(stage.record(reply).type == "face.analysis")
        }
        #expect(texts == [nil, "Answer 1.", "Answer 2."])
        guard case .trackEnded(let ended) = stage.finished(try end("t1", .left)) else { return }
        #expect(ended.analyses == 3)
        #expect(stage.queue.outcomes[.described] == 3 && stage.queue.outcomes.pending == 0)
    }

    @Test func aStopBeforeTheAnswerCountsAsDropped() async throws {
        let stage = stage(FakeDescriber(FakeDescriber.endless))
        stage.offer(try #require(see(stage, 0, [try sighting("t1", 80)]).first))
        let stopping = StopSwitch()
        stopping.stop(.terminated)
        let replies = await stage.ask(stage.take(upTo: 1), stoppedBy: stopping)
        #expect(replies.isEmpty)
        #expect(stage.queue.outcomes[.dropped] == 1 && stage.queue.outcomes.pending == 0)
    }

    @Test(arguments: [("", nil), ("Ja.", 3), (String(repeating: "ü", count: 60_000), 8000)] as [(String, Int?)])
    func aTextFitsIntoItsLine(text: String, length: Int?) async throws {
        let describer = FakeDescriber { _, _ in
            var answer = DescriptionAnswer(status: .partial)
            answer.description = DescriptionRecord(text: text, method: .vlm)
            return answer
        }
        let stage = stage(describer)
        stage.offer(try #require(see(stage, 0, [try sighting("t1", 80)]).first))
        let reply = try #require(await stage.ask(stage.take(upTo: 1), stoppedBy: StopSwitch()).first)
        guard case .faceAnalysis(let analysis) = stage.record(reply) else {
            Issue.record("no answer")
            return
        }
        #expect(analysis.description?.text.unicodeScalars.count == length)
        #expect(analysis.analysis.status == .partial)
        var factory = EventFactory(source: "clip")
        let line = try EventEncoder().line(factory.make(.faceAnalysis(analysis)))
        #expect(line.description.utf8.count < 65_536)
    }
}
