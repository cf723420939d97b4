/// Values by key within a number of bytes; what was not used for longest goes first.
struct BoundedCache<Key: Hashable, Value> {
    private struct Entry {
        var value: Value
        var bytes: Int
        var lastUse: Int
    }

    let limit: Int
    private var entries: [Key: Entry] = [:]
    private var uses = 0
    private(set) var bytes = 0

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { entries.count }

    /// The value of a key, which counts as used now.
    mutating func value(of key: Key) -> Value? {
        guard entries[key] != nil else { return nil }
        uses += 1
        entries[key]?.lastUse = uses
        return entries[key]?.value
    }

    /// Keeps a value, unless it alone is larger than the limit.
    mutating func insert(_ value: Value, bytes: Int, for key: Key) {
        remove(key)
        guard bytes <= limit else { return }
        while self.bytes + bytes > limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            remove(oldest.key)
        }
        uses += 1
        entries[key] = Entry(value: value, bytes: bytes, lastUse: uses)
        self.bytes += bytes
    }

    private mutating func remove(_ key: Key) {
        if let entry = entries.removeValue(forKey: key) { bytes -= entry.bytes }
    }
}
