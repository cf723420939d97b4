internal import Events

/// The key of a line in the database: the start of the daemon by its ordinal, and the line's `seq`, in one integer.
///
/// So the order of keys is the order of publication over all instances, and the table needs no second index.
struct JournalKey: Hashable, Comparable {
    /// 1, 2, 3 … for each start of a daemon that the database has seen.
    let ordinal: Int
    let seq: Int

    /// A line of a running instance that the database has not seen yet comes after all others.
    static let unknownOrdinal = 1 << 22

    init(ordinal: Int, seq: Int) {
        self.ordinal = ordinal
        self.seq = seq
    }

    init(rawValue: Int64) {
        ordinal = Int(rawValue >> 40)
        seq = Int(rawValue) & Cursor.maximumSeq
    }

    var rawValue: Int64 { Int64(ordinal) << 40 | Int64(min(seq, Cursor.maximumSeq)) }

    static func < (left: JournalKey, right: JournalKey) -> Bool {
        (left.ordinal, left.seq) < (right.ordinal, right.seq)
    }
}

/// The starts of daemons that the database has seen.
struct JournalInstances {
    private struct Entry {
        let id: String
        var lastSeq: Int
    }

    private var entries: [Int: Entry] = [:]
    private var ordinals: [String: Int] = [:]

    mutating func insert(ordinal: Int, id: String, lastSeq: Int) {
        entries[ordinal] = Entry(id: id, lastSeq: lastSeq)
        ordinals[id] = ordinal
    }

    /// Says how far an instance has published, whether that was kept or not.
    mutating func setLastSeq(_ seq: Int, of ordinal: Int) {
        entries[ordinal]?.lastSeq = seq
    }

    func ordinal(of id: String) -> Int? { ordinals[id] }
    func id(of ordinal: Int) -> String? { entries[ordinal]?.id }

    /// The lines published behind `left` and before `right`.
    func linesBetween(_ left: JournalKey, _ right: JournalKey) -> Int {
        if left.ordinal == right.ordinal { return max(0, right.seq - left.seq - 1) }
        var lines = max(0, right.seq - 1)
        for (ordinal, entry) in entries where ordinal >= left.ordinal && ordinal < right.ordinal {
            lines += ordinal == left.ordinal ? max(0, entry.lastSeq - left.seq) : entry.lastSeq
        }
        return lines
    }
}
