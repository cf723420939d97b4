/// The middle and the slow end of many measurements of the same thing.
package struct Quantiles: Sendable, Hashable {
    private let sorted: [Double]

    /// - Returns: nil where there are no samples, or one that is not a number.
    package init?(_ samples: [Double]) {
        guard !samples.isEmpty, !samples.contains(where: \.isNaN) else { return nil }
        sorted = samples.sorted()
    }

    package var count: Int { sorted.count }
    package var maximum: Double { sorted[sorted.count - 1] }

    /// The smallest sample that so many hundredths of the samples do not exceed.
    ///
    /// - Parameter percent: 1…100.
    package func percentile(_ percent: Int) -> Double {
        // In integers: 0.95 · 20 is a little more than 19 in floating point.
        sorted[max(0, min(sorted.count - 1, (sorted.count * percent + 99) / 100 - 1))]
    }
}
