package import Events

/// How much a journal keeps and how it writes.
package struct JournalSettings: Sendable, Hashable {
    /// Lines older than this are deleted; `nil` keeps them for ever.
    package var maximumAge: Duration? = .seconds(30 * 86_400)
    /// Retention brings the database file below this, bytes; until its next round the file may grow past it.
    package var maximumBytes = 1 << 30
    /// The longest that a line waits for its transaction.
    package var batchInterval: Duration = .milliseconds(20)
    /// Lines in a transaction at most.
    package var batchLines = 512
    /// Lines that wait in memory while the disk takes none, bytes; past that the oldest are let go of and counted.
    package var maximumPendingBytes = 8 << 20
    /// How long a failed journal is left alone before it is tried again.
    package var retryInterval: Duration = .seconds(1)
    /// The least time between two reports of one failure.
    package var reportInterval: Duration = .seconds(60)
    /// How often retention looks at age and size.
    package var maintenanceInterval: Duration = .seconds(60)
    /// What survives a loss of power.
    package var durability = Durability.lastMinute

    /// What survives a loss of power; a killed process loses nothing that was committed either way.
    package enum Durability: Sendable, Hashable {
        /// All but about the last minute: the disk is waited for at checkpoints, one a `maintenanceInterval` or 4 MB.
        /// A wait per transaction would cost a spinning disk or an SD card most of its time.
        case lastMinute
        /// Every transaction: the disk is waited for each time.
        case everyTransaction
    }

    package init() {}
}

/// How a journal stands.
package struct JournalStatus: Sendable, Hashable {
    /// Why lines are not being kept at present; `nil` when they are.
    package let failure: JournalError?
    /// Lines that wait for their transaction.
    package let pendingLines: Int
    /// Lines that were let go of since the start because the disk took none.
    package let lostLines: Int
    /// Size of the database file, without its log of at most a few megabytes.
    package let fileBytes: Int
    /// When the oldest line was made; `nil` when there is none or it cannot be read.
    package let oldest: Timestamp?
}

/// What an operator and subscribers should know of a journal.
package enum JournalReport: Sendable, Hashable {
    /// Lines are published but not kept; told once per interval.
    case unavailable(JournalError)
    /// Lines are kept again.
    case recovered(linesLost: Int)
    /// The database was damaged, was put aside under this path, and a new one was begun.
    case setAside(path: String, JournalError)

    /// The same as an event.
    package var record: ErrorRecord {
        switch self {
        case .unavailable(let error):
            ErrorRecord(code: "journal_unavailable", message: error.description, retryable: error.isRetryable)
        case .recovered(let linesLost):
            ErrorRecord(
                code: "journal_recovered",
                message: linesLost == 0
                    ? "the journal takes lines again; none were lost"
                    : "the journal takes lines again; it lacks \(linesLost) that were published meanwhile",
                retryable: false
            )
        case .setAside(let path, let error):
            ErrorRecord(
                code: "journal_set_aside",
                message: "\(error.description) It was put aside as \"\(path)\", and a new journal was begun.",
                retryable: false
            )
        }
    }
}
