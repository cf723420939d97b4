package import Imaging

/// Stretches images of one size to another with the arithmetic of Pillow's bicubic filter, bit for bit.
///
/// Rows first, then columns, bytes in between: an intermediate value is rounded and clipped as Pillow up to 12 does it,
/// which is how the published models' training images were made.
///
/// Pillow sums products of bytes and 22-bit fixed-point weights in 32-bit integers. The same sums are exact in double
/// precision (30 bits and a few), in any order, and vectorise on every x86-64 and ARM. Two rows are filtered at a time,
/// one in each lane; only as many filtered rows are kept as the column filter is high.
///
/// Immutable: threads may share one.
package struct BicubicResampler: Sendable {
    /// The same place in two rows, an even one and the one below.
    private typealias Pair = SIMD2<Double>

    package let source: Size
    package let target: Size
    private let columns: BicubicWeights
    /// The weights of `columns`, each for both rows.
    private let columnValues: [SIMD2<Double>]
    private let rows: BicubicWeights.Paired

    /// - Throws: `emptySize` or `tooLarge` for either size, or for what is in between, as wide as the target and as high
    ///   as the source.
    package init(from source: Size, to target: Size) throws(ImageError) {
        _ = try RGBImage.byteCount(width: source.width, height: source.height)
        _ = try RGBImage.byteCount(width: target.width, height: target.height)
        _ = try RGBImage.byteCount(width: target.width, height: source.height)
        self.source = source
        self.target = target
        columns = BicubicWeights(source: source.width, target: target.width)
        columnValues = columns.values.map { SIMD2(repeating: $0) }
        rows = BicubicWeights(source: source.height, target: target.height).paired
    }

    /// The image, stretched.
    ///
    /// Allocates the result and scratch memory once, nothing per row or pixel.
    ///
    /// - Parameter image: of the size `source`.
    package func resize(_ image: RGBImage) -> RGBImage {
        precondition(image.size == source, "an image of \(image.size) given to a resampler of \(source)")
        // Weights of an unchanged axis are 0 and 1, so only the case of both is worth a branch.
        if source == target { return image }
        let count = 3 * target.width * target.height
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            image.bytes.withUnsafeBufferPointer { input in
                guard let output = buffer.baseAddress, let input = input.baseAddress else { return }
                resize(input, into: output)
                filled = count
            }
        }
        return RGBImage(uncheckedWidth: target.width, height: target.height, bytes: bytes)
    }

    // MARK: - Passes

    private func resize(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
        let inputStride = 3 * source.width, outputStride = 3 * target.width
        let slots = rows.stride
        // A row ends in a pixel that windows of odd length read with a weight of 0.
        let scratch = UnsafeMutablePointer<Pair>.allocate(capacity: inputStride + 3 + slots * outputStride)
        defer { scratch.deallocate() }
        (scratch + inputStride).initialize(repeating: .zero, count: 3)
        let ring = scratch + inputStride + 3
        let numbers = UnsafeMutablePointer<Double>.allocate(capacity: 256)
        defer { numbers.deallocate() }
        for byte in 0..<256 { (numbers + byte).initialize(to: Double(byte)) }
        // Pairs of rows below this one have been filtered, or are never needed.
        var next = 0
        columnValues.withUnsafeBufferPointer { across in
            rows.values.withUnsafeBufferPointer { down in
                guard let across = across.baseAddress, let down = down.baseAddress else { return }
                for y in 0..<target.height {
                    let window = rows.windows[y]
                    next = max(next, window.first)
                    while next < window.end {
                        // Below an odd last row there is nothing; its weight is 0.
                        let upper = input + 2 * next * inputStride
                        let lower = 2 * next + 1 < source.height ? upper + inputStride : upper
                        Self.widen(upper, lower, count: inputStride, numbers: numbers, into: scratch)
                        filterRows(scratch, weights: across, into: ring + next % slots * outputStride)
                        next += 1
                    }
                    Self.filterColumns(
                        ring,
                        slots: slots,
                        window: window,
                        weights: down + y * rows.stride,
                        count: outputStride,
                        into: output + y * outputStride
                    )
                }
            }
        }
    }

    /// Two rows of bytes to one row of pairs, of numbers looked up: half the time of converting them.
    private static func widen(
        _ upper: UnsafePointer<UInt8>,
        _ lower: UnsafePointer<UInt8>,
        count: Int,
        numbers: UnsafePointer<Double>,
        into pairs: UnsafeMutablePointer<Pair>
    ) {
        var index = 0
        while index < count {
            (pairs + index).initialize(to: Pair(numbers[Int(upper[index])], numbers[Int(lower[index])]))
            index &+= 1
        }
    }

    /// A pair of rows to the width of the result: whole numbers of 0–255.
    private func filterRows(
        _ pairs: UnsafePointer<Pair>,
        weights: UnsafePointer<Pair>,
        into output: UnsafeMutablePointer<Pair>
    ) {
        let stride = columns.stride
        columns.windows.withUnsafeBufferPointer { windows in
            var target = output, row = weights
            for window in windows {
                var pixel = pairs + 3 * window.first
                var weight = row
                let end = row + window.count
                // Two taps at a time: a single sum would wait for its own addition most of the time.
                var red = Pair.zero, green = Pair.zero, blue = Pair.zero
                var red2 = Pair.zero, green2 = Pair.zero, blue2 = Pair.zero
                while weight < end {
                    let factor = weight[0], factor2 = weight[1]
                    red += pixel[0] * factor
                    green += pixel[1] * factor
                    blue += pixel[2] * factor
                    red2 += pixel[3] * factor2
                    green2 += pixel[4] * factor2
                    blue2 += pixel[5] * factor2
                    pixel += 6
                    weight += 2
                }
                target.initialize(to: Self.rounded(red + red2))
                (target + 1).initialize(to: Self.rounded(green + green2))
                (target + 2).initialize(to: Self.rounded(blue + blue2))
                target += 3
                row += stride
            }
        }
    }

    /// One row of the result from the pairs of rows of its window.
    private static func filterColumns(
        _ ring: UnsafePointer<Pair>,
        slots: Int,
        window: BicubicWeights.Window,
        weights: UnsafePointer<Pair>,
        count: Int,
        into output: UnsafeMutablePointer<UInt8>
    ) {
        let start = window.first % slots
        var index = 0
        // Four columns at a time share the weights.
        while index &+ 4 <= count {
            var a = Pair.zero, b = Pair.zero, c = Pair.zero, d = Pair.zero
            var slot = start, tap = 0
            while tap < window.count {
                let pixel = ring + (slot &* count &+ index), factor = weights[tap]
                a += pixel[0] * factor
                b += pixel[1] * factor
                c += pixel[2] * factor
                d += pixel[3] * factor
                slot &+= 1
                if slot == slots { slot = 0 }
                tap &+= 1
            }
            output[index] = byte(a)
            output[index &+ 1] = byte(b)
            output[index &+ 2] = byte(c)
            output[index &+ 3] = byte(d)
            index &+= 4
        }
        while index < count {
            var sum = Pair.zero
            for tap in 0..<window.count { sum += ring[(start + tap) % slots * count + index] * weights[tap] }
            output[index] = byte(sum)
            index &+= 1
        }
    }

    // MARK: - Rounding

    // Sums are multiples of 2⁻²². Half a step more makes halves round up, and then no sum lies between two whole
    // numbers exactly, so the rounding of a floating-point addition does what Pillow's shift does.
    private static let halfStep = 1 / Double(1 << 23)
    /// 1.5 · 2⁵²: the last bit of a double near this number is worth 1.
    private static let wholeNumbers = 6_755_399_441_055_744.0

    @inline(__always)
    private static func rounded(_ sum: Pair) -> Pair {
        let whole = ((sum + halfStep) + wholeNumbers) - wholeNumbers
        return pointwiseMin(pointwiseMax(whole, .zero), Pair(repeating: 255))
    }

    /// The sum of both lanes as a byte.
    @inline(__always)
    private static func byte(_ sums: Pair) -> UInt8 {
        let value = (sums[0] + sums[1]) + halfStep
        let clipped = value > 0 ? (value < 255 ? value : 255) : 0
        return UInt8(truncatingIfNeeded: (clipped + wholeNumbers).bitPattern)
    }
}
