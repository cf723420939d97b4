import TestSupport
import Testing
import Video

@Suite("Sampling")
struct SamplingTests {
    private static func samples(_ times: [Double], rate: Double, start: Double = 0) -> [Double] {
        var selector = FrameSelector<Double>(grid: SamplingGrid(start: start, rate: rate))
        var decided: [(frame: Double, isSampled: Bool)] = []
        for time in times { decided += selector.take(time, at: time) }
        decided += selector.finish()
        #expect(decided.map(\.frame) == times, "every frame once, in order")
        return decided.filter(\.isSampled).map(\.frame)
    }

    private static func frames(_ rate: Double, count: Int = 300) -> [Double] { (0..<count).map { Double($0) / rate } }

    @Test(
        "within half an interval of its time, and as many as there are times",
        arguments: [12.5, 15, 24000.0 / 1001, 24, 25, 30000.0 / 1001, 30, 50, 60, 120],
        [0.5, 1, 2, 5, 7, 10]
    )
    func constantRate(frameRate: Double, rate: Double) {
        let times = Self.frames(frameRate)
        let samples = Self.samples(times, rate: rate)
        let grid = SamplingGrid(start: 0, rate: rate)
        for sample in samples {
            #expect(abs(sample - Double(grid.cell(of: sample)) / rate) <= 0.5 / rate + SamplingGrid.shift + 1e-9)
            // Of a constant rate the nearest frame is half a frame away at most.
            let reach = min(0.5 / frameRate, 0.5 / rate) + SamplingGrid.shift
            #expect(abs(sample - Double(grid.cell(of: sample)) / rate) <= reach + 1e-9 || sample == times.last)
        }
        #expect(Set(samples.map { grid.cell(of: $0) }).count == samples.count)
        let last = times.last ?? 0
        #expect(abs(Double(samples.count) - (last * rate + 1)) <= 1)
    }

    @Test("every frame of a slower source, once", arguments: [0.3, 1, 3, 4.9, 5])
    func slowSource(frameRate: Double) {
        let times = Self.frames(frameRate, count: 100)
        #expect(Self.samples(times, rate: 5) == times)
    }

    @Test("rounded times give the same samples", arguments: [12.5, 15, 24000.0 / 1001, 25, 30000.0 / 1001, 30, 60])
    func rounding(frameRate: Double) {
        let exact = Self.frames(frameRate, count: 2000)
        for rate in [1, 2, 5, 7.5, 10] {
            let numbers = Self.samples(exact, rate: rate).map { Int(($0 * frameRate).rounded()) }
            for unit in [1000.0, 90000, 12800] {
                let rounded = exact.map { ($0 * unit).rounded() / unit }
                let others = Self.samples(rounded, rate: rate).map { Int(($0 * frameRate).rounded()) }
                // The frames of 29.97 and the like drift through every phase of the grid. Where that crosses from one
                // frame to the next, rounding may decide.
                let differing = zip(others, numbers).filter { $0 != $1 }
                #expect(others.count == numbers.count)
                #expect(differing.allSatisfy { abs($0 - $1) <= 1 })
                #expect(
                    differing.count <= (frameRate.rounded() == frameRate || frameRate == 12.5 ? 0 : numbers.count / 50)
                )
            }
        }
    }

    @Test("a planner never leaves out what the selector takes", arguments: 0..<40)
    func planner(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let rate = [0.5, 1, 3, 5, 12.5][seed % 5]
        let grid = SamplingGrid(start: 0, rate: rate)
        // Variable gaps, and reordering within groups of four as encoders do it.
        var presentation: [Double] = []
        var time = 0.0
        for _ in 0..<400 {
            presentation.append(time)
            time +=
                Double.random(in: 0.005...0.08, using: &random) * (Int.random(in: 0..<30, using: &random) == 0 ? 20 : 1)
        }
        let samples = Set(Self.samples(presentation, rate: rate))
        var order: [Int] = []
        for group in stride(from: 0, to: 400, by: 4) { order += [group + 3, group + 1, group, group + 2] }
        var planner = PacketPlanner(grid: grid)
        var queue: [Double] = []
        var unneeded = 0
        func release(_ isAtEnd: Bool) {
            while let first = queue.first {
                let verdict = planner.verdict(on: first)
                if verdict == .undecided, !isAtEnd { break }
                if verdict == .unneeded {
                    unneeded += 1
                    #expect(!samples.contains(first), "seed \(seed)")
                }
                queue.removeFirst()
            }
        }
        for (position, index) in order.enumerated() {
            // What is decoded from here on is not shown before the earliest of it.
            let horizon = order[position...].prefix(12).map { presentation[$0] }.min() ?? 0
            planner.add(time: presentation[index], decodeTime: horizon)
            queue.append(presentation[index])
            release(false)
        }
        release(true)
        #expect(unneeded + samples.count == 400, "as little as can be is decoded; seed \(seed)")
    }

    @Test("times that are noise do not trap")
    func hostileTimes() {
        let grid = SamplingGrid(start: 0, rate: 1000)
        for time in [1e300, -1e300, .infinity, -.infinity] { _ = grid.cell(of: time) }
        #expect(grid.cell(of: 0) == 0)
    }
}

@Suite("Timeline")
struct TimelineTests {
    @Test("starts at zero and goes on through a clock that was set back")
    func back() {
        var timeline = Timeline(tick: 0.001, origin: 5000, breaksAhead: false, frameDuration: 0.04)
        var shown: [Int64] = []
        for raw in [5000, 5040, 5080, 0, 40, 80] as [Int64] {
            shown.append(timeline.place(presentation: raw, decoding: raw, duration: 40).presentation ?? -1)
        }
        #expect(shown == [0, 40, 80, 120, 160, 200])
        #expect(timeline.origin(of: 80).timestamp == 5080)
        #expect(timeline.origin(of: 120).timestamp == 0)
        #expect(timeline.origin(of: 120).reason == .timestampsWentBack)
        #expect(timeline.origin(of: 200).segment == 1)
    }

    @Test("a long still picture is no break, but in streams that may jump it is", arguments: [false, true])
    func ahead(breaks: Bool) {
        var timeline = Timeline(tick: 0.001, origin: nil, breaksAhead: breaks, frameDuration: nil)
        for raw in [0, 40] as [Int64] { _ = timeline.place(presentation: raw, decoding: raw, duration: 40) }
        let placed = timeline.place(presentation: 3_600_000, decoding: 3_600_000, duration: 40)
        #expect(placed.presentation == (breaks ? 80 : 3_600_000))
        #expect(timeline.origin(of: placed.presentation ?? 0).segment == (breaks ? 1 : 0))
    }

    @Test("no time is no time, and extremes do not trap")
    func extremes() {
        var timeline = Timeline(tick: 1e-9, origin: nil, breaksAhead: true, frameDuration: .nan)
        #expect(timeline.place(presentation: nil, decoding: nil, duration: 0).presentation == nil)
        for raw in [Int64.max, .min, 0, .min + 1, .max - 1, -1] {
            let placed = timeline.place(presentation: raw, decoding: raw, duration: .max)
            _ = timeline.origin(of: placed.presentation ?? 0)
        }
    }

    @Test("frames are counted with those that are left out")
    func counter() {
        var counter = FrameCounter()
        for time in [0, 3, 1, 2, 6, 4, 5] as [Int64] { counter.expect(time, isNeeded: time % 3 == 0) }
        #expect(counter.arrival(ofFrameAt: 0).number == 0)
        #expect(counter.arrival(ofFrameAt: 3).number == 3)
        #expect(counter.arrival(ofFrameAt: nil).number == 4)
        #expect(counter.skipped == 2)
        counter.finish()
        #expect(counter.skipped == 4)
    }
}

@Suite("Disposable pictures")
struct DisposableSamplingTests {
    @Test("a needed picture that is hardly farther off is taken instead")
    func detour() {
        // 30 frames a second, every third one needed; 5 samples a second.
        var selector = FrameSelector<Int>(grid: SamplingGrid(start: 0, rate: 5))
        var sampled: [Int] = []
        for number in 0..<60 {
            sampled += selector.take(number, at: Double(number) / 30, isDisposable: number % 3 != 0)
                .filter(\.isSampled).map(\.frame)
        }
        sampled += selector.finish().filter(\.isSampled).map(\.frame)
        #expect(sampled.prefix(10) == [0, 6, 12, 18, 24, 30, 36, 42, 48, 54])
        // Needed pictures beside the grid: a frame off costs less than a picture of its own.
        selector = FrameSelector<Int>(grid: SamplingGrid(start: 0, rate: 5))
        sampled = []
        for number in 0..<60 {
            sampled += selector.take(number, at: Double(number) / 30, isDisposable: number % 6 != 1)
                .filter(\.isSampled).map(\.frame)
        }
        #expect(sampled.prefix(4) == [1, 7, 13, 19])
    }

    @Test("a needed picture at the edge of its interval is not")
    func limit() {
        var selector = FrameSelector<Int>(grid: SamplingGrid(start: 0, rate: 5))
        var sampled: [Int] = []
        for number in 0..<60 {
            sampled += selector.take(number, at: Double(number) / 30, isDisposable: number % 6 != 3)
                .filter(\.isSampled).map(\.frame)
        }
        #expect(sampled.dropFirst().prefix(3) == [6, 12, 18])
    }

    @Test("frames come out once and in order", arguments: 0..<20)
    func order(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var selector = FrameSelector<Int>(grid: SamplingGrid(start: 0, rate: [1, 5, 12.5][seed % 3]))
        var decided: [(frame: Int, isSampled: Bool)] = []
        var time = 0.0
        for number in 0..<500 {
            decided += selector.take(number, at: time, isDisposable: Bool.random(using: &random))
            #expect(number - decided.count < 64, "frames wait for a moment only")
            time += Double.random(in: 0.004...0.05, using: &random)
        }
        decided += selector.finish()
        #expect(decided.map(\.frame) == Array(0..<500))
    }
}
