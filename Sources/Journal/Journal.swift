internal import Dispatch
package import Events

/// Keeps published lines on disk, so that they survive the process and subscribers can resume after any of them.
///
/// A state directory belongs to one journal at a time. Lines are committed in batches, on a queue of the journal's
/// own; whoever publishes waits for nothing. While the disk takes no lines, they wait in memory up to a bound; past it
/// the oldest are let go of, and readers get a gap with their number.
package final class Journal: EventStore {
    private let writer: JournalWriter
    private let inbox: Inbox
    private let batchInterval: Duration

    /// Takes the state directory and begins to open the database in it; the latter may fail now and succeed later.
    ///
    /// - Parameters:
    ///   - directory: made when it does not exist; its parent must.
    ///   - fileName: of the database in it.
    ///   - instanceID: of this start of the daemon, the same as the bus's.
    ///   - now: the wall clock, for the age of lines.
    ///   - report: called on the journal's queue; must not block; may publish.
    /// - Throws: `JournalError` with operation `lock`, of kind `inUse` when another daemon has the directory.
    package init(
        directory: String,
        fileName: String = "journal.sqlite",
        instanceID: String,
        settings: JournalSettings = JournalSettings(),
        now: @escaping @Sendable () -> Timestamp = Timestamp.now,
        report: @escaping @Sendable (JournalReport) -> Void
    ) throws(JournalError) {
        inbox = Inbox(maximumBytes: settings.maximumPendingBytes, batchLines: max(1, settings.batchLines))
        batchInterval = settings.batchInterval
        let writer = JournalWriter(
            directory: directory,
            fileName: fileName,
            instanceID: instanceID,
            lock: try StateLock(directory: directory),
            inbox: inbox,
            settings: settings,
            now: now,
            report: report
        )
        self.writer = writer
        writer.executor.queue.async { writer.assumeIsolated { $0.start() } }
    }

    // MARK: - EventStore

    package func append(_ event: PublishedEvent) {
        guard let call = inbox.append(event) else { return }
        let writer = writer
        let drain: @Sendable () -> Void = { writer.assumeIsolated { _ = $0.drain() } }
        switch call {
        case .now: writer.executor.queue.async(execute: drain)
        case .soon:
            writer.executor.queue.asyncAfter(deadline: .now() + batchInterval.dispatchInterval, execute: drain)
        }
    }

    package func read(
        from position: ReplayPosition,
        through end: Cursor? = nil,
        filter: EventFilter = .all,
        maximumBytes: Int = 262_144
    ) async -> ReplayPage {
        await writer.page(from: position, through: end, filter: filter, maximumBytes: maximumBytes)
    }

    /// Where to begin to read what was made since `time`.
    package func position(before time: Timestamp) async -> ReplayPosition {
        await writer.position(before: time)
    }

    // MARK: - Looking after it

    /// Takes over another age and size to keep lines by, and applies them at once; the other settings stay.
    package func keep(maximumAge: Duration?, maximumBytes: Int) async {
        await writer.keep(maximumAge: maximumAge, maximumBytes: maximumBytes)
    }

    /// Commits what waits, without waiting for the next batch or attempt.
    ///
    /// - Returns: whether all that was appended before is on disk, and so survives the process.
    @discardableResult
    package func flush() async -> Bool {
        await writer.drain(evenIfFailed: true)
    }

    /// Does a round of retention now; the journal does so by itself at intervals.
    package func maintain() async {
        await writer.maintain()
    }

    /// Deletes lines for good, so that their bytes are in none of the journal's files.
    ///
    /// - Parameters:
    ///   - before: lines made before this; `nil` for any.
    ///   - source: lines of this source; `nil` for any.
    /// - Returns: how many lines went.
    @discardableResult
    package func purge(before: Timestamp? = nil, source: String? = nil) async throws(JournalError) -> Int {
        try await writer.purge(before: before, source: source)
    }

    /// Returns when the journal has had its turn on its queue, which it gets unless the disk hangs.
    package func pulse() async {
        await writer.pulse()
    }

    package func status() async -> JournalStatus {
        await writer.status()
    }

    /// Commits what waits and gives the state directory back; to be called when nothing is published any more.
    package func close() async {
        await writer.close()
    }
}
