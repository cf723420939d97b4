package import Faces

/// Median and range of a track's poses in bounded memory: one counter a degree.
package struct PoseStatistics: Sendable {
    private var yaw = AngleHistogram()
    private var pitch = AngleHistogram()
    private var roll = AngleHistogram()

    package init() {}

    package mutating func add(_ pose: HeadPose) {
        yaw.add(pose.yaw)
        pitch.add(pose.pitch)
        roll.add(pose.roll)
    }

    /// Exact to half a degree; nil before the first pose.
    package var median: HeadPose? {
        guard let y = yaw.median, let p = pitch.median, let r = roll.median else { return nil }
        return HeadPose(yaw: y, pitch: p, roll: r)
    }

    package var range: (yaw: ClosedRange<Float>, pitch: ClosedRange<Float>, roll: ClosedRange<Float>)? {
        guard let y = yaw.range, let p = pitch.range, let r = roll.range else { return nil }
        return (y, p, r)
    }
}

private struct AngleHistogram: Sendable {
    private var counts = [Int32](repeating: 0, count: 361)
    private var total: Int32 = 0
    private var lowest = Float.infinity
    private var highest = -Float.infinity

    mutating func add(_ degrees: Float) {
        guard degrees.isFinite else { return }
        let bin = Int(max(-180, min(180, degrees)).rounded()) + 180
        counts[bin] &+= 1
        total &+= 1
        lowest = min(lowest, degrees)
        highest = max(highest, degrees)
    }

    var median: Float? {
        guard total > 0 else { return nil }
        // A few samples lie in one bin or two: stay inside of what was seen.
        var sum: Int32 = 0
        for (bin, count) in counts.enumerated() {
            sum &+= count
            if sum * 2 >= total { return max(lowest, min(highest, Float(bin - 180))) }
        }
        return nil
    }

    var range: ClosedRange<Float>? { total > 0 ? lowest...highest : nil }
}
