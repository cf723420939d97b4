import FaceLLM
import Imaging

/// Images whose every pixel is known.
enum ImagePattern {
    /// Random bytes, the same on every machine (xorshift64*).
    static func noise(width: Int, height: Int, seed: UInt64 = 1) throws -> RGBImage {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let bytes = (0..<3 * width * height).map { _ -> UInt8 in
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return UInt8(truncatingIfNeeded: (state &* 2_685_821_657_736_338_717) >> 40)
        }
        return try RGBImage(width: width, height: height, bytes: bytes)
    }
}

extension RGBImage {
    /// Left and right swapped.
    func mirrored() throws -> RGBImage {
        var bytes: [UInt8] = []
        for y in 0..<height {
            for x in (0..<width).reversed() { bytes += self.bytes[3 * (y * width + x)..<3 * (y * width + x) + 3] }
        }
        return try RGBImage(width: width, height: height, bytes: bytes)
    }

    /// Top and bottom swapped.
    func flipped() throws -> RGBImage {
        var bytes: [UInt8] = []
        for y in (0..<height).reversed() { bytes += self.bytes[3 * y * width..<3 * (y + 1) * width] }
        return try RGBImage(width: width, height: height, bytes: bytes)
    }

    /// The image in the planes of a decoder's picture.
    var picture: Picture {
        Picture(
            planes: (0..<3).map { channel in stride(from: channel, to: bytes.count, by: 3).map { bytes[$0] } },
            size: size
        )
    }
}

/// Pillow's `Resample.c` read literally: 32-bit integers, one pixel after the other, a whole image between the passes.
enum SlowBicubic {
    static func resize(_ image: RGBImage, to size: Size) throws -> RGBImage {
        let across = axis(image.width, size.width), down = axis(image.height, size.height)
        var middle = [UInt8](repeating: 0, count: 3 * size.width * image.height)
        for y in 0..<image.height {
            for x in 0..<size.width {
                for c in 0..<3 {
                    var sum: Int32 = 1 << 21
                    for (tap, k) in across[x].k.enumerated() {
                        sum += Int32(image.bytes[3 * (y * image.width + across[x].first + tap) + c]) * k
                    }
                    middle[3 * (y * size.width + x) + c] = UInt8(max(0, min(255, sum >> 22)))
                }
            }
        }
        var bytes = [UInt8](repeating: 0, count: 3 * size.width * size.height)
        for y in 0..<size.height {
            for i in 0..<3 * size.width {
                var sum: Int32 = 1 << 21
                for (tap, k) in down[y].k.enumerated() {
                    sum += Int32(middle[3 * size.width * (down[y].first + tap) + i]) * k
                }
                bytes[3 * size.width * y + i] = UInt8(max(0, min(255, sum >> 22)))
            }
        }
        return try RGBImage(width: size.width, height: size.height, bytes: bytes)
    }

    private static func axis(_ source: Int, _ target: Int) -> [(first: Int, k: [Int32])] {
        let scale = Double(source) / Double(target), wide = max(scale, 1), support = 2 * wide
        return (0..<target).map { index in
            let center = (Double(index) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5)), end = min(source, Int(center + support + 0.5))
            var k = (first..<end).map { pixel -> Double in
                let x = abs((Double(pixel) - center + 0.5) * (1 / wide))
                if x < 1 { return ((-0.5 + 2) * x - (-0.5 + 3)) * x * x + 1 }
                return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
            }
            let sum = k.reduce(0, +)
            k = k.map { sum == 0 ? $0 : $0 / sum }
            return (first, k.map { Int32($0 < 0 ? -0.5 + $0 * 4_194_304 : 0.5 + $0 * 4_194_304) })
        }
    }
}
