internal import Events
internal import Foundation
internal import GRDB

extension JournalDatabase {
    /// Lines that are looked at for one page, so that a filter that admits little does not keep others waiting.
    private static let linesScanned = 2048

    /// Fills a page with lines behind its last one.
    ///
    /// - Parameter end: the last line that may go in; `nil` for all there are.
    /// - Returns: whether there was nothing more.
    func fill(_ page: inout PageBuilder, through end: JournalKey?) throws -> Bool {
        try queue.read { db in
            let oldest = try Int64.fetchOne(db, sql: "SELECT min(key) FROM line")
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT key, type, source, epoch, published_ms, confidence, json FROM line
                    WHERE key > ? AND key <= ? ORDER BY key LIMIT ?
                    """,
                arguments: [page.last?.rawValue ?? -1, end?.rawValue ?? .max, Self.linesScanned]
            )
            var scanned = 0
            while !page.isFull, let row = try rows.next() {
                scanned += 1
                let number: Int64 = row[0]
                let key = JournalKey(rawValue: number)
                let type = String.fromDatabaseValue(row[1]) ?? ""
                let source = String.fromDatabaseValue(row[2])
                let confidence = Double.fromDatabaseValue(row[5])
                page.take(key, type: type, source: source, confidence: confidence, isOldest: number == oldest) {
                    event(key, type: type, source: source, confidence: confidence, row)
                }
            }
            return !page.isFull && scanned < Self.linesScanned
        }
    }

    /// The line of a row; `nil` when its columns are not what this program writes.
    private func event(
        _ key: JournalKey,
        type: String,
        source: String?,
        confidence: Double?,
        _ row: Row
    ) -> PublishedEvent? {
        guard let id = instances.id(of: key.ordinal), let epoch = Int.fromDatabaseValue(row[3]),
            let time = Int64.fromDatabaseValue(row[4]), let json = Data.fromDatabaseValue(row[6]),
            let line = try? EventLine(json: json)
        else { return nil }
        return PublishedEvent(
            cursor: Cursor(instanceID: id, seq: key.seq),
            type: type,
            source: source,
            epoch: epoch,
            publishedAt: Timestamp(millisecondsSince1970: time),
            confidence: confidence,
            line: line
        )
    }

    /// The last line made before `time`, by halving the range of keys; `nil` when there is none.
    ///
    /// Lines made while the clock was set back may come out on the wrong side.
    func key(before time: Timestamp) throws -> JournalKey? {
        try queue.read { db in
            guard let bounds = try Row.fetchOne(db, sql: "SELECT min(key), max(key) FROM line"),
                let oldest = Int64.fromDatabaseValue(bounds[0]), let newest = Int64.fromDatabaseValue(bounds[1])
            else { return nil }
            // The first line that is not older lies within low...high, or there is none.
            var low = oldest, high = newest + 1
            while low < high {
                let middle = low + (high - low) / 2
                let row = try Row.fetchOne(
                    db,
                    sql: "SELECT key, published_ms FROM line WHERE key >= ? ORDER BY key LIMIT 1",
                    arguments: [middle]
                )
                if let row, let key = Int64.fromDatabaseValue(row[0]), let made = Int64.fromDatabaseValue(row[1]),
                    made < time.millisecondsSince1970
                {
                    low = key + 1
                } else {
                    high = middle
                }
            }
            return try Int64.fetchOne(db, sql: "SELECT max(key) FROM line WHERE key < ?", arguments: [low])
                .map(JournalKey.init(rawValue:))
        }
    }

    /// When the oldest line was made.
    func oldest() throws -> Timestamp? {
        try queue.read { db in
            try Int64.fetchOne(db, sql: "SELECT published_ms FROM line ORDER BY key LIMIT 1")
                .map { Timestamp(millisecondsSince1970: $0) }
        }
    }
}
