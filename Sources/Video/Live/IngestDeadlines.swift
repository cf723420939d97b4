/// The phases of reading from something that may never answer.
package enum IngestPhase: String, Sendable, Hashable, CaseIterable {
    /// Until the other side has answered and, with RTSP, promised to play.
    case connect
    /// Until the stream's form is known.
    case probe
    /// From then until the first picture is decoded: a camera at its limit of connections promises and sends nothing.
    case firstFrame = "first_frame"
    /// Between one packet of the stream and the next.
    case read
}

/// How long each phase may take, seconds on a clock that nobody sets.
///
/// Only for networks and devices: files, pipes and standard input may take as long as they like.
package struct IngestDeadlines: Sendable, Hashable {
    package var connect = 15.0
    package var probe = 20.0
    package var firstFrame = 20.0
    package var read = 15.0

    package init() {}

    package subscript(phase: IngestPhase) -> Double {
        switch phase {
        case .connect: connect
        case .probe: probe
        case .firstFrame: firstFrame
        case .read: read
        }
    }

    /// What is wrong with them, if anything.
    var problem: String? {
        for phase in IngestPhase.allCases where !(self[phase] >= 0.01 && self[phase] <= 86400) {
            return "the deadline '\(phase.rawValue)' must lie between 0.01 and 86400 seconds, not \(self[phase])"
        }
        return nil
    }
}
