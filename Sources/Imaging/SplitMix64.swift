/// SplitMix64 (Steele, Lea and Flood 2014): a counter and a mixing of its bits.
///
/// The same seed gives the same numbers on every machine; every seed is a good one. Not for secrets.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// One of 2⁵³ equally likely numbers, at least 0 and less than 1.
    package mutating func nextFraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}
