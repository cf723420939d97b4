import Analysis
import Imaging
import Testing

@Suite("What a redaction covers")
struct RedactionPlanTests {
    private let face = Rect(left: 0.4, top: 0.4, width: 0.1, height: 0.1)

    private func makePlan(_ times: [Double], _ box: (Double) -> Rect) -> RedactionPlan {
        var plan = RedactionPlan()
        for time in times { plan.see(track: 1, box: box(time), at: time) }
        plan.finish()
        return plan
    }

    private func contains(_ outer: Rect, _ inner: Rect) -> Bool {
        outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom
    }

    @Test("a face that moves is covered at its sightings and on the way between them")
    func moving() throws {
        func box(_ time: Double) -> Rect {
            Rect(left: 0.1 + 0.2 * Float(time), top: 0.3, width: 0.1, height: 0.15)
        }
        let plan = makePlan([0, 0.2, 1.1, 1.2], box)
        for step in 0...120 {
            let time = Double(step) / 100
            let regions = plan.regions(at: time)
            #expect(regions.count == 1)
            #expect(contains(try #require(regions.first), box(time)), "at \(time)")
        }
    }

    @Test("it stays for a while before the first and after the last sighting, growing, and no longer")
    func hold() throws {
        let plan = makePlan([2, 3]) { _ in face }
        let at = try #require(plan.regions(at: 2).first)
        let before = try #require(plan.regions(at: 1.5).first), after = try #require(plan.regions(at: 3.5).first)
        #expect(contains(at, face) && contains(before, at) && contains(after, at))
        #expect(before.width > at.width && after.width > at.width)
        #expect(plan.regions(at: 1.49).isEmpty && plan.regions(at: 3.51).isEmpty)
    }

    @Test("in the middle of a long gap more is covered than at its ends")
    func gap() throws {
        let plan = makePlan([0, 1]) { _ in face }
        let middle = try #require(plan.regions(at: 0.5).first), end = try #require(plan.regions(at: 0).first)
        #expect(contains(middle, end) && middle.width > end.width)
    }

    @Test("every face has a region of its own; one sighting is enough")
    func several() {
        var plan = RedactionPlan()
        plan.see(track: 1, box: face, at: 0)
        plan.see(track: 2, box: face, at: 0.4)
        plan.see(track: 1, box: face, at: 1)
        plan.finish()
        #expect(plan.trackCount == 2)
        #expect(plan.regions(at: 0.4).count == 2)
        #expect(plan.regions(at: 0.95).count == 1)
        #expect(plan.regions(at: -1).isEmpty)
    }

    @Test("a patch belongs to its frame alone and is kept once")
    func patches() {
        var plan = makePlan([1]) { _ in face }
        plan.patch(face, frame: 3)
        plan.patch(face.scaled(by: 0.5), frame: 3)
        plan.patch(face.scaled(by: 2), frame: 3)
        #expect(plan.patches(frame: 3) == [face, face.scaled(by: 2)] && plan.patches(frame: 2).isEmpty)
        #expect(plan.patchCount == 2)
        plan.patch(face, frame: 4)
        #expect(plan.patchCount == 3 && plan.regions(at: 1).count == 1)
    }

    @Test("faces that are found later get numbers of their own")
    func numbers() {
        var plan = RedactionPlan()
        let first = plan.unusedTrack
        plan.see(track: first, box: face, at: 0)
        plan.see(track: 7, box: face, at: 0)
        #expect(plan.unusedTrack == 8 && plan.trackCount == 2)
    }
}
