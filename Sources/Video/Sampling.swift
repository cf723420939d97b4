/// Which frames are looked at.
package enum Sampling: Sendable, Hashable {
    /// So many a second, on a grid of times that is the same for every copy of a video.
    case rate(Double)
    case everyFrame
    /// What the codec stored as pictures of their own: cheap, and as often as the encoder liked.
    case keyframes
}

/// The times t_k = start + k / rate, and the stretch of ±half an interval around each, of which one frame is sampled:
/// the nearest to t_k, or one that other frames need anyway where it is hardly farther off (`SampleCost`).
///
/// Every sample thus lies within half an interval of its time, no frame is sampled twice, and of a source slower than
/// the rate every frame is sampled. Containers round times, to milliseconds at the worst; without care a frame in the middle between two times
/// of the grid, or two frames at the same distance from one, would then be decided by the rounding. So the whole grid
/// lies 1.5 ms early: equal distances go to the earlier frame in every copy.
package struct SamplingGrid: Sendable {
    package static let shift = 0.0015

    package let start: Double
    package let interval: Double
    private let shift: Double

    package init(start: Double, rate: Double) {
        self.start = start
        interval = 1 / rate
        shift = min(Self.shift, interval / 16)
    }

    /// The number k of the grid's time that `time` belongs to.
    package func cell(of time: Double) -> Int {
        let position = ((time - start + shift) / interval + 0.5).rounded(.down)
        // Outside of this the times of a file are noise; never trap on them.
        return Int(max(-1e15, min(1e15, position)))
    }

    /// t_k, a little early.
    package func center(of cell: Int) -> Double { start + Double(cell) * interval - shift }
}

/// What a frame costs as the sample of its cell: its distance from the centre, and something on top for a frame that is
/// decoded for its own sake alone, so that a picture which others need anyway is taken where it is about as near.
private struct SampleCost {
    /// Seconds, at most, by which a needed picture may be farther off.
    private static let detour = 0.05

    let grid: SamplingGrid
    private let surcharge: Double

    init(grid: SamplingGrid) {
        self.grid = grid
        surcharge = min(Self.detour, grid.interval / 4)
    }

    func of(_ time: Double, cell: Int, isDisposable: Bool) -> Double {
        abs(time - grid.center(of: cell)) + (isDisposable ? surcharge : 0)
    }

    /// Whether no frame from `time` on can cost less than `cost`.
    func isFinal(_ cost: Double, cell: Int, at time: Double) -> Bool {
        time >= grid.center(of: cell) + cost
    }
}

/// Decides frame by frame, in presentation order, which ones are samples: of each cell the cheapest, of equals the
/// first.
///
/// Frames wait only while a later one could still be cheaper: about a twentieth of a second.
package struct FrameSelector<Frame> {
    private let grid: SamplingGrid
    private let cost: SampleCost
    private var finishedCell: Int?
    /// Undecided frames of one cell, in order.
    private var waiting: [Frame] = []
    private var waitingCell = 0
    private var best: (index: Int, cost: Double) = (0, .infinity)

    package init(grid: SamplingGrid) {
        self.grid = grid
        cost = SampleCost(grid: grid)
    }

    /// What is decided now, in presentation order.
    package mutating func take(
        _ frame: Frame,
        at time: Double,
        isDisposable: Bool = false
    ) -> [(frame: Frame, isSampled: Bool)] {
        let cell = grid.cell(of: time)
        var decided: [(frame: Frame, isSampled: Bool)] = []
        if !waiting.isEmpty, cell != waitingCell || cost.isFinal(best.cost, cell: waitingCell, at: time) {
            decided = release()
        }
        if finishedCell == cell {
            decided.append((frame, false))
            return decided
        }
        let new = cost.of(time, cell: cell, isDisposable: isDisposable)
        if waiting.isEmpty || new < best.cost {
            // Those before it are out, and need not be kept.
            decided += waiting.map { ($0, false) }
            waiting = [frame]
            waitingCell = cell
            best = (0, new)
        } else {
            waiting.append(frame)
        }
        if cost.isFinal(best.cost, cell: cell, at: time) { decided += release() }
        return decided
    }

    /// The frames that still waited for a better one: the best of them is a sample now.
    package mutating func finish() -> [(frame: Frame, isSampled: Bool)] {
        waiting.isEmpty ? [] : release()
    }

    private mutating func release() -> [(frame: Frame, isSampled: Bool)] {
        defer { waiting = [] }
        finishedCell = waitingCell
        return waiting.enumerated().map { ($1, $0 == best.index) }
    }
}

/// Tells from the times of packets, in decoding order, which ones a `FrameSelector` may choose.
///
/// No packet is called unneeded unless another of the same cell is cheaper.
package struct PacketPlanner {
    package enum Verdict: Sendable { case needed, unneeded, undecided }

    private let grid: SamplingGrid
    private let cost: SampleCost
    /// The cheapest frame of each cell so far.
    private var best: [Int: (cost: Double, time: Double)] = [:]
    /// No packet to come is presented before this.
    private var horizon = -Double.infinity

    package init(grid: SamplingGrid) {
        self.grid = grid
        cost = SampleCost(grid: grid)
    }

    /// A packet was read whose frame is presented at `time`; later packets are not presented before `decodeTime`.
    package mutating func add(time: Double, decodeTime: Double, isDisposable: Bool = false) {
        horizon = max(horizon, decodeTime)
        let cell = grid.cell(of: time)
        let new = cost.of(time, cell: cell, isDisposable: isDisposable)
        if let known = best[cell], known.cost < new || known.cost == new && known.time <= time { return }
        best[cell] = (new, time)
        if best.count > 256 {
            let oldest = grid.cell(of: horizon) - 64
            best = best.filter { $0.key >= oldest }
        }
    }

    /// Whether the frame at `time`, added before, has to be decoded for its own sake.
    package func verdict(on time: Double) -> Verdict {
        let cell = grid.cell(of: time)
        guard let best = best[cell] else { return .needed }
        guard best.time == time else { return .unneeded }
        // Cheaper frames could still come until the horizon has passed.
        return cost.isFinal(best.cost, cell: cell, at: horizon) ? .needed : .undecided
    }
}
