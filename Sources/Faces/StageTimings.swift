/// Where the time of an analysis goes.
package struct StageTimings: Sendable {
    package enum Stage: String, Sendable, CaseIterable {
        /// Everything that is done with one sampled frame.
        case frame
        /// The detector, over a whole frame and its tiles.
        case detector
        /// The mesh of one face, with its refinements.
        case mesh
        /// Both eyes of one face.
        case eyes
        /// Expression of one face.
        case expression
        /// Apparent age and gender of one best shot.
        case ageGender = "age and gender"
    }

    /// Whether the stage runs once for a frame or once for a face.
    package static func isPerFrame(_ stage: Stage) -> Bool { stage == .frame || stage == .detector }

    /// Milliseconds of each call, in order; only kept when somebody asks for them.
    package private(set) var samples: [Stage: [Double]] = [:]
    package var isEnabled = false

    package init() {}

    package mutating func add(_ other: StageTimings) {
        for (stage, durations) in other.samples { samples[stage, default: []] += durations }
    }

    /// Notes a duration, if anybody asked for them.
    package mutating func add(_ duration: Duration, to stage: Stage) {
        guard isEnabled else { return }
        let (seconds, attoseconds) = duration.components
        samples[stage, default: []].append(Double(seconds) * 1e3 + Double(attoseconds) * 1e-15)
    }

    /// Runs `body` and notes how long it took.
    package mutating func measure<R, E: Error>(_ stage: Stage, _ body: () throws(E) -> R) throws(E) -> R {
        guard isEnabled else { return try body() }
        let start = ContinuousClock.now
        let result = try body()
        add(ContinuousClock.now - start, to: stage)
        return result
    }
}
