internal import Events
internal import GRDB

/// Deleting, in steps that take milliseconds each.
extension JournalDatabase {
    /// Lines that one step deletes or looks at.
    static let linesPerStep = 512
    /// Pages that one step gives back to the file system; 4 KiB each.
    private static let pagesPerStep = 1024

    /// Size of the file, bytes.
    func fileBytes() throws -> Int {
        try queue.read { db in try Self.pages(db, "page_count") * Self.pages(db, "page_size") }
    }

    /// Size of what the file holds, without pages that are free to be used again, bytes.
    func contentBytes() throws -> Int {
        try queue.read { db in
            try (Self.pages(db, "page_count") - Self.pages(db, "freelist_count")) * Self.pages(db, "page_size")
        }
    }

    /// Deletes from the oldest end what was made before `cutoff`.
    ///
    /// A line that claims to be from after `now` says nothing of its age, for the clock has been set back since; it
    /// goes with the lines behind it. A line of a fitting age stops the step, so lines made while the clock was far
    /// behind do not take younger ones along.
    ///
    /// - Parameter start: the key to begin behind; grows past lines from after `now`, and starts over with 0.
    /// - Returns: whether there may be more to delete.
    func deleteExpired(before cutoff: Timestamp, now: Timestamp, from start: inout Int64) throws -> Bool {
        try queue.write { db in
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT key, published_ms FROM line WHERE key > ? ORDER BY key LIMIT ?",
                arguments: [start, Self.linesPerStep]
            )
            var end: Int64?
            var lastKey = start
            var scanned = 0
            var isStopped = false
            while !isStopped, let row = try rows.next() {
                scanned += 1
                lastKey = row[0]
                let time: Int64 = row[1]
                if time < cutoff.millisecondsSince1970 {
                    end = lastKey
                } else if time <= now.millisecondsSince1970 {
                    isStopped = true
                }
            }
            if let end {
                try db.execute(
                    sql: "DELETE FROM line WHERE key IN (SELECT key FROM line WHERE key <= ? ORDER BY key LIMIT ?)",
                    arguments: [end, 2 * Self.linesPerStep]
                )
            }
            let hasMore = !isStopped && scanned == Self.linesPerStep
            start = hasMore && end == nil ? lastKey : 0
            return hasMore
        }
    }

    /// Deletes the oldest lines, whatever their age.
    func deleteOldest() throws {
        try queue.write { db in
            try db.execute(
                sql: "DELETE FROM line WHERE key IN (SELECT key FROM line ORDER BY key LIMIT ?)",
                arguments: [Self.linesPerStep]
            )
        }
    }

    /// Deletes the lines of a source, or of all, that were made before a moment, or ever.
    ///
    /// - Parameter start: the key to begin behind; grows by one step.
    /// - Returns: how many lines went; `nil` when there was nothing left to look at.
    func purge(before: Timestamp?, source: String?, from start: inout Int64) throws -> Int? {
        try queue.write { db in
            let range = try Row.fetchOne(
                db,
                sql: "SELECT max(key), count(*) FROM (SELECT key FROM line WHERE key > ? ORDER BY key LIMIT ?)",
                arguments: [start, Self.linesPerStep]
            )
            guard let range, let end = Int64.fromDatabaseValue(range[0]) else { return nil }
            try db.execute(
                sql: """
                    DELETE FROM line WHERE key > :start AND key <= :end
                    AND (:before IS NULL OR published_ms < :before) AND (:source IS NULL OR source = :source)
                    """,
                arguments: ["start": start, "end": end, "before": before?.millisecondsSince1970, "source": source]
            )
            start = end
            return db.changesCount
        }
    }

    /// Gives free pages back to the file system.
    ///
    /// - Parameter keeping: bytes of free pages that may stay for lines to come.
    /// - Returns: whether there are more than that.
    func shrink(keeping: Int) throws -> Bool {
        try queue.writeWithoutTransaction { db in
            let spare = try Self.pages(db, "freelist_count") - keeping / Self.pages(db, "page_size")
            guard spare > 0 else { return false }
            // The pragma gives back one page for each row that is fetched.
            let count = min(spare, Self.pagesPerStep)
            let rows = try Row.fetchCursor(db, sql: "PRAGMA incremental_vacuum(\(count))")
            while try rows.next() != nil {}
            return spare > count
        }
    }

    /// Moves the log into the database and waits for the disk.
    func checkpoint() throws {
        try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.passive) }
    }

    /// The same, and empties the log, in which deleted lines may still stand.
    func truncateLog() throws {
        try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    }

    private static func pages(_ db: Database, _ pragma: String) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA \(pragma)") ?? 0
    }
}
