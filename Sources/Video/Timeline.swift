/// Turns the timestamps of packets into one timeline that starts at zero and goes on through the breaks that streams
/// have: a recording spliced from two, a camera that restarted its clock.
///
/// Packets are in decoding order, so their decoding times grow. Where these go back by more than `longestStepBack` the
/// clock was set, and the timeline goes on as if the next frame came right after the last. A jump ahead is a break
/// only where the container knows such (MPEG transport streams) or the source is live: in an MP4 or Matroska file a
/// picture that stands still for a minute has one frame for that minute.
package struct Timeline {
    /// Seconds.
    ///
    /// Less is bad interleaving or rounding, and frames come out in order all the same.
    package static let longestStepBack = 0.5
    /// Seconds beyond the expected time; the threshold that FFmpeg's own tools use.
    package static let longestStepAhead = 10.0

    package struct Placed {
        package var presentation: Int64?
        package var decoding: Int64?
    }

    private struct Segment {
        /// The first presentation time in it, on the timeline.
        var start: Int64
        /// Container ticks = timeline ticks + this.
        var shift: Int64
        var reason: EpochReason
        var number: Int
    }

    /// Seconds per tick.
    package let tick: Double
    private let breaksAhead: Bool
    private var segments: [Segment] = []
    private var lastDecoding: Int64?
    private var lastPresentation: Int64?
    private var step: Int64

    /// - Parameter origin: the container's time of the stream's start, in ticks; the first packet's if nil.
    package init(tick: Double, origin: Int64?, breaksAhead: Bool, frameDuration: Double?) {
        self.tick = tick
        self.breaksAhead = breaksAhead
        step = Self.ticks(frameDuration ?? 0.04, tick: tick)
        if let origin { segments.append(Segment(start: .min, shift: origin, reason: [], number: 0)) }
    }

    /// Where the packet lies on the timeline.
    package mutating func place(presentation: Int64?, decoding: Int64?, duration: Int64) -> Placed {
        guard let clock = decoding ?? presentation else { return Placed() }
        if segments.isEmpty {
            segments.append(Segment(start: .min, shift: presentation ?? clock, reason: [], number: 0))
        }
        var current = segments[segments.count - 1]
        if let last = lastDecoding {
            let delta = Double(clock &- current.shift &- last) * tick
            let expected = Double(duration > 0 ? duration : step) * tick
            var reason: EpochReason = []
            if delta < -Self.longestStepBack {
                reason = .timestampsWentBack
            } else if breaksAhead, delta > Self.longestStepAhead + 2 * expected {
                reason = .timestampsJumpedAhead
            }
            if !reason.isEmpty {
                // By presentation: the two sides of the break may reorder frames by different amounts.
                let start = max(lastPresentation ?? last, last) &+ Self.ticks(expected, tick: tick)
                let shift = (presentation ?? clock) &- start
                current = Segment(start: start, shift: shift, reason: reason, number: current.number + 1)
                lastDecoding = nil
                segments.append(current)
                if segments.count > 64 { segments.removeFirst() }
            }
        }
        if duration > 0 { step = duration }
        let placed = clock &- current.shift
        lastDecoding = max(lastDecoding ?? placed, placed)
        let shown = presentation.map { $0 &- current.shift }
        if let shown { lastPresentation = max(lastPresentation ?? shown, shown) }
        return Placed(presentation: shown, decoding: decoding.map { $0 &- current.shift })
    }

    /// For a frame at `ticks` on the timeline: the container's own timestamp, the number of the break before it, and
    /// what kind of break that was.
    package func origin(of ticks: Int64) -> (timestamp: Int64, segment: Int, reason: EpochReason) {
        let segment = segments.last { $0.start <= ticks } ?? segments.first
        guard let segment else { return (ticks, 0, []) }
        return (ticks &+ segment.shift, segment.number, segment.reason)
    }

    private static func ticks(_ seconds: Double, tick: Double) -> Int64 {
        let ticks = (seconds / tick).rounded()
        return ticks.isFinite ? Int64(max(0, min(1e15, ticks))) : 0
    }
}

/// Numbers frames in presentation order, those included that were never decoded.
package struct FrameCounter {
    private struct Expected {
        var time: Int64
        var isNeeded: Bool
        var isDisposable: Bool
    }

    /// Sorted by time, latest first.
    private var expected: [Expected] = []
    package private(set) var next = 0
    /// How many frames were passed over because nobody needed them.
    package private(set) var skipped = 0

    package init() {}

    /// The first frame will have this number.
    package mutating func start(at number: Int) { next = number }

    /// A packet went to the decoder, or was left out as unneeded.
    package mutating func expect(_ time: Int64, isNeeded: Bool, isDisposable: Bool = false) {
        let place = expected.firstIndex { $0.time <= time } ?? expected.count
        expected.insert(Expected(time: time, isNeeded: isNeeded, isDisposable: isDisposable), at: place)
        // A decoder that never answers must not fill the memory.
        if expected.count > 4096 { pass(expected.removeLast()) }
    }

    /// The number of the frame that came out with `time`, and whether its packet was one that no other needs.
    package mutating func arrival(ofFrameAt time: Int64?) -> (number: Int, isDisposable: Bool) {
        var isDisposable = false
        if let time {
            while let first = expected.last, first.time < time { pass(expected.removeLast()) }
            if expected.last?.time == time { isDisposable = expected.removeLast().isDisposable }
        }
        defer { next += 1 }
        return (next, isDisposable)
    }

    /// Nothing comes any more.
    package mutating func finish() {
        while let first = expected.popLast() { pass(first) }
    }

    private mutating func pass(_ frame: Expected) {
        next += 1
        if !frame.isNeeded { skipped += 1 }
    }
}
