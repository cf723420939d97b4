import Imaging
import TestSupport
import Testing

@testable import Faces

@Suite struct TrackerTests {
    /// A face 40 pixels wide whose centre is at `x`, 100.
    private func face(_ x: Float, y: Float = 100, width: Float = 40, score: Float = 0.9, look: [Float] = [])
        -> TrackedFace
    {
        TrackedFace(
            box: Rect(center: Point(x: x, y: y), width: width, height: width),
            score: score,
            appearance: look
        )
    }

    /// A tracker with a face at 100, 100 that counts, last seen at 0.4 s.
    private func trackerWithBornFace() -> Tracker {
        var tracker = Tracker()
        for time in [0.0, 0.2, 0.4] { _ = tracker.update([face(100)], at: time) }
        return tracker
    }

    // MARK: - Birth

    @Test func bornAtTheThirdConfidentSighting() {
        var tracker = Tracker()
        #expect(tracker.update([face(100)], at: 0) == .init(tracks: [1]))
        #expect(tracker.update([face(101)], at: 0.2) == .init(tracks: [1]))
        #expect(tracker.update([face(102)], at: 0.4) == .init(tracks: [1], born: [1]))
        #expect(tracker.update([face(103)], at: 0.6) == .init(tracks: [1]))
    }

    /// Nor do they keep one that is not born yet; a confident sighting soon enough does.
    @Test func unsureSightingsDoNotBear() {
        var tracker = Tracker()
        var births: [Int] = []
        for (index, score) in [Float(0.9), 0.4, 0.9, 0.4, 0.9].enumerated() {
            let update = tracker.update([face(100, score: score)], at: Double(index) * 0.2)
            #expect(update.tracks == [score < 0.5 ? nil : 1])
            if !update.born.isEmpty { births.append(index) }
        }
        #expect(births == [4])
    }

    @Test func unsureSightingsKeepABornTrack() {
        var tracker = trackerWithBornFace()
        for index in 3..<20 {
            #expect(tracker.update([face(100, score: 0.35)], at: Double(index) * 0.2) == .init(tracks: [1]))
        }
    }

    @Test func unsureFacesStartNothing() {
        var tracker = Tracker()
        for index in 0..<20 {
            #expect(tracker.update([face(100, score: 0.45)], at: Double(index) * 0.2) == .init(tracks: [nil]))
        }
        #expect(tracker.finish() == .init())
    }

    @Test func twoSightingsAndNothingMoreAreForgotten() {
        var tracker = Tracker()
        _ = tracker.update([face(100)], at: 0)
        _ = tracker.update([face(100)], at: 0.2)
        #expect(tracker.update([], at: 0.6).forgotten == [])
        #expect(tracker.update([], at: 0.8) == .init(forgotten: [1]))
    }

    // MARK: - End

    @Test func endsAfterItsPatience() {
        var tracker = trackerWithBornFace()
        for time in [0.6, 0.8, 1.0, 1.2] { #expect(tracker.update([], at: time) == .init()) }
        #expect(tracker.update([], at: 1.6) == .init(ended: [1]))
        #expect(tracker.update([], at: 1.8) == .init())
    }

    @Test func shortOcclusionKeepsTheNumber() {
        var tracker = trackerWithBornFace()
        for time in [0.6, 0.8, 1.0, 1.2] { _ = tracker.update([], at: time) }
        #expect(tracker.update([face(104)], at: 1.3) == .init(tracks: [1]))
    }

    @Test func numbersAreNotGivenTwice() {
        var tracker = trackerWithBornFace()
        _ = tracker.update([], at: 2)
        #expect(tracker.update([face(100)], at: 2.2).tracks == [2])
        _ = tracker.finish()
        #expect(tracker.update([face(100)], at: 2.4).tracks == [3])
    }

    @Test func farSamplesDoNotBreakATrack() {
        // One sample in four seconds: more than the patience passes between two of them.
        var tracker = Tracker()
        for index in 0..<10 { #expect(tracker.update([face(100)], at: Double(index) * 4).tracks == [1]) }
    }

    @Test(arguments: [1, 2]) func tooShortForABirthCountsAtTheEnd(samples: Int) {
        var tracker = Tracker()
        for index in 0..<samples { #expect(tracker.update([face(100)], at: Double(index) * 0.2).born == []) }
        #expect(tracker.finish() == .init(born: [1], ended: [1]))
    }

    @Test func lateComersAreForgottenAtTheEnd() {
        var tracker = trackerWithBornFace()
        _ = tracker.update([face(100), face(300)], at: 0.6)
        #expect(tracker.finish() == .init(ended: [1], forgotten: [2]))
    }

    // MARK: - Association

    @Test func oneFaceFoundTwiceIsOneTrack() {
        var tracker = Tracker()
        for index in 0..<5 {
            let update = tracker.update([face(100), face(103, width: 30)], at: Double(index) * 0.2)
            #expect(update.tracks.compactMap { $0 } == [1])
        }
    }

    @Test func neighboursStayApart() {
        var tracker = Tracker()
        for index in 0..<20 {
            let sway: Float = index.isMultiple(of: 2) ? 3 : -3
            #expect(tracker.update([face(100 + sway), face(150 - sway)], at: Double(index) * 0.2).tracks == [1, 2])
        }
    }

    /// The order of the faces in a picture tells nothing.
    @Test func orderDoesNotMatter() {
        var tracker = Tracker()
        _ = tracker.update([face(100), face(300)], at: 0)
        #expect(tracker.update([face(300), face(100)], at: 0.2).tracks == [2, 1])
    }

    /// Two people walk past one another and cover each other for a moment: their looks tell who is who.
    @Test(arguments: [5.0, 12, 30]) func crossingFacesKeepTheirNumbers(rate: Double) {
        let one: [Float] = [1, 0], other: [Float] = [0.28, 0.96]
        var tracker = Tracker()
        let samples = Int(4 * rate)
        for index in 0...samples {
            let time = Double(index) / rate
            let x = 100 + Float(time) * 50
            let faces = [face(x, look: one), face(400 - x, y: 104, look: other)]
            let isHidden = abs(x - 200) < 12
            let update = tracker.update(isHidden ? [faces[0]] : faces, at: time)
            #expect(update.tracks == (isHidden ? [1] : [1, 2]), "at \(time) s, x \(x)")
        }
    }

    @Test func followsASteadyWalkThroughAGap() {
        var tracker = Tracker()
        for index in 0..<6 { _ = tracker.update([face(100 + 20 * Float(index))], at: Double(index) * 0.2) }
        for index in 6..<8 { _ = tracker.update([], at: Double(index) * 0.2) }
        #expect(tracker.update([face(100 + 20 * 8)], at: 1.6).tracks == [1])
    }

    @Test func aFaceElsewhereOrOfAnotherSizeIsAnother() {
        var tracker = trackerWithBornFace()
        #expect(tracker.update([face(300)], at: 0.6).tracks == [2])
        tracker = trackerWithBornFace()
        #expect(tracker.update([face(160, width: 100)], at: 0.6).tracks == [2])
    }

    @Test func tellsWhereToLookForTheMissing() throws {
        var tracker = trackerWithBornFace()
        _ = tracker.update([], at: 0.6)
        let missing = tracker.expected(at: 0.6)
        #expect(missing.map(\.id) == [1])
        #expect(try #require(missing.first).box.iou(face(100).box) > 0.9)
        #expect(missing.map(\.isBorn) == [true])
    }

    // MARK: - Properties

    /// The same walk sampled seldom and often.
    @Test(arguments: [1.0, 2.5, 5, 10, 30]) func sampleRateChangesNothing(rate: Double) {
        var tracker = Tracker()
        var born: [Int] = [], ended: [Int] = []
        for index in 0...Int(8 * rate) {
            let time = Double(index) / rate
            let walker = face(50 + Float(time) * 45), sitter = face(300, y: 180)
            let update = tracker.update([walker, sitter], at: time)
            #expect(update.tracks == [1, 2], "at \(time) s")
            born += update.born
            ended += update.ended
        }
        ended += tracker.finish().ended
        #expect(born == [1, 2])
        #expect(ended == [1, 2])
    }

    /// Random walks with losses, doubles and unsure scores: no number twice in a picture or after its end, nothing ends
    /// that was not born, and a second tracker says the same.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func invariantsHold(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var tracker = Tracker(), second = Tracker()
        var places = (0..<5).map { _ in
            Point(x: generator.float(0...600), y: generator.float(0...300))
        }
        var born: Set<Int> = [], gone: Set<Int> = []
        func check(_ update: Tracker.Update, isLast: Bool) {
            let ids = update.tracks.compactMap { $0 }
            #expect(Set(ids).count == ids.count, "seed \(seed): \(ids)")
            #expect(gone.isDisjoint(with: ids), "seed \(seed)")
            #expect(born.isDisjoint(with: update.born), "seed \(seed)")
            born.formUnion(update.born)
            #expect(born.isSuperset(of: update.ended), "seed \(seed)")
            #expect(born.isDisjoint(with: update.forgotten), "seed \(seed)")
            gone.formUnion(update.ended + update.forgotten)
        }
        for index in 0..<100 {
            var faces: [TrackedFace] = []
            for person in places.indices {
                places[person].x += generator.float(-12...12)
                places[person].y += generator.float(-12...12)
                guard generator.float(0...1) < 0.85 else { continue }
                faces.append(face(places[person].x, y: places[person].y, score: generator.float(0.3...1)))
            }
            let update = tracker.update(faces, at: Double(index) * 0.1)
            #expect(update == second.update(faces, at: Double(index) * 0.1), "seed \(seed)")
            #expect(update.tracks.count == faces.count)
            check(update, isLast: false)
        }
        check(tracker.finish(), isLast: true)
        #expect(born.isSubset(of: gone), "seed \(seed)")
    }
}
