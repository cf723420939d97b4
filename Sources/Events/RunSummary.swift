/// Fields of `run.summary`: the last line of a finite run.
package struct RunSummary: Sendable, Hashable, Codable {
    /// Every frame, face, track and line accounted for.
    package private(set) var ledger: Ledger
    /// Why the run ended.
    package let exitReason: ExitReason
    /// Whether the input was read to its end; `true`.
    package let complete: Bool
    /// What made the values, by `provenance_id`.
    package let provenance: [String: Provenance]
    /// Media time of the last sampled frame, seconds; absent when there was none; `59.96`.
    package let lastMediaTimeSeconds: Double?
    /// How long the run took, seconds; absent in stable lines; `14.2`.
    package private(set) var elapsedSeconds: Double?

    package enum CodingKeys: String, CodingKey {
        case ledger
        case exitReason = "exit_reason"
        case complete
        case provenance
        case lastMediaTimeSeconds = "last_media_time_s"
        case elapsedSeconds = "elapsed_s"
    }

    /// Sums up a run.
    ///
    /// - Parameters:
    ///   - ledger: the counters; `EventFactory` sets `eventsPublished` to the number of this line.
    ///   - complete: whether the input was read to its end; by default what the reason says.
    package init(
        ledger: Ledger,
        exitReason: ExitReason,
        complete: Bool? = nil,
        provenance: [String: Provenance],
        lastMediaTimeSeconds: Double? = nil,
        elapsedSeconds: Double? = nil
    ) {
        self.ledger = ledger
        self.exitReason = exitReason
        self.complete = complete ?? (exitReason == .complete || exitReason == .decodeErrors)
        self.provenance = provenance
        self.lastMediaTimeSeconds = NumberFormat.seconds(lastMediaTimeSeconds)
        self.elapsedSeconds = NumberFormat.thousandths(elapsedSeconds)
    }

    /// The same as line number `seq`: `events_published` counts this line too.
    func published(as seq: Int) -> RunSummary {
        var copy = self
        copy.ledger.eventsPublished = seq
        return copy
    }

    /// The same without what differs between two runs.
    func withoutDurations() -> RunSummary {
        var copy = self
        copy.elapsedSeconds = nil
        return copy
    }
}

/// Why a finite run ended: `exit_reason`.
package enum ExitReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// The input was read to its end.
    case complete
    /// SIGINT came.
    case interrupted
    /// SIGTERM came.
    case terminated
    /// Read to the end, with more decode errors than allowed.
    case decodeErrors = "decode_errors"
    /// A stage failed.
    case failure
    /// The events could not be written.
    case outputFailed = "output_failed"

    /// The exit status of the process.
    package var exitCode: Int32 {
        switch self {
        case .complete: 0
        case .failure, .outputFailed: 1
        case .decodeErrors: 4
        case .interrupted: 130
        case .terminated: 143
        }
    }
}
