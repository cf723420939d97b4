import Imaging
import TestSupport

/// Pictures whose every pixel is known.
enum TestPicture {
    /// Red grows by `step` a column, green by `step` a row, blue is `blue`: bilinear resampling keeps such planes.
    static func ramp(width: Int, height: Int, step: Int = 2, blue: UInt8 = 77) -> Picture {
        var red: [UInt8] = [], green: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                red.append(UInt8(truncatingIfNeeded: step * x))
                green.append(UInt8(truncatingIfNeeded: step * y))
            }
        }
        let size = Size(width: width, height: height)
        return Picture(planes: [red, green, [UInt8](repeating: blue, count: red.count)], size: size)
    }

    /// Random bytes, red, green and blue.
    static func noise(width: Int, height: Int, seed: UInt64 = 1) -> Picture {
        var generator = SeededGenerator(seed: seed)
        let planes = (0..<3).map { _ in
            (0..<width * height).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        return Picture(planes: planes, size: Size(width: width, height: height))
    }

    /// Y'CbCr planes from functions of the position, 0–1 in both directions.
    ///
    /// Chroma sides are rounded up.
    static func yCbCr(
        width: Int,
        height: Int,
        subsampling: (Int, Int),
        color: ColorTransform,
        displayed: Size? = nil,
        displayToStored: AffineMap = .identity,
        sample: (_ plane: Int, _ u: Float, _ v: Float) -> UInt8
    ) -> Picture {
        let chroma = Size(
            width: (width + subsampling.0 - 1) / subsampling.0,
            height: (height + subsampling.1 - 1) / subsampling.1
        )
        let sizes = [Size(width: width, height: height), chroma, chroma]
        // Room behind each plane, as decoders leave it for vector loops.
        let storage = ByteStorage(count: sizes.reduce(0) { $0 + $1.width * $1.height + 64 })
        var planes: [Plane] = []
        var offset = 0
        for (index, size) in sizes.enumerated() {
            let (sx, sy) = index == 0 ? (1, 1) : subsampling
            for y in 0..<size.height {
                for x in 0..<size.width {
                    storage.mutableBase[offset + y * size.width + x] = sample(
                        index,
                        (Float(x) + 0.5) * Float(sx) / Float(width),
                        (Float(y) + 0.5) * Float(sy) / Float(height)
                    )
                }
            }
            planes.append(Plane(base: storage.base + offset, stride: size.width, size: size))
            offset += size.width * size.height + 64
        }
        return Picture(
            planes: planes,
            color: color,
            size: displayed,
            displayToStored: displayToStored,
            storage: storage
        )
    }
}

extension Picture {
    /// The value of a plane at a pixel.
    func byte(_ plane: Int, x: Int, y: Int) -> UInt8 { planes[plane].base[y * planes[plane].stride + x] }
}

/// The pixel of an interleaved result.
func rgb(_ values: [Float], _ size: Size, x: Int, y: Int) -> [Float] {
    let i = 3 * (y * size.width + x)
    return [values[i], values[i + 1], values[i + 2]]
}

/// The largest distance of two equally long lists.
func largestDifference<T: BinaryInteger>(_ a: [T], _ b: [T]) -> Int {
    guard a.count == b.count else { return .max }
    return zip(a, b).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}
