/// How many decimals a published number keeps.
///
/// Rounding happens where a record is made, so that lines stay short and two runs can be compared with `diff`.
/// A number that is not finite has no place in JSON: it becomes `nil`, which is "not measured".
package enum NumberFormat: Int, Sendable, CaseIterable {
    /// Ratios of the displayed frame and measures: 5 decimals, a fiftieth of a pixel in 2000.
    case ratio = 5
    /// Angles in degrees and intensities of 0…5: 2 decimals.
    case hundredths = 2
    /// Media times in seconds: 6 decimals, finer than any usual time base.
    case seconds = 6
    /// Probabilities, confidences and shares: 4 decimals, kept within 0…1.
    case probability = 4
    /// Durations in milliseconds, pixels and scores of 0…100: 1 decimal.
    case tenths = 1
    /// Distances and other free scales: 3 decimals.
    case thousandths = 3

    /// Angles in degrees keep 2 decimals.
    package static var degrees: NumberFormat { .hundredths }

    /// Rounds to the decimals of this format.
    ///
    /// - Returns: the nearest `Double` to the rounded decimal, never −0; `nil` for NaN and infinity.
    package func callAsFunction(_ value: Double?) -> Double? {
        guard let value, value.isFinite else { return nil }
        let bounded = self == .probability ? min(max(value, 0), 1) : value
        let scale = Self.powersOfTen[rawValue]
        let scaled = (bounded * scale).rounded(.toNearestOrAwayFromZero)
        // Beyond 2^53 a Double has no decimals left to round.
        guard scaled.magnitude < 0x1p53 else { return bounded }
        return scaled == 0 ? 0 : scaled / scale
    }

    /// Rounds to the decimals of this format.
    package func callAsFunction(_ value: Float?) -> Double? {
        callAsFunction(value.map(Double.init))
    }

    /// Rounds every value and leaves out those that are not finite.
    package func callAsFunction<Key: Hashable>(_ values: [Key: Double]) -> [Key: Double] {
        values.compactMapValues { callAsFunction($0) }
    }

    private static let powersOfTen: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
}
