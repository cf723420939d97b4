/// Turns the times of the source into strictly growing ticks of 1/90000 s that start at zero.
package struct VideoWriterTimeline: Sendable {
    package static let ticksPerSecond = 90_000.0
    /// Seconds between keyframes, at least: what is lost when the writer is killed.
    private static let stretch = 2.0
    /// A gap longer than this is a broken clock, not a pause; MP4 cannot hold one of seven hours.
    private static let longestGap = 3600.0
    /// A step back further than this is a new clock, not a picture out of order.
    private static let longestStepBack = 1.0

    package let framesPerSecond: Double
    /// The distance between the last two pictures, or that of the nominal rate: how long the last one is shown.
    package private(set) var step: Int64
    private let nominal: Int64
    private var origin: Double?
    private var last: Int64 = -1
    private var lastKeyframe: Int64?

    package init(framesPerSecond: Double?) {
        let rate = framesPerSecond ?? 30
        self.framesPerSecond = rate.isFinite && rate >= 0.1 && rate <= 1000 ? rate : 30
        nominal = Int64((Self.ticksPerSecond / self.framesPerSecond).rounded())
        step = nominal
    }

    /// The tick for a picture at `seconds`; every call is a picture.
    package mutating func ticks(at seconds: Double) -> Int64 {
        let previous = Double(last) / Self.ticksPerSecond
        let nominalSeconds = Double(nominal) / Self.ticksPerSecond
        var time = previous + nominalSeconds
        if !seconds.isFinite {
            if last < 0 { time = 0 }
        } else if let origin {
            let gap = seconds - origin - previous
            if gap > Self.longestGap || gap < -Self.longestStepBack {
                self.origin = seconds - time
            } else {
                time = seconds - origin
            }
        } else {
            // A first picture without a time has already taken the zero.
            if last < 0 { time = 0 }
            origin = seconds - time
        }
        let tick = max(last + 1, Int64((time * Self.ticksPerSecond).rounded()))
        if last >= 0 { step = tick - last }
        last = tick
        return tick
    }

    /// Whether a keyframe is due.
    package mutating func startsStretch(_ tick: Int64) -> Bool {
        if let lastKeyframe, Double(tick - lastKeyframe) < Self.stretch * Self.ticksPerSecond { return false }
        lastKeyframe = tick
        return true
    }
}
