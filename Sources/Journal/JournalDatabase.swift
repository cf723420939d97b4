internal import Events
internal import Foundation
internal import GRDB
internal import Glibc

/// The database of a journal: one table of lines, one of instances; used from one queue only.
///
/// WAL, so that a commit is one append to the log and a killed process loses nothing that was committed.
/// `secure_delete`, so that what was deleted is overwritten. `auto_vacuum`, so that the file can shrink in small steps.
final class JournalDatabase {
    let path: String
    /// Of the running instance.
    let ordinal: Int
    private(set) var instances = JournalInstances()
    let queue: DatabaseQueue

    /// Device and inode of the file that is open.
    private let identity: [UInt]

    /// Instances whose lines have gone are remembered this long, in starts, so that old cursors get exact gaps.
    private static let instancesKept = 4096
    private static let schemaVersion = 1

    /// Opens the database, or makes it, and enters the running instance.
    ///
    /// - Throws: `DatabaseError`; `JournalError` for a database of a version that this one cannot read.
    init(path: String, instanceID: String, startedAt: Timestamp, durability: JournalSettings.Durability) throws {
        self.path = path
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(0.5)
        configuration.label = "facellm.journal"
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA auto_vacuum = INCREMENTAL;
                    PRAGMA secure_delete = ON;
                    PRAGMA journal_size_limit = 4194304;
                    """
            )
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
        identity = Self.identity(of: path)
        if durability == .everyTransaction {
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        }
        let (ordinal, instances) = try queue.write { db in
            try Self.makeTables(db, path: path)
            return try Self.enter(instanceID, at: startedAt, db)
        }
        self.ordinal = ordinal
        self.instances = instances
    }

    /// Whether the path still names the file that is open; deleted or replaced, it would swallow lines.
    var isInPlace: Bool { Self.identity(of: path) == identity }

    /// Keeps lines of the running instance, all or none; those that are there already stay as they are.
    ///
    /// - Parameter lastSeq: how far the instance has published, whether that could be kept or not.
    func commit(_ events: [PublishedEvent], lastSeq: Int) throws {
        try queue.write { db in
            let insert = try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO line (key, type, source, epoch, published_ms, confidence, json)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """
            )
            for event in events {
                try insert.execute(
                    arguments: [
                        JournalKey(ordinal: ordinal, seq: event.cursor.seq).rawValue,
                        event.type, event.source, event.epoch, event.publishedAt.millisecondsSince1970,
                        event.confidence, Data(event.line.bytes.dropLast()),
                    ]
                )
            }
            try db.cachedStatement(sql: "UPDATE instance SET last_seq = ? WHERE ordinal = ?")
                .execute(arguments: [lastSeq, ordinal])
        }
        instances.setLastSeq(lastSeq, of: ordinal)
    }

    func close() throws {
        try queue.close()
    }

    // MARK: - Opening

    private static func makeTables(_ db: Database, path: String) throws {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if version == schemaVersion { return }
        guard version == 0, try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0 else {
            throw JournalError(
                operation: .open,
                kind: .corrupt,
                path: path,
                detail: "it is of version \(version), this program reads version \(schemaVersion)"
            )
        }
        try db.execute(
            sql: """
                CREATE TABLE instance (
                    ordinal INTEGER PRIMARY KEY,
                    id TEXT NOT NULL UNIQUE,
                    started_ms INTEGER NOT NULL,
                    last_seq INTEGER NOT NULL
                );
                -- key = ordinal << 40 | seq. The text comes last: what stands before it is read without it.
                CREATE TABLE line (
                    key INTEGER PRIMARY KEY,
                    type TEXT NOT NULL,
                    source TEXT,
                    epoch INTEGER NOT NULL,
                    published_ms INTEGER NOT NULL,
                    confidence REAL,
                    json BLOB NOT NULL
                );
                PRAGMA user_version = \(schemaVersion);
                """
        )
    }

    private static func enter(_ id: String, at time: Timestamp, _ db: Database) throws -> (Int, JournalInstances) {
        if try Int.fetchOne(db, sql: "SELECT ordinal FROM instance WHERE id = ?", arguments: [id]) == nil {
            try db.execute(
                sql: "INSERT INTO instance (id, started_ms, last_seq) VALUES (?, ?, 0)",
                arguments: [id, time.millisecondsSince1970]
            )
            try db.execute(
                sql: """
                    DELETE FROM instance
                    WHERE ordinal < min((SELECT max(ordinal) FROM instance) - ?,
                                        coalesce((SELECT min(key) FROM line) >> 40, 1 << 22))
                    """,
                arguments: [instancesKept]
            )
        }
        var instances = JournalInstances()
        let rows = try Row.fetchCursor(db, sql: "SELECT ordinal, id, last_seq FROM instance")
        while let row = try rows.next() {
            instances.insert(ordinal: row[0], id: row[1], lastSeq: row[2])
        }
        guard let ordinal = instances.ordinal(of: id) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table of instances has lost its entry")
        }
        return (ordinal, instances)
    }

    private static func identity(of path: String) -> [UInt] {
        var status = stat()
        return stat(path, &status) == 0 ? [UInt(status.st_dev), UInt(status.st_ino)] : []
    }
}
