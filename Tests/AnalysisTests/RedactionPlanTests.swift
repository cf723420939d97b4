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
            let regions = plan.covers(at: time).map(\.region)
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

    @Test("a patch is one colour for half a second around its moment, exactly where it was asked for")
    func patches() throws {
        var plan = makePlan([1]) { _ in face }
        let patch = face.scaled(by: 0.5)
        plan.patch(patch, at: 5)
        plan.finish()
        #expect(plan.trackCount == 1 && plan.correctionCount == 1)
        for time in [4.5, 5, 5.5] {
            let cover = try #require(plan.covers(at: time).first)
            #expect(cover.region == patch && cover.strength == .plain && cover.block == nil)
        }
        #expect(plan.covers(at: 4.49).isEmpty && plan.covers(at: 5.51).isEmpty)
        // More at about the same place and time makes it longer and larger, in whatever order it comes.
        plan.patch(face.scaled(by: 0.6), at: 5.8)
        plan.patch(patch, at: 4.2)
        plan.patch(face.scaled(by: 0.7), at: 5)
        plan.finish()
        #expect(plan.correctionCount == 1 && plan.covers(at: 5).count == 1)
        #expect(abs(try #require(plan.covers(at: 5).first).region.width - face.scaled(by: 0.7).width) < 1e-5)
        #expect(plan.covers(at: 3.7).count == 1 && plan.covers(at: 6.3).count == 1)
        // Elsewhere, or much later, it is another one.
        plan.patch(Rect(left: 0.8, top: 0.1, width: 0.1, height: 0.1), at: 5)
        plan.patch(patch, at: 9)
        plan.finish()
        #expect(plan.correctionCount == 3)
    }

    @Test("how plainly a track is covered holds for all of its time, and never becomes less")
    func strength() {
        var plan = makePlan([0, 1, 2, 3]) { _ in face }
        #expect(Set([0, 1.5, 3.4].map { plan.covers(at: $0).first?.strength }) == [.fine])
        plan.strengthen(track: 1, to: .coarse)
        plan.strengthen(track: 7, to: .plain)
        plan.finish()
        #expect(Set([0, 1.5, 3.4].map { plan.covers(at: $0).first?.strength }) == [.coarse])
        plan.strengthen(track: 1, to: .plain)
        plan.strengthen(track: 1, to: .fine)
        plan.finish()
        #expect(Set([0, 1.5, 3.4].map { plan.covers(at: $0).first?.strength }) == [.plain])
        #expect(plan.covers(at: 1).first?.block == nil && plan.correctionCount == 1)
    }

    @Test("blocks keep their size while a face trembles, and follow when it comes nearer", arguments: [0, 1])
    func blocks(strength: Int) throws {
        let strength = try #require(RedactionStrength(rawValue: strength))
        let most: Float = strength == .fine ? 5.5 : 3.3
        var plan = RedactionPlan()
        for step in 0..<300 {
            // Trembles by a tenth for five seconds, then grows to four times its size.
            let grown: Float = step < 150 ? 1 : 1 + 3 * Float(step - 150) / 150
            let trembling: Float = step.isMultiple(of: 2) ? 1.05 : 0.95
            plan.see(track: 1, box: face.scaled(by: grown * trembling), at: Double(step) / 30)
        }
        plan.strengthen(track: 1, to: strength)
        plan.finish()
        let covers = (0..<300).compactMap { plan.covers(at: Double($0) / 30).first }
        let blocks = covers.compactMap(\.block)
        #expect(covers.count == 300 && blocks.count == 300)
        #expect(Set(blocks[..<150]).count == 1)
        #expect(Set(blocks).count <= 6, "\(Set(blocks).count) sizes")
        for cover in covers {
            let across = cover.region.height / (cover.block ?? 1)
            #expect(across <= most * 1.12 && across >= most / 2 * 0.88)
        }
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

extension RedactionPlan {
    fileprivate func regions(at time: Double) -> [Rect] { covers(at: time).map(\.region) }
}
