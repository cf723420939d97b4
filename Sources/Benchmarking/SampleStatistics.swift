/// What repeated measurements say: the best, the middle and the slow end.
///
/// On shared cores the minimum is the least disturbed value, the median the usual one.
package struct SampleStatistics: Sendable, Hashable, Codable {
    package let count: Int
    package let minimum: Double
    /// The mean of the middle two where their number is even.
    package let median: Double
    /// The smallest sample that 95 % of the samples do not exceed; the largest one of fewer than 20.
    package let p95: Double

    /// - Returns: nil where there are no samples, or one that is not a number.
    package init?(_ samples: [Double]) {
        guard !samples.isEmpty, !samples.contains(where: \.isNaN) else { return nil }
        let sorted = samples.sorted()
        count = sorted.count
        minimum = sorted[0]
        median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
        // In integers: 0.95 · 20 is a little more than 19 in floating point.
        p95 = sorted[(count * 95 + 99) / 100 - 1]
    }
}
