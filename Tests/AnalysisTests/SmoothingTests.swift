import Events
import TestSupport
import Testing

@testable import Analysis
@testable import Faces

@Suite struct DebouncedTests {
    @Test func theFirstValueCountsAtOnce() {
        var state = Debounced<String>(hold: 0.3)
        #expect(state.value == nil)
        state.see("a", at: 5)
        #expect(state.value == "a")
    }

    @Test func aBlinkPassesBy() {
        var state = Debounced<Bool>(hold: 0.3)
        for (time, isOpen) in [(0.0, true), (0.1, false), (0.2, false), (0.3, true), (0.9, true)] {
            state.see(isOpen, at: time)
            #expect(state.value == true)
        }
    }

    @Test func aLastingChangeCounts() {
        var state = Debounced<Bool>(hold: 0.3)
        state.see(true, at: 0)
        state.see(false, at: 1)
        state.see(false, at: 1.2)
        #expect(state.value == true)
        state.see(false, at: 1.35)
        #expect(state.value == false)
    }

    @Test func everyReturnStartsTheClockAgain() {
        var state = Debounced<Bool>(hold: 0.3)
        state.see(true, at: 0)
        for index in 0..<20 { state.see(index.isMultiple(of: 2), at: 1 + 0.2 * Double(index)) }
        #expect(state.value == true)
    }

    @Test func oneCandidateDoesNotInheritAnothersTime() {
        var state = Debounced<String>(hold: 0.3)
        state.see("a", at: 0)
        state.see("b", at: 1)
        state.see("c", at: 1.2)
        state.see("c", at: 1.4)
        #expect(state.value == "a")
        state.see("c", at: 1.6)
        #expect(state.value == "c")
    }
}

@Suite struct PoseStatisticsTests {
    @Test func nothingIsNil() {
        #expect(PoseStatistics().median == nil)
        #expect(PoseStatistics().range == nil)
    }

    @Test func onePoseIsItsOwnMedianAndRange() throws {
        var poses = PoseStatistics()
        let pose = HeadPose(yaw: 12.3, pitch: -4.6, roll: 0.2)
        poses.add(pose)
        #expect(poses.median == pose)
        let range = try #require(poses.range)
        #expect(range.yaw == 12.3...12.3 && range.pitch == -4.6 ... -4.6 && range.roll == 0.2...0.2)
    }

    /// Against sorting all of them: half a degree is lost in a bin.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func medianIsRight(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var poses = PoseStatistics()
        var yaws: [Float] = []
        for _ in 0..<Int.random(in: 1...200, using: &generator) {
            let yaw = Float.random(in: -90...90, using: &generator)
            yaws.append(yaw)
            poses.add(HeadPose(yaw: yaw, pitch: 0, roll: 0))
        }
        yaws.sort()
        let exact = yaws[(yaws.count - 1) / 2]
        #expect(abs(try #require(poses.median).yaw - exact) <= 0.501, "seed \(seed)")
        let range = try #require(poses.range)
        #expect(range.yaw == yaws[0]...yaws[yaws.count - 1])
    }

    @Test func whatIsNotANumberIsLeftOut() {
        var poses = PoseStatistics()
        poses.add(HeadPose(yaw: .nan, pitch: .infinity, roll: -.infinity))
        #expect(poses.median == nil)
        poses.add(HeadPose(yaw: 500, pitch: -500, roll: 0))
        #expect(poses.median != nil)
    }
}

@Suite struct PoseSectorTests {
    private func sector(_ yaw: Float, _ pitch: Float = 0, _ roll: Float = 0, after last: PoseSector? = nil)
        -> PoseSector
    {
        PoseSector(HeadPose(yaw: yaw, pitch: pitch, roll: roll), after: last)
    }

    @Test(arguments: [
        (Float(0), PoseSector.Turn.none), (9, .none), (11, .slight), (-24, .slight), (26, .clear), (-49, .clear),
        (51, .far), (-120, .far),
    ]) func turns(yaw: Float, turn: PoseSector.Turn) {
        #expect(sector(yaw).turn == turn)
        #expect(sector(yaw).isRight == (turn != .none && yaw > 0))
    }

    @Test func nodsAndTilts() {
        #expect(sector(0, 13).nod == .up)
        #expect(sector(0, -13).nod == .down)
        #expect(sector(0, 11).nod == .level)
        #expect(sector(0, 0, 16).isTilted && sector(0, 0, 16).tiltsClockwise)
        #expect(sector(0, 0, -16).isTilted && !sector(0, 0, -16).tiltsClockwise)
        #expect(!sector(0, 0, 14).isTilted)
    }

    /// A pose that sways about a limit by less than the slack stays where it was, on whichever side it began.
    @Test(arguments: [Float(10), 25, 50]) func limitsDoNotFlicker(limit: Float) {
        for start in [limit - 5, limit + 5] {
            let first = sector(start)
            var last = first
            for step in 0..<50 {
                last = sector(limit + (step.isMultiple(of: 2) ? 2.9 : -2.9), after: last)
                #expect(last == first, "from \(start), step \(step)")
            }
            last = sector(start < limit ? limit + 3.1 : limit - 3.1, after: last)
            #expect(last.turn != first.turn)
        }
    }

    @Test func nodsAndTiltsDoNotFlicker() {
        #expect(sector(0, 14.5, after: sector(0, 0)).nod == .level)
        #expect(sector(0, 9.5, after: sector(0, 20)).nod == .up)
        #expect(!sector(0, 0, 17.5, after: sector(0)).isTilted)
        #expect(sector(0, 0, 12.5, after: sector(0, 0, 30)).isTilted)
    }

    /// Turning to the other side is no small change.
    @Test func theOtherSideCountsAtOnce() {
        #expect(sector(-30, after: sector(30)) == sector(-30))
    }
}

@Suite struct BestShotsTests {
    private func shot(_ quality: Float, at time: Double, years: Float? = nil, male: Float = 0.5) -> BestShots.Shot {
        BestShots.Shot(
            quality: quality,
            mediaTime: time,
            frameIndex: Int(time * 30),
            estimate: years.map {
                AgeGenderClassifier.Estimate(years: $0, spread: 10, probabilityOfMale: male)
            }
        )
    }

    @Test func keepsTheBestFive() {
        var shots = BestShots()
        for (index, quality) in [Float(50), 20, 80, 40, 60, 90, 70].enumerated() {
            shots.keep(shot(quality, at: Double(index)))
        }
        #expect(shots.shots.map(\.quality).sorted() == [50, 60, 70, 80, 90])
        #expect(shots.best?.quality == 90)
        #expect(shots.best?.mediaTime == 5)
    }

    @Test func wantsWhatIsBetter() {
        var shots = BestShots()
        #expect(shots.wants(quality: 10, at: 0))
        for index in 0..<5 { shots.keep(shot(50, at: Double(index))) }
        #expect(!shots.wants(quality: 50, at: 9))
        #expect(!shots.wants(quality: 54, at: 9))
        #expect(shots.wants(quality: 56, at: 9))
    }

    /// The same moment tells the same, unless it is much better.
    @Test func oneMomentIsOneShot() {
        var shots = BestShots()
        shots.keep(shot(50, at: 1))
        #expect(!shots.wants(quality: 55, at: 1.2))
        #expect(shots.wants(quality: 70, at: 1.2))
        #expect(shots.wants(quality: 40, at: 1.5))
    }

    @Test func averagesByQuality() throws {
        var shots = BestShots()
        #expect(shots.estimate == nil)
        shots.keep(shot(90, at: 0))
        #expect(shots.estimate == nil)
        shots.keep(shot(75, at: 1, years: 30, male: 1))
        shots.keep(shot(25, at: 2, years: 50, male: 0))
        let estimate = try #require(shots.estimate)
        #expect(abs(estimate.years - 35) < 1e-4)
        #expect(abs(estimate.probabilityOfMale - 0.75) < 1e-5)
        #expect(abs(estimate.spread - 10) < 1e-4)
    }
}

@Suite struct EyeHistoryTests {
    private func see(_ history: inout EyeHistory, _ right: Float?, _ left: Float?) throws -> String? {
        let template = try FaceTemplate.standard()
        var measures = FaceMeasures(poseFree: template.points, template: template, pitch: 0)
        measures.eyeOpennessRight = right
        measures.eyeOpennessLeft = left
        return history.see(measures)?.rawValue
    }

    @Test func unmeasuredIsUnknown() throws {
        var history = EyeHistory()
        #expect(try see(&history, nil, nil) == nil)
    }

    @Test func plainCases() throws {
        var history = EyeHistory()
        #expect(try see(&history, 0.3, 0.31) == "open")
        #expect(try see(&history, 0.15, 0.16) == "closed")
        #expect(try see(&history, 0.12, 0.3) == "mixed")
        #expect(try see(&history, nil, 0.3) == "open")
        #expect(try see(&history, 0.1, nil) == "closed")
    }

    /// 0.23 is closed for wide eyes and open for narrow ones; before there is a history it is open.
    @Test func closedIsRelativeToTheUsual() throws {
        var wide = EyeHistory(), narrow = EyeHistory()
        #expect(try see(&wide, 0.23, 0.23) == "open")
        for _ in 0..<12 {
            #expect(try see(&wide, 0.38, 0.38) == "open")
            #expect(try see(&narrow, 0.25, 0.25) == "open")
        }
        #expect(try see(&wide, 0.23, 0.23) == "closed")
        #expect(try see(&narrow, 0.23, 0.23) == "open")
    }

    @Test func anyNumberIsTaken() throws {
        var history = EyeHistory()
        for value in [Float(-3), 0, 5, 1e9] { #expect(try see(&history, value, value) != nil) }
    }
}

@Suite struct NoveltyTests {
    private let shape = [Point3](repeating: Point3(0, 0, 0), count: FaceMesh.count)

    private func isNew(moved distance: Float = 0, quality: Float = 50, time: Double = 0.2) -> Bool {
        Novelty.isNew(
            shape.map { Point3($0.x + distance, $0.y, $0.z) },
            quality: quality,
            time: time,
            after: (shape: shape, quality: 50, time: 0)
        )
    }

    @Test func theSameAgainIsNotNew() {
        #expect(!isNew())
        // Jitter of the mesh.
        #expect(!isNew(moved: 0.006))
        #expect(!isNew(quality: 58))
        #expect(!isNew(quality: 10))
    }

    @Test func movementQualityAndTimeAreNew() {
        #expect(isNew(moved: 0.02))
        #expect(isNew(quality: 61))
        #expect(isNew(time: 2))
    }

    /// Depth is the mesh's least certain coordinate and does not count.
    @Test func depthDoesNotCount() {
        let deep = shape.map { Point3($0.x, $0.y, $0.z + 1) }
        #expect(!Novelty.isNew(deep, quality: 50, time: 0.2, after: (shape: shape, quality: 50, time: 0)))
    }
}
