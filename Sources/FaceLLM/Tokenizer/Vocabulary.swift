/// The number of a token, as the model's embedding table counts.
package typealias TokenID = Int32

/// The byte strings of the tokens and what merges into what.
struct Vocabulary: Sendable {
    /// The largest id that a file may use; the published vocabulary has 151,674.
    static let maximumID = 1 << 21

    /// All tokens' bytes, one after the other.
    private var storage: [UInt8] = []
    /// Where in `storage` the bytes of an id are; empty for ids without a token.
    private var ranges: [Range<Int32>] = []
    /// Open addressing over the tokens' bytes; -1 is free.
    private var slots: [TokenID] = [TokenID](repeating: -1, count: 1 << 10)
    private var used = 0
    private(set) var merges = MergeTable()
    /// The token of each single byte.
    private(set) var byteTokens: [TokenID] = []

    /// One more than the largest id.
    var endID: Int { ranges.count }

    // MARK: - Looking up

    /// The bytes of a token; empty for an id without one.
    func bytes(of id: TokenID) -> ArraySlice<UInt8> {
        guard id >= 0, id < ranges.count else { return [] }
        let range = ranges[Int(id)]
        return storage[Int(range.lowerBound)..<Int(range.upperBound)]
    }

    func id(of bytes: some RandomAccessCollection<UInt8>) -> TokenID? {
        let id = slots[slot(of: bytes)]
        return id < 0 ? nil : id
    }

    private func slot(of bytes: some RandomAccessCollection<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var slot = Int(truncatingIfNeeded: hash ^ hash >> 29) & (slots.count - 1)
        while slots[slot] >= 0, !self.bytes(of: slots[slot]).elementsEqual(bytes) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    // MARK: - Filling

    /// Adds a token; what is wrong with it otherwise.
    mutating func add(_ bytes: some RandomAccessCollection<UInt8>, id: Int) -> String? {
        guard (0..<Self.maximumID).contains(id) else { return "the id \(id)" }
        guard !bytes.isEmpty else { return "an empty token" }
        if id < ranges.count, !ranges[id].isEmpty { return "the id \(id) a second time" }
        guard storage.count + bytes.count < Int32.max else { return "more than 2 GiB of tokens" }
        if (used + 1) * 2 > slots.count { grow() }
        let slot = slot(of: bytes)
        guard slots[slot] < 0 else { return "the same token for the ids \(slots[slot]) and \(id)" }
        if id >= ranges.count { ranges.append(contentsOf: repeatElement(0..<0, count: id + 1 - ranges.count)) }
        let start = Int32(storage.count)
        storage.append(contentsOf: bytes)
        ranges[id] = start..<Int32(storage.count)
        slots[slot] = TokenID(id)
        used += 1
        return nil
    }

    private mutating func grow() {
        slots = [TokenID](repeating: -1, count: slots.count * 2)
        for id in ranges.indices where !ranges[id].isEmpty {
            slots[slot(of: bytes(of: TokenID(id)))] = TokenID(id)
        }
    }

    /// Finds the token of every byte; the first byte that has none otherwise.
    mutating func indexBytes() -> UInt8? {
        byteTokens = []
        for byte in UInt8.min...UInt8.max {
            guard let id = id(of: CollectionOfOne(byte)) else { return byte }
            byteTokens.append(id)
        }
        return nil
    }

    /// Adds the rule that `left` and `right` become one token; later rules have lower priority.
    ///
    /// What is missing from the vocabulary otherwise.
    mutating func addMerge(_ left: [UInt8], _ right: [UInt8]) -> [UInt8]? {
        guard let first = id(of: left) else { return left }
        guard let second = id(of: right) else { return right }
        guard let joined = id(of: left + right) else { return left + right }
        merges.insert(first, second, becoming: joined)
        return nil
    }

    mutating func addMerge(_ first: TokenID, _ second: TokenID, becoming joined: TokenID) {
        merges.insert(first, second, becoming: joined)
    }
}

/// What two neighbouring tokens become, and how early: a hash table with open addressing.
///
/// Looked up in the innermost loop of tokenising.
struct MergeTable: Sendable {
    /// No rule.
    static let none = UInt64.max

    /// `first << 32 | second`; all ones is free.
    private var keys = [UInt64](repeating: .max, count: 1 << 10)
    /// `rank << 32 | joined`: comparing values compares ranks.
    private var values = [UInt64](repeating: none, count: 1 << 10)
    private var used = 0
    private var nextRank: UInt64 = 0

    var count: Int { used }

    /// All rules, the earliest first.
    var pairs: [(first: TokenID, second: TokenID)] {
        zip(keys, values).filter { $0.0 != .max }.sorted { $0.1 < $1.1 }.map { key, _ in
            (TokenID(truncatingIfNeeded: key >> 32), TokenID(truncatingIfNeeded: key))
        }
    }

    /// `rank << 32 | joined`, or `none`.
    @inline(__always)
    func rule(_ first: TokenID, _ second: TokenID) -> UInt64 {
        let key = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
        return values[slot(of: key)]
    }

    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != key, keys[slot] != .max { slot = (slot + 1) & mask }
        return slot
    }

    /// A rule that stands twice keeps its later rank, as in the reference.
    mutating func insert(_ first: TokenID, _ second: TokenID, becoming joined: TokenID) {
        if (used + 1) * 2 > keys.count {
            let old = zip(keys, values).filter { $0.0 != .max }
            keys = [UInt64](repeating: .max, count: keys.count * 2)
            values = [UInt64](repeating: Self.none, count: keys.count)
            for (key, value) in old {
                let slot = slot(of: key)
                keys[slot] = key
                values[slot] = value
            }
        }
        let key = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
        let slot = slot(of: key)
        if keys[slot] == .max { used += 1 }
        keys[slot] = key
        values[slot] = nextRank << 32 | UInt64(UInt32(bitPattern: joined))
        nextRank += 1
    }
}
