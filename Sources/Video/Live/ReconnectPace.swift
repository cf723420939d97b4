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
