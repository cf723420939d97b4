/// A red-green-blue picture to draw on: upright, in displayed pixels, one byte a channel.
///
/// A value: a copy shares its bytes until one of the two is drawn on. Whatever is drawn is clipped to the canvas;
/// coordinates may lie anywhere, and shapes with a coordinate that is not finite are left out.
package struct Canvas: Sendable {
    /// A colour and how much it covers what lies beneath it.
    package struct Color: Sendable, Hashable {
        package var red: UInt8
        package var green: UInt8
        package var blue: UInt8
        /// 0 is invisible, 255 covers.
        package var alpha: UInt8

        package init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
            self.red = red
            self.green = green
            self.blue = blue
            self.alpha = alpha
        }

        package static let black = Color(red: 0, green: 0, blue: 0)
        package static let white = Color(red: 255, green: 255, blue: 255)

        /// The same colour with another cover, 0–1.
        package func opacity(_ opacity: Float) -> Color {
            var copy = self
            copy.alpha = UInt8(max(0, min(1, opacity.isNaN ? 0 : opacity)) * 255 + 0.5)
            return copy
        }

        /// The colour on the way to `other`, 0 is `self`; the cover stays.
        package func mixed(with other: Color, _ amount: Float) -> Color {
            let t = max(0, min(1, amount.isNaN ? 0 : amount))
            func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8(Float(a) + (Float(b) - Float(a)) * t + 0.5) }
            return Color(
                red: mix(red, other.red),
                green: mix(green, other.green),
                blue: mix(blue, other.blue),
                alpha: alpha
            )
        }
    }

    /// Pixels; both sides are at least 1.
    package let size: Size
    /// Bytes from a row to the next; rows are padded for the vector loops of swscale.
    package let stride: Int
    /// Red, green, blue, from the top left.
    private(set) var bytes: [UInt8]
    /// Lent to the stroke being drawn, kept for the next one.
    var mask = StrokeMask()

    /// The longest side that a canvas can have; the encoders take no more.
    package static let longestSide = 16384

    /// A canvas of one colour.
    ///
    /// Sides outside of 1…16384 are brought into that range.
    package init(size: Size, color: Color = .black) {
        let width = max(1, min(Canvas.longestSide, size.width))
        let height = max(1, min(Canvas.longestSide, size.height))
        self.size = Size(width: width, height: height)
        stride = (width * 3 + 63) & ~63
        // swscale may write past the last pixel by less than one vector.
        bytes = [UInt8](repeating: 0, count: stride * height + 64)
        if color != .black { fill(color) }
    }

    /// Covers the whole canvas; `alpha` is ignored.
    package mutating func fill(_ color: Color) {
        let (width, height, stride) = (size.width, size.height, stride)
        withBytes { base in
            for x in 0..<width {
                (base[3 * x], base[3 * x + 1], base[3 * x + 2]) = (color.red, color.green, color.blue)
            }
            for y in 1..<max(1, height) { (base + y * stride).update(from: base, count: width * 3) }
        }
    }

    /// The colour of a pixel; nil outside of the canvas.
    package func pixel(x: Int, y: Int) -> Color? {
        guard x >= 0, y >= 0, x < size.width, y < size.height else { return nil }
        let i = y * stride + 3 * x
        return Color(red: bytes[i], green: bytes[i + 1], blue: bytes[i + 2])
    }

    /// Sets a pixel, alpha ignored; outside of the canvas nothing happens.
    package mutating func set(x: Int, y: Int, _ color: Color) {
        guard x >= 0, y >= 0, x < size.width, y < size.height else { return }
        let i = y * stride + 3 * x
        (bytes[i], bytes[i + 1], bytes[i + 2]) = (color.red, color.green, color.blue)
    }

    /// The bytes without padding: `size.width * 3` a row.
    package var packedBytes: [UInt8] {
        let row = size.width * 3
        return [UInt8](unsafeUninitializedCapacity: row * size.height) { target, count in
            withUnsafeBytes { source in
                guard let to = target.baseAddress else { return }
                for y in 0..<size.height {
                    (to + y * row).update(from: source.baseAddress + y * stride, count: row)
                }
            }
            count = row * size.height
        }
    }

    // MARK: - Bytes

    /// The bytes of a canvas, valid inside of the closure they are lent to.
    package struct Bytes {
        /// The top-left pixel's red.
        package let baseAddress: UnsafePointer<UInt8>
        package let stride: Int
    }

    package func withUnsafeBytes<R>(_ body: (Bytes) -> R) -> R {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a canvas has at least one pixel") }
            return body(Bytes(baseAddress: base, stride: stride))
        }
    }

    mutating func withBytes<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a canvas has at least one pixel") }
            return body(base)
        }
    }
}

/// One colour ready for mixing into pixels.
struct Paint {
    let red: Int32, green: Int32, blue: Int32, alpha: Int32

    init(_ color: Canvas.Color) {
        (red, green, blue) = (Int32(color.red), Int32(color.green), Int32(color.blue))
        alpha = Int32(color.alpha)
    }

    /// Mixes the colour into a pixel.
    ///
    /// `coverage` of 255 and full alpha give the colour itself.
    @inline(__always)
    func blend(into pixel: UnsafeMutablePointer<UInt8>, coverage: Int32) {
        let a = (alpha * coverage + 127) / 255
        if a >= 255 {
            (pixel[0], pixel[1], pixel[2]) = (
                UInt8(truncatingIfNeeded: red), UInt8(truncatingIfNeeded: green), UInt8(truncatingIfNeeded: blue)
            )
            return
        }
        let keep = 255 - a
        pixel[0] = UInt8(truncatingIfNeeded: (Int32(pixel[0]) * keep + red * a + 127) / 255)
        pixel[1] = UInt8(truncatingIfNeeded: (Int32(pixel[1]) * keep + green * a + 127) / 255)
        pixel[2] = UInt8(truncatingIfNeeded: (Int32(pixel[2]) * keep + blue * a + 127) / 255)
    }
}

/// The pixels between two coordinates, clipped to `0..<limit`.
///
/// Empty when a coordinate is not a number.
func pixelRange(from low: Float, to high: Float, limit: Int) -> Range<Int> {
    guard low < high, limit > 0 else { return 0..<0 }
    let bound = Float(limit)
    let first = Int(max(0, min(bound, low.rounded(.down))))
    let last = Int(max(0, min(bound, high.rounded(.up))))
    return first..<max(first, last)
}
