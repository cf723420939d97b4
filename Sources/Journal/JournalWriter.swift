internal import Dispatch
internal import Events
internal import Glibc

/// Moves lines from the inbox into the database, on a queue of its own, and keeps trying while the disk does not let it.
actor JournalWriter {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    nonisolated let executor = QueueExecutor(label: "facellm.journal")

    let inbox: Inbox
    let instanceID: String
    private(set) var settings: JournalSettings
    let now: @Sendable () -> Timestamp

    /// The database while it is usable.
    private(set) var database: JournalDatabase?
    private(set) var failure: JournalError?

    let directory: String
    let fileName: String
    let path: String
    private let report: @Sendable (JournalReport) -> Void
    private var lock: StateLock?
    private var timer: (any DispatchSourceTimer)?
    private var isClosed = false
    private var pace: ReportPace
    private var retryAt = ContinuousClock.now
    private var isRetryScheduled = false
    private var wasToldOfFailure = false
    private var linesLostTold = 0
    private var retentionStart: Int64 = 0

    /// Steps of retention in a row before lines and readers get their turn.
    private static let stepsInARow = 8

    init(
        directory: String,
        fileName: String,
        instanceID: String,
        lock: consuming StateLock,
        inbox: Inbox,
        settings: JournalSettings,
        now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (JournalReport) -> Void
    ) {
        self.directory = directory
        self.fileName = fileName
        path = directory + "/" + fileName
        self.instanceID = instanceID
        self.lock = consume lock
        self.inbox = inbox
        self.settings = settings
        self.now = now
        self.report = report
        pace = ReportPace(interval: settings.reportInterval)
    }

    /// Opens the database and begins to look after it.
    func start() {
        let timer = DispatchSource.makeTimerSource(queue: executor.queue)
        let interval = settings.maintenanceInterval.dispatchInterval
        timer.schedule(deadline: .now() + interval, repeating: interval, leeway: .seconds(1))
        timer.setEventHandler { [weak self] in
            self?.assumeIsolated { $0.maintain() }
        }
        timer.resume()
        self.timer = timer
        drain(evenIfFailed: true)
    }

    // MARK: - Writing

    /// Commits what waits.
    ///
    /// - Parameter evenIfFailed: tries now, although the last attempt failed not long ago.
    /// - Returns: whether nothing waits any more.
    @discardableResult
    func drain(evenIfFailed: Bool = false) -> Bool {
        inbox.answer()
        guard !isClosed else { return false }
        if failure != nil, !evenIfFailed, ContinuousClock.now < retryAt {
            scheduleRetry()
            return false
        }
        do {
            let database = try openDatabase()
            while case let (events, lastSeq) = inbox.batch(), !events.isEmpty {
                try database.commit(events, lastSeq: lastSeq)
                inbox.finishBatch(isKept: true)
            }
            recover()
            return true
        } catch {
            inbox.finishBatch(isKept: false)
            fail(JournalError(operation: .write, error, path: path))
            return false
        }
    }

    /// The database, opened if need be; a damaged one is put aside and a new one begun.
    private func openDatabase() throws -> JournalDatabase {
        if let database, database.isInPlace { return database }
        try? database?.close()
        database = nil
        let opened: JournalDatabase
        do {
            opened = try makeDatabase()
        } catch {
            let error = JournalError(operation: .open, error, path: path)
            guard error.kind == .corrupt else { throw error }
            try setAside(error)
            opened = try makeDatabase()
        }
        database = opened
        removeSetAside(all: false)
        return opened
    }

    private func makeDatabase() throws -> JournalDatabase {
        try JournalDatabase(path: path, instanceID: instanceID, startedAt: now(), durability: settings.durability)
    }

    // MARK: - Failures

    /// Notes a failure, tells of it once per interval, and plans the next attempt.
    func fail(_ error: JournalError) {
        if error.kind == .corrupt, (try? setAside(error)) != nil {
            retryAt = .now
        } else {
            failure = error
            retryAt = .now + settings.retryInterval
            // A full or locked disk leaves the connection whole, and readers need it.
            if error.kind == .other { database = nil }
            if pace.allows(at: .now) {
                wasToldOfFailure = true
                report(.unavailable(error))
            }
        }
        scheduleRetry()
    }

    /// Notes that lines are kept, and tells of it where that is news: after a failure that was told, or when lines were
    /// lost because the disk was too slow.
    private func recover() {
        failure = nil
        let lost = inbox.counts.lost
        guard wasToldOfFailure || lost > linesLostTold && pace.allows(at: .now) else { return }
        wasToldOfFailure = false
        report(.recovered(linesLost: lost - linesLostTold))
        linesLostTold = lost
    }

    private func scheduleRetry() {
        guard !isRetryScheduled else { return }
        isRetryScheduled = true
        let wait = max(.zero, retryAt - .now)
        executor.queue.asyncAfter(deadline: .now() + wait.dispatchInterval) { [weak self] in
            self?.assumeIsolated { writer in
                writer.isRetryScheduled = false
                writer.drain()
            }
        }
    }

    /// Renames a damaged database, so that it can be looked at and a new one begun; one put aside earlier goes.
    private func setAside(_ error: JournalError) throws {
        try? database?.close()
        database = nil
        removeSetAside(all: true)
        let stamp = String(now().description.filter { !":-".contains($0) })
        let name = "\(path).damaged-\(stamp)"
        for suffix in ["-wal", "-shm"] where rename(path + suffix, name + suffix) != 0 && errno != ENOENT {
            throw JournalError(operation: .open, errno: errno, path: path + suffix)
        }
        guard rename(path, name) == 0 || errno == ENOENT else {
            throw JournalError(operation: .open, errno: errno, path: path)
        }
        report(.setAside(path: name, error))
    }

    /// Deletes databases that were put aside: all, or those that have reached the age at which lines go.
    private func removeSetAside(all: Bool) {
        guard let folder = opendir(directory) else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix("\(fileName).damaged-") else { continue }
            let file = directory + "/" + name
            var status = stat()
            guard stat(file, &status) == 0 else { continue }
            let age = Duration.milliseconds(now().millisecondsSince1970) - .seconds(status.st_mtim.tv_sec)
            if all || settings.maximumAge.map({ age > $0 }) == true {
                unlink(file)
            }
        }
    }

    // MARK: - Retention

    func keep(maximumAge: Duration?, maximumBytes: Int) {
        settings.maximumAge = maximumAge
        settings.maximumBytes = maximumBytes
        maintain()
    }

    /// One round of retention: at most a few steps, then more of it later if need be.
    func maintain() {
        guard drain(), let database else { return }
        removeSetAside(all: false)
        do {
            if try !tidyUp(database) {
                executor.queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [weak self] in
                    self?.assumeIsolated { $0.maintain() }
                }
            }
        } catch {
            fail(JournalError(operation: .maintain, error, path: path))
        }
    }

    /// - Returns: whether nothing is left to do.
    private func tidyUp(_ database: JournalDatabase) throws -> Bool {
        for _ in 0..<Self.stepsInARow {
            let now = now()
            var hasMore = false
            if let age = settings.maximumAge {
                let cutoff = Timestamp(millisecondsSince1970: now.millisecondsSince1970 - age.milliseconds)
                hasMore = try database.deleteExpired(before: cutoff, now: now, from: &retentionStart)
            }
            if try database.contentBytes() > settings.maximumBytes {
                try database.deleteOldest()
                hasMore = true
            }
            // A sixteenth of the bound may stay free: pages that come and go are cheaper kept.
            let spare = try database.fileBytes() > settings.maximumBytes ? 0 : settings.maximumBytes / 16
            hasMore = try database.shrink(keeping: spare) || hasMore
            if !hasMore {
                try database.checkpoint()
                return true
            }
        }
        return false
    }

    /// Deletes lines for good: from the table, from free pages, from the log and from databases put aside.
    ///
    /// - Returns: how many lines went.
    func purge(before: Timestamp?, source: String?) async throws(JournalError) -> Int {
        guard drain(evenIfFailed: true), let opened = database else {
            throw failure ?? JournalError(operation: .purge, kind: .other, path: path, detail: "it is closed")
        }
        var lines = 0
        var start: Int64 = 0
        do {
            while let count = try opened.purge(before: before, source: source, from: &start) {
                lines += count
                await Task.yield()
            }
            while try opened.shrink(keeping: 0) {
                await Task.yield()
            }
            try opened.truncateLog()
        } catch {
            throw JournalError(operation: .purge, error, path: path)
        }
        removeSetAside(all: true)
        return lines
    }

    // MARK: - The end

    /// Commits what waits, empties the log and gives the state directory back.
    func close() {
        guard !isClosed else { return }
        drain(evenIfFailed: true)
        isClosed = true
        timer?.cancel()
        timer = nil
        try? database?.truncateLog()
        try? database?.close()
        database = nil
        lock = nil
    }

    func pulse() {}

    func status() -> JournalStatus {
        let counts = inbox.counts
        return JournalStatus(
            failure: failure,
            pendingLines: counts.pending,
            lostLines: counts.lost,
            fileBytes: (try? database?.fileBytes()) ?? 0,
            oldest: (try? database?.oldest()) ?? nil
        )
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max / 4 : product + attoseconds / 1_000_000_000_000_000
    }

    var dispatchInterval: DispatchTimeInterval {
        .milliseconds(Int(Swift.min(milliseconds, 86_400_000)))
    }
}
