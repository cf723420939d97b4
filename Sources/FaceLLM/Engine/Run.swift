/// Where the time of an answer went.
package struct EngineTimings: Sendable, Hashable {
    /// Of the vision tower and the projector.
    package var vision = Duration.zero
    /// Of the prompt, and of the options of closed questions.
    package var prefill = Duration.zero
    /// Of the tokens that were generated one by one.
    package var decode = Duration.zero
    /// Of everything, in the engine.
    package var total = Duration.zero
    /// Tiles that went through the vision tower.
    package var picturesEncoded = 0
    /// Pictures whose features were known.
    package var picturesReused = 0
    /// Whether the prompt up to its last picture was known.
    package var prefixReused = false
    package var inputTokens = 0
    package var outputTokens = 0

    package init() {}

    package static func += (left: inout EngineTimings, right: EngineTimings) {
        left.vision += right.vision
        left.prefill += right.prefill
        left.decode += right.decode
        left.total += right.total
        left.picturesEncoded += right.picturesEncoded
        left.picturesReused += right.picturesReused
        left.prefixReused = left.prefixReused || right.prefixReused
        left.inputTokens += right.inputTokens
        left.outputTokens += right.outputTokens
    }
}

/// One question on its way: when to leave off, and what it took so far.
final class Run {
    var timings = EngineTimings()
    private let stop: StopCondition
    private let began = ContinuousClock.now

    init(stop: StopCondition) {
        self.stop = stop
    }

    var mustStop: Bool { stop.isMet }

    /// What to throw where `mustStop` was found true.
    var interruption: EngineError {
        switch stop.reason {
        case .deadline: EngineError(.answer, kind: .deadline, reason: "the time for it is over")
        case .cancelled, nil: EngineError(.answer, kind: .cancelled, reason: "it was cancelled")
        }
    }

    func finish() -> EngineTimings {
        timings.total = ContinuousClock.now - began
        return timings
    }
}
