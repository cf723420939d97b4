internal import Synchronization

/// The tokens of short pieces met before, in a table of fixed size: a new piece takes the place of an old one.
///
/// Pieces up to 15 bytes are their own key, so a hit is exact. 196 KiB.
struct PieceCache: Sendable {
    private static let slots = 1 << 12
    private static let maximumBytes = 15
    private static let maximumTokens = 8

    /// Two words per slot: the bytes, little end first, and their number in the last.
    private var keys = [UInt64](repeating: 0, count: slots * 2)
    private var counts = [UInt8](repeating: 0, count: slots)
    private var tokens = [TokenID](repeating: 0, count: slots * maximumTokens)

    /// The key of a piece; nil when it is too long.
    @inline(__always)
    static func key(of piece: ArraySlice<UInt8>) -> Key? {
        guard piece.count <= maximumBytes else { return nil }
        var low: UInt64 = 0
        var high: UInt64 = 0
        var shift: UInt64 = 0
        for byte in piece {
            if shift < 64 { low |= UInt64(byte) << shift } else { high |= UInt64(byte) << (shift - 64) }
            shift += 8
        }
        return Key(low: low, high: high | UInt64(piece.count) << 56)
    }

    struct Key {
        let low: UInt64
        let high: UInt64

        @inline(__always)
        var slot: Int {
            let mixed = (low ^ high &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
            return Int(truncatingIfNeeded: mixed >> 32) & (PieceCache.slots - 1)
        }
    }

    /// Appends the tokens under `key` to `ids`; false when there are none.
    @inline(__always)
    func append(_ key: Key, to ids: inout [TokenID]) -> Bool {
        let slot = key.slot
        guard keys[slot * 2] == key.low, keys[slot * 2 + 1] == key.high else { return false }
        let start = slot * Self.maximumTokens
        for index in start..<start + Int(counts[slot]) { ids.append(tokens[index]) }
        return true
    }

    mutating func store(_ ids: ArraySlice<TokenID>, under key: Key) {
        guard ids.count <= Self.maximumTokens else { return }
        let slot = key.slot
        keys[slot * 2] = key.low
        keys[slot * 2 + 1] = key.high
        counts[slot] = UInt8(ids.count)
        for (offset, id) in ids.enumerated() { tokens[slot * Self.maximumTokens + offset] = id }
    }
}

/// The scratch space of one encoder at a time; a second one that comes meanwhile makes its own.
final class EncoderWorkspace: Sendable {
    struct State: Sendable {
        var merger = BytePairMerger()
        var cache = PieceCache()
    }

    private let shared = Mutex(State())

    func with<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        if let result = shared.withLockIfAvailable({ state in body(&state) }) { return result }
        var own = State()
        return body(&own)
    }
}
