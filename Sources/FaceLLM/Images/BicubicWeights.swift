/// The weights that resample one axis, exactly as Pillow (up to 12) computes and quantises them.
///
/// Reference: Pillow `src/libImaging/Resample.c`, `precompute_coeffs` and `normalize_coeffs_8bpc`. Each result pixel is a
/// weighted sum over a window of source pixels. When shrinking, the filter is as wide as the factor, which is what
/// keeps fine patterns from aliasing. The order of every floating-point operation matters: a weight that is off by one
/// unit of 2⁻²² shows in the result.
struct BicubicWeights: Sendable {
    /// The source pixels that a result pixel is made of.
    struct Window: Sendable, Hashable {
        var first: Int
        var count: Int

        var end: Int { first + count }
    }

    /// One for every result pixel; neither end ever moves backwards.
    let windows: [Window]
    /// Room for the weights of a window; even, and longer than any window.
    let stride: Int
    /// [result pixels, stride], multiples of 2⁻²²; zero past the end of a window.
    let values: [Double]

    /// Reach of the filter, in pixels of the coarser of both sizes.
    private static let support = 2.0
    /// Pillow's `PRECISION_BITS`: 32 bits less those of a byte, less two for overshoot.
    private static let precision = Double(1 << (32 - 8 - 2))

    /// - Parameters:
    ///   - source: pixels of the axis now, above zero.
    ///   - target: pixels of the axis afterwards, above zero.
    init(source: Int, target: Int) {
        precondition(source > 0 && target > 0, "an axis of \(source) pixels cannot become one of \(target)")
        let scale = Double(source) / Double(target)
        let filterScale = max(1, scale)
        let support = Self.support * filterScale
        // One more than a window has, so that loops may take weights two at a time.
        let stride = Int(support.rounded(.up)) * 2 + 2
        let inverse = 1 / filterScale
        var windows: [Window] = []
        windows.reserveCapacity(target)
        var values = [Double](repeating: 0, count: target * stride)
        for index in 0..<target {
            let center = (Double(index) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5))
            let count = min(source, Int(center + support + 0.5)) - first
            let base = index * stride
            var sum = 0.0
            for tap in 0..<count {
                let weight = Self.filter((Double(tap + first) - center + 0.5) * inverse)
                values[base + tap] = weight
                sum += weight
            }
            for tap in 0..<count {
                let weight = sum == 0 ? values[base + tap] : values[base + tap] / sum
                values[base + tap] = Self.quantized(weight)
            }
            windows.append(Window(first: first, count: count))
        }
        self.windows = windows
        self.stride = stride
        self.values = values
    }

    /// Keys' cubic convolution with a = −0.5.
    private static func filter(_ position: Double) -> Double {
        let a = -0.5
        let x = abs(position)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }

    /// Rounded to 22 fractional bits, halves away from zero.
    private static func quantized(_ weight: Double) -> Double {
        let steps = weight < 0 ? Int(-0.5 + weight * precision) : Int(0.5 + weight * precision)
        return Double(steps) / precision
    }
}

extension BicubicWeights {
    /// The same weights for source pixels that come in pairs: (0, 1), (2, 3) and so on.
    ///
    /// A weight of zero stands for a pixel of a pair that is outside of the window.
    struct Paired: Sendable {
        /// In pairs of source pixels.
        let windows: [Window]
        let stride: Int
        /// As above, two neighbours at a time: [result pixels, stride].
        let values: [SIMD2<Double>]
    }

    var paired: Paired {
        let pairs = windows.map { Window(first: $0.first / 2, count: ($0.end + 1) / 2 - $0.first / 2) }
        let room = pairs.reduce(1) { max($0, $1.count) }
        var weights = [SIMD2<Double>](repeating: .zero, count: windows.count * room)
        for (index, window) in windows.enumerated() {
            for tap in 0..<window.count {
                let pixel = window.first + tap
                weights[index * room + pixel / 2 - pairs[index].first][pixel % 2] = values[index * stride + tap]
            }
        }
        return Paired(windows: pairs, stride: room, values: weights)
    }
}
