import Events
import Faces
import Imaging
import TestSupport
import Testing

@testable import Analysis

@Suite struct ShotPolicyTests {
    private static func quality(_ score: Float) -> FaceQuality {
        var quality = FaceQuality(
            grey: [Float](repeating: 128, count: 64 * 64),
            interEyeDistance: 40,
            pose: HeadPose(yaw: 0, pitch: 0, roll: 0),
            box: Rect(left: 10, top: 10, width: 80, height: 80),
            frame: Size(width: 200, height: 200)
        )
        quality.unifiedScore = score
        quality.sharpness = 0.6
        return quality
    }

    private func look(
        _ time: Double,
        _ score: Float? = 80,
        _ appearance: TrackState.Appearance = .init(expression: .neutral),
        track: String = "t1",
        isBorn: Bool = true,
        turn: Float = 5,
        width: Float = 80
    ) -> ShotPolicy.Look {
        ShotPolicy.Look(
            track: track,
            time: time,
            isBorn: isBorn,
            quality: score.map(Self.quality),
            turn: turn,
            width: width,
            appearance: appearance
        )
    }

    /// The policy behind a reference, so that expectations can ask it.
    private final class Policy {
        private var policy: ShotPolicy

        init(_ settings: DescriptionSettings.Shots) { policy = ShotPolicy(settings: settings) }

        func see(_ look: ShotPolicy.Look) -> ShotPolicy.Decision { policy.see(look) }
        func end(_ track: String) -> DescriptionRequest.Reason? { policy.end(track) }
        func takeStretch(of track: String) -> DedupRecord.Represents? { policy.takeStretch(of: track) }

        func giveBack(_ request: DescriptionRequest, asksAgain: Bool) {
            policy.giveBack(request, asksAgain: asksAgain)
        }
    }

    private func policy(_ change: (inout DescriptionSettings.Shots) -> Void = { _ in }) -> Policy {
        var settings = DescriptionSettings.Shots()
        change(&settings)
        return Policy(settings)
    }

    // MARK: - The first description

    @Test func aGoodShotIsTakenAtOnce() {
        let policy = policy()
        #expect(policy.see(look(0)) == .ask(.new))
        for index in 1..<50 { #expect(policy.see(look(0.2 * Double(index))) == .nothing) }
    }

    @Test func theBestOfASecondMustDoWhereNoneIsGood() {
        let policy = policy()
        #expect(policy.see(look(0, 30)) == .keep)
        #expect(policy.see(look(0.2, 45)) == .keep)
        #expect(policy.see(look(0.4, 44)) == .nothing)
        #expect(policy.see(look(0.8, 31)) == .nothing)
        #expect(policy.see(look(1.0, 31)) == .askKept(.new))
        #expect(policy.see(look(1.2, 90)) == .nothing)
    }

    @Test(
        "not good enough to take at once",
        arguments: ["blurred", "turned away", "eyes close together", "low score"]
    )
    func notGood(flaw: String) {
        let policy = policy()
        var look = look(0, 75)
        switch flaw {
        case "blurred": look.quality?.sharpness = 0.2
        case "turned away": look.turn = 40
        case "eyes close together": look.quality?.interEyeDistance = 12
        default: look.quality?.unifiedScore = 45
        }
        #expect(policy.see(look) == .keep)
        // A lower score that is good is better.
        #expect(policy.see(self.look(0.2, 62)) == .ask(.new))
    }

    @Test func whatShowsNoFaceIsNeverAskedAbout() {
        let policy = policy()
        for index in 0..<100 {
            let time = 0.2 * Double(index)
            #expect(policy.see(look(time, 80, track: "small", width: 20)) == .nothing)
            #expect(policy.see(look(time, 10, track: "blurred")) == .nothing)
            #expect(policy.see(look(time, nil, track: "far")) == .nothing)
        }
        for track in ["small", "blurred", "far"] { #expect(policy.end(track) == nil) }
    }

    @Test func nothingIsAskedBeforeTheTrackCounts() {
        let policy = policy()
        #expect(policy.see(look(0, 85, isBorn: false)) == .keep)
        #expect(policy.see(look(0.2, 70, isBorn: false)) == .nothing)
        #expect(policy.see(look(0.4, 70)) == .askKept(.new))
    }

    @Test func aTrackThatEndsIsAskedAboutOnce() {
        let policy = policy()
        _ = policy.see(look(0, 30, track: "short"))
        #expect(policy.end("short") == .new)
        #expect(policy.end("short") == nil)
        _ = policy.see(look(0, 90, track: "known"))
        #expect(policy.end("known") == nil)
        #expect(policy.end("unknown") == nil)
    }

    // MARK: - Refreshes

    @Test func aLastingChangeIsDescribedAgain() {
        let policy = policy { $0.changeSpacing = 2 }
        let smiling = TrackState.Appearance(expression: .happy, eyes: .open)
        #expect(policy.see(look(0, 80, .init(expression: .neutral))) == .ask(.new))
        #expect(policy.see(look(1, 80, smiling)) == .nothing)
        // Eyes that are seen for the first time did not change.
        #expect(policy.see(look(2, 80, smiling)) == .ask(.changed([.expression])))
        #expect(policy.see(look(5, 80, smiling)) == .nothing)
        #expect(policy.see(look(6, 80, .init(expression: .happy, eyes: .closed))) == .ask(.changed([.eyes])))
    }

    @Test func aChangeThatWentBackIsNone() {
        let policy = policy { $0.changeSpacing = 2 }
        _ = policy.see(look(0, 80, .init(mouth: .closed)))
        #expect(policy.see(look(3, 30, .init(mouth: .open))) == .keep)
        #expect(policy.see(look(3.4, 80, .init(mouth: .closed))) == .nothing)
        for index in 0..<20 { #expect(policy.see(look(4 + Double(index), 80, .init(mouth: .closed))) == .nothing) }
    }

    /// The picture that is asked about shows the newest change.
    @Test func anotherChangeBeginsANewPicture() {
        let policy = policy { $0.changeSpacing = 2 }
        _ = policy.see(look(0, 80, .init(eyes: .open, mouth: .closed)))
        #expect(policy.see(look(3, 50, .init(eyes: .open, mouth: .open))) == .keep)
        #expect(policy.see(look(3.2, 40, .init(eyes: .closed, mouth: .open))) == .keep)
        #expect(policy.see(look(4, 30, .init(eyes: .closed, mouth: .open))) == .askKept(.changed([.eyes, .mouth])))
    }

    /// Of the same kind of change too.
    @Test func aChangeThatGoesOnBeginsANewPicture() {
        let policy = policy { $0.changeSpacing = 2 }
        _ = policy.see(look(0, 80, .init(mouth: .closed)))
        #expect(policy.see(look(3, 50, .init(mouth: .open))) == .keep)
        #expect(policy.see(look(3.2, 40, .init(mouth: .wideOpen))) == .keep)
        #expect(policy.see(look(4, 30, .init(mouth: .wideOpen))) == .askKept(.changed([.mouth])))
    }

    /// Waiting for a frontal picture of a head that turned away would be in vain.
    @Test func aTurnedHeadIsAGoodPictureOfATurn() {
        let policy = policy { $0.changeSpacing = 2 }
        let front = TrackState.Appearance(sector: PoseSector(HeadPose(yaw: 0, pitch: 0, roll: 0)))
        let side = TrackState.Appearance(sector: PoseSector(HeadPose(yaw: 45, pitch: 0, roll: 0)))
        _ = policy.see(look(0, 80, front, turn: 0))
        #expect(policy.see(look(3, 70, side, turn: 45)) == .ask(.changed([.pose])))
    }

    @Test func anOldDescriptionIsRenewed() {
        let policy = policy { $0.refreshInterval = 30 }
        _ = policy.see(look(0))
        #expect(policy.see(look(29.9)) == .nothing)
        #expect(policy.see(look(30.1, 40)) == .keep)
        #expect(policy.see(look(30.3, 90)) == .ask(.refresh))
        #expect(policy.see(look(60)) == .nothing)
        #expect(policy.see(look(60.4)) == .ask(.refresh))
    }

    // MARK: - Budgets

    @Test func aTrackHasABudget() {
        let policy = policy {
            $0.refreshInterval = 1
            $0.perTrack = 3
        }
        let asks = (0..<100).map { policy.see(look(0.5 * Double($0))) }
        #expect(asks.filter { $0 == .ask(.new) }.count == 1 && asks.filter { $0 == .ask(.refresh) }.count == 2)
        #expect(policy.see(look(51, track: "t2")) == .ask(.new))
    }

    @Test func anHourHasABudget() {
        let policy = policy { $0.perHour = 2 }
        #expect(policy.see(look(0, track: "t1")) == .ask(.new))
        #expect(policy.see(look(10, track: "t2")) == .ask(.new))
        // Nothing is held on to: when there is budget again, an old picture is no use.
        #expect(policy.see(look(20, track: "t3")) == .nothing)
        #expect(policy.see(look(3599, track: "t3")) == .nothing)
        // The first one is an hour ago.
        #expect(policy.see(look(3600, track: "t3")) == .ask(.new))
        // An epoch begins time anew, the hour goes on.
        #expect(policy.see(look(0, track: "t4")) == .nothing)
        #expect(policy.end("t4") == nil)
        #expect(policy.see(look(11, track: "t5")) == .ask(.new))
    }

    @Test func whatWasNeverAskedCostsNothing() throws {
        let policy = policy {
            $0.perTrack = 1
            $0.perHour = 1
        }
        #expect(policy.see(look(0)) == .ask(.new))
        policy.giveBack(try .sample("t1", at: 0), asksAgain: true)
        // Not at once: where there was no place a moment ago there is none yet.
        #expect(policy.see(look(0.2)) == .keep)
        #expect(policy.see(look(0.8)) == .nothing)
        #expect(policy.see(look(1)) == .askKept(.new))
        #expect(policy.see(look(100)) == .nothing)
    }

    @Test func aChangeThatFoundNoPlaceIsAskedAboutAgain() throws {
        let policy = policy { $0.changeSpacing = 2 }
        _ = policy.see(look(0, 80, .init(mouth: .closed)))
        let open = TrackState.Appearance(mouth: .open)
        #expect(policy.see(look(3, 80, open)) == .ask(.changed([.mouth])))
        policy.giveBack(try .sample("t1", at: 3, reason: .changed([.mouth])), asksAgain: true)
        #expect(policy.see(look(3.5, 80, open)) == .keep)
        #expect(policy.see(look(4, 80, open)) == .askKept(.changed([.mouth])))
    }

    // MARK: - What an answer stands for

    @Test func stretchesJoinWithoutOverlap() throws {
        let policy = policy { $0.refreshInterval = 1 }
        var stretches: [DedupRecord.Represents] = []
        for index in 0..<11 where policy.see(look(0.2 * Double(index))) != .nothing {
            stretches.append(try #require(policy.takeStretch(of: "t1")))
        }
        #expect(stretches.map(\.observations) == [1, 5, 5])
        #expect(stretches.map(\.firstMediaTimeSeconds) == [0, 0.2, 1.2])
        #expect(stretches.map(\.lastMediaTimeSeconds) == [0, 1, 2])
        #expect(policy.takeStretch(of: "t2") == nil)
    }

    // MARK: - Anything

    /// Random faces: budgets and spacing hold, nothing is asked about before it counts, and a kept picture was kept.
    @Test(arguments: 1...30 as ClosedRange<UInt64>) func rulesHoldForAnything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var settings = DescriptionSettings.Shots()
        settings.perTrack = 4
        settings.perHour = 12
        settings.refreshInterval = 5
        settings.changeSpacing = 2
        let policy = Policy(settings)
        var asked: [String: [Double]] = [:]
        var kept: Set<String> = []
        var time = 0.0
        for _ in 0..<1500 {
            time += Double.random(in: 0...0.3, using: &generator)
            let track = "t\(Int.random(in: 1...6, using: &generator))"
            let look = look(
                time,
                Bool.random(using: &generator) ? Float.random(in: 0...100, using: &generator) : nil,
                TrackState.Appearance(
                    expression: Expression.allCases.randomElement(using: &generator),
                    mouth: MouthState.allCases.randomElement(using: &generator)
                ),
                track: track,
                isBorn: time > 3,
                turn: Float.random(in: 0...90, using: &generator),
                width: Float.random(in: 10...200, using: &generator)
            )
            switch policy.see(look) {
            case .nothing: continue
            case .keep: kept.insert(track)
            case .ask(let reason):
                #expect((reason == .new) == (asked[track] == nil), "seed \(seed)")
                asked[track, default: []].append(time)
                kept.remove(track)
            case .askKept(let reason):
                #expect((reason == .new) == (asked[track] == nil), "seed \(seed)")
                let wasKept = kept.remove(track) != nil
                #expect(wasKept, "seed \(seed)")
                asked[track, default: []].append(time)
            }
        }
        let times = asked.values.flatMap(\.self)
        #expect(times.count <= 12 && times.count > 4, "seed \(seed)")
        for times in asked.values {
            #expect(times.count <= 4, "seed \(seed)")
            #expect(times.allSatisfy { $0 > 3 }, "seed \(seed)")
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 2 }, "seed \(seed)")
        }
    }
}
