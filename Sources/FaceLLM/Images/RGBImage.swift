package import Imaging

/// An 8-bit image: red, green, blue, interleaved, top row first, without gaps between rows.
///
/// This is what the model's preprocessing starts from, however the pixels came about; decoding, colour spaces, palettes
/// and alpha are behind us. Alpha is dropped, never composited, as the reference does with `convert("RGB")`.
package struct RGBImage: Sendable, Hashable {
    package let width: Int
    package let height: Int
    /// Red, green, blue of each pixel: [height, width, 3].
    package let bytes: [UInt8]

    /// The longest side: JPEG's limit, so no photograph is refused.
    package static let largestSide = 65_535
    /// The largest area in pixels: 400 MB of bytes.
    package static let largestArea = 1 << 27

    package var size: Size { Size(width: width, height: height) }

    /// An image of the given bytes.
    ///
    /// - Parameter bytes: [height, width, 3].
    package init(width: Int, height: Int, bytes: [UInt8]) throws(ImageError) {
        let expected = try Self.byteCount(width: width, height: height)
        guard bytes.count == expected else { throw .byteCount(expected: expected, found: bytes.count) }
        self.init(uncheckedWidth: width, height: height, bytes: bytes)
    }

    /// An image of one colour.
    package init(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) throws(ImageError) {
        let count = try Self.byteCount(width: width, height: height)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var index = 0
            while index < count {
                buffer[index] = red
                buffer[index + 1] = green
                buffer[index + 2] = blue
                index += 3
            }
            filled = count
        }
        self.init(uncheckedWidth: width, height: height, bytes: bytes)
    }

    /// For sizes that were checked and bytes made to fit them.
    init(uncheckedWidth width: Int, height: Int, bytes: [UInt8]) {
        precondition(bytes.count == width * height * 3, "\(bytes.count) bytes for \(width) x \(height) pixels")
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// The bytes that an image of this size has.
    ///
    /// - Throws: `emptySize` or `tooLarge`; the product never overflows.
    package static func byteCount(width: Int, height: Int) throws(ImageError) -> Int {
        guard width > 0, height > 0 else { throw .emptySize(width: width, height: height) }
        guard width <= largestSide, height <= largestSide, width * height <= largestArea else {
            throw .tooLarge(width: width, height: height)
        }
        return width * height * 3
    }

    // MARK: - Pixels

    /// Red, green and blue of a pixel.
    package subscript(x x: Int, y y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        precondition(
            x >= 0 && x < width && y >= 0 && y < height,
            "pixel \(x), \(y) of an image of \(width) x \(height) pixels"
        )
        let index = 3 * (y * width + x)
        return (bytes[index], bytes[index + 1], bytes[index + 2])
    }

    /// A copy of a region that lies inside the image.
    package func cropped(left: Int, top: Int, width: Int, height: Int) throws(ImageError) -> RGBImage {
        let count = try Self.byteCount(width: width, height: height)
        guard
            left >= 0, top >= 0, left <= self.width, top <= self.height,
            width <= self.width - left, height <= self.height - top
        else { throw .regionOutsideImage(left: left, top: top, width: width, height: height) }
        var region: [UInt8] = []
        region.reserveCapacity(count)
        for y in top..<top + height {
            let start = 3 * (y * self.width + left)
            region.append(contentsOf: bytes[start..<start + 3 * width])
        }
        return RGBImage(uncheckedWidth: width, height: height, bytes: region)
    }

    /// The image stretched to another size, as Pillow's bicubic filter does it; proportions are not kept.
    ///
    /// For many images of one size, keep a `BicubicResampler`.
    package func resized(to size: Size) throws(ImageError) -> RGBImage {
        try BicubicResampler(from: self.size, to: size).resize(self)
    }
}
