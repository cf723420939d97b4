/// Where the time of an analysis goes.
package struct StageTimings: Sendable {
    package enum Stage: String, Sendable, CaseIterable {
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

    /// Milliseconds of each call, in order; only kept when somebody asks for them.
    package private(set) var samples: [Stage: [Double]] = [:]
    package var isEnabled = false

    package init() {}

    package mutating func add(_ other: StageTimings) {
        for (stage, durations) in other.samples { samples[stage, default: []] += durations }
    }

    package mutating func add(_ milliseconds: Double, to stage: Stage) {
        samples[stage, default: []].append(milliseconds)
    }

    /// Runs `body` and notes how long it took.
    package mutating func measure<R, E: Error>(_ stage: Stage, _ body: () throws(E) -> R) throws(E) -> R {
        guard isEnabled else { return try body() }
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        let (seconds, attoseconds) = (clock.now - start).components
        add(Double(seconds) * 1e3 + Double(attoseconds) * 1e-15, to: stage)
        return result
    }
}
