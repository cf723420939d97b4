/// How long to wait before the next attempt: twice as long each time, up to a limit, and never twice the same.
///
/// The jitter keeps cameras that a switch took down together from being asked together.
package struct ReconnectPace: Sendable, Hashable {
    /// Seconds.
    package var first = 1.0
    package var longest = 60.0
    /// The share of a delay that chance may take away.
    package var jitter = 0.25

    package init() {}

    /// - Parameters:
    ///   - failures: in a row, the latest included.
    ///   - isSlow: nothing will have changed soon: the password is wrong, the stream does not exist.
    package func delay(afterFailures failures: Int, isSlow: Bool, using random: inout some RandomNumberGenerator)
        -> Double
    {
        var delay = longest
        if !isSlow {
            // 2^40 first delays are longer than any limit that makes sense.
            let doublings = max(0, min(40, failures - 1))
            delay = min(longest, first * Double(1 << doublings))
        }
        return delay * (1 - jitter * Double.random(in: 0...1, using: &random))
    }
}

/// Small and seeded, so that a source's delays can be repeated (SplitMix64).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
