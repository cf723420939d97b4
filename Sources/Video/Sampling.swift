/// Which frames are looked at.
package enum Sampling: Sendable, Hashable {
    /// So many a second, on a grid of times that is the same for every copy of a video.
    case rate(Double)
    case everyFrame
    /// What the codec stored as pictures of their own: cheap, and as often as the encoder liked.
    case keyframes
}

/// The times t_k = start + k / rate, and the stretch of ±half an interval around each, of which the frame nearest to t_k
/// is sampled.
///
/// Every sample thus lies within half an interval of its time, no frame is sampled twice, and of a source slower than
/// the rate every frame is sampled. Only times of frames count, so that copies of a video in other codecs give the same
/// samples. Containers round times, to milliseconds at the worst; without care a frame in the middle between two times
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

/// Decides frame by frame, in presentation order, which ones are samples.
///
/// Only a frame before its cell's centre has to wait for the next one, which may be nearer.
package struct FrameSelector<Frame> {
    private let grid: SamplingGrid
    private var finishedCell: Int?
    private var candidate: (frame: Frame, cell: Int, distance: Double)?

    package init(grid: SamplingGrid) { self.grid = grid }

    /// What is decided now, in presentation order.
    package mutating func take(_ frame: Frame, at time: Double) -> [(frame: Frame, isSampled: Bool)] {
        let cell = grid.cell(of: time)
        let distance = abs(time - grid.center(of: cell))
        var decided: [(frame: Frame, isSampled: Bool)] = []
        if let held = candidate {
            let isBeaten = held.cell == cell && distance < held.distance
            decided.append((held.frame, !isBeaten))
            if !isBeaten { finishedCell = held.cell }
            candidate = nil
        }
        if finishedCell == cell {
            decided.append((frame, false))
        } else if time >= grid.center(of: cell) {
            finishedCell = cell
            decided.append((frame, true))
        } else {
            candidate = (frame, cell, distance)
        }
        return decided
    }

    /// The frame that still waited for a nearer one: it is a sample now.
    package mutating func finish() -> Frame? {
        defer { candidate = nil }
        if let candidate { finishedCell = candidate.cell }
        return candidate?.frame
    }
}

/// Tells from the times of packets, in decoding order, which ones a `FrameSelector` may choose.
///
/// No packet is called unneeded unless another of the same cell is nearer to its centre.
package struct PacketPlanner {
    package enum Verdict: Sendable { case needed, unneeded, undecided }

    private let grid: SamplingGrid
    /// The nearest frame of each cell so far.
    private var best: [Int: (distance: Double, time: Double)] = [:]
    /// No packet to come is presented before this.
    private var horizon = -Double.infinity

    package init(grid: SamplingGrid) { self.grid = grid }

    /// A packet was read whose frame is presented at `time`; later packets are not presented before `decodeTime`.
    package mutating func add(time: Double, decodeTime: Double) {
        horizon = max(horizon, decodeTime)
        let cell = grid.cell(of: time)
        let distance = abs(time - grid.center(of: cell))
        if let known = best[cell], known.distance <= distance { return }
        best[cell] = (distance, time)
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
        // Nearer frames could still come until the horizon passes the mirror image of this one.
        return horizon >= grid.center(of: cell) + best.distance ? .needed : .undecided
    }
}
