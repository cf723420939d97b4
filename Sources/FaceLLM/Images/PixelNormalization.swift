/// Bytes to the numbers that the vision tower was trained on: (byte / 255 − mean) / deviation, per channel.
///
/// There are 768 possible results, so they are computed once, in the single precision of the reference, and looked up.
package struct PixelNormalization: Sendable {
    /// Results by channel and byte, [3, 256].
    private let table: [Float]

    /// Mean of red, green and blue over ImageNet, in units of full brightness.
    package static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
    /// Standard deviation of red, green and blue over ImageNet, in the same units.
    package static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]

    package init(
        mean: [Float] = Self.imageNetMean,
        deviation: [Float] = Self.imageNetDeviation
    ) throws(ImageError) {
        guard
            mean.count == 3, deviation.count == 3, mean.allSatisfy(\.isFinite),
            deviation.allSatisfy({ $0.isFinite && $0 > 0 })
        else { throw .normalization(mean: mean, deviation: deviation) }
        var table: [Float] = []
        table.reserveCapacity(3 * 256)
        for channel in 0..<3 {
            for byte in 0..<256 { table.append((Float(byte) / 255 - mean[channel]) / deviation[channel]) }
        }
        self.table = table
    }

    /// The number for a byte of a channel; 0 is red.
    package func value(_ byte: UInt8, channel: Int) -> Float { table[256 * channel + Int(byte)] }

    /// Writes a square of an image as three planes.
    ///
    /// - Parameters:
    ///   - image: contains the square.
    ///   - output: [3, side, side], at least that many floats.
    func write(
        _ image: RGBImage,
        left: Int,
        top: Int,
        side: Int,
        into output: UnsafeMutablePointer<Float>
    ) {
        precondition(
            left >= 0 && top >= 0 && side >= 0 && left + side <= image.width && top + side <= image.height,
            "\(side) x \(side) pixels at \(left), \(top) of an image of \(image.width) x \(image.height)"
        )
        table.withUnsafeBufferPointer { table in
            image.bytes.withUnsafeBufferPointer { bytes in
                guard let values = table.baseAddress, let first = bytes.baseAddress else { return }
                let plane = side * side
                for y in 0..<side {
                    var pixel = first + 3 * ((top + y) * image.width + left)
                    var target = output + y * side
                    let end = target + side
                    while target < end {
                        target[0] = values[Int(pixel[0])]
                        target[plane] = values[256 + Int(pixel[1])]
                        target[2 * plane] = values[512 + Int(pixel[2])]
                        pixel += 3
                        target += 1
                    }
                }
            }
        }
    }
}
