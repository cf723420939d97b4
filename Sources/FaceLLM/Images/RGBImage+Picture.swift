package import Imaging

extension RGBImage {
    /// The whole of a picture as it is displayed.
    package init(_ picture: Pyramid) throws(ImageError) {
        try self.init(
            picture,
            left: 0,
            top: 0,
            width: picture.size.width,
            height: picture.size.height
        )
    }

    /// A region of a picture, pixel for pixel; what lies outside of the picture repeats its nearest edge pixel.
    ///
    /// Positions are displayed pixels. Where a stored pixel is a displayed one, bytes of red, green and blue planes
    /// arrive unchanged; otherwise (turned by odd angles, pixels that are not square) they are interpolated bilinearly.
    package init(_ picture: Pyramid, left: Int, top: Int, width: Int, height: Int) throws(ImageError) {
        let count = try Self.byteCount(width: width, height: height)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            guard let target = buffer.baseAddress else { return }
            Self.copy(picture, left: left, top: top, width: width, height: height, to: target)
            filled = count
        }
        self.init(uncheckedWidth: width, height: height, bytes: bytes)
    }

    /// The square that the model sees of a face.
    ///
    /// - Throws: `cropOutsidePicture` where it would be nothing but padding.
    package init(_ picture: Pyramid, crop: FaceCrop) throws(ImageError) {
        guard crop.overlaps(picture.size) else { throw .cropOutsidePicture(crop) }
        try self.init(picture, left: crop.left, top: crop.top, width: crop.side, height: crop.side)
    }

    /// Bands of rows, so that the floats between the sampler and the bytes stay in the cache.
    private static func copy(
        _ picture: Pyramid,
        left: Int,
        top: Int,
        width: Int,
        height: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) {
        let band = min(height, max(1, 32_768 / width))
        withUnsafeTemporaryAllocation(of: Float.self, capacity: band * width * 3) { floats in
            guard let samples = floats.baseAddress else { return }
            var done = 0
            while done < height {
                let rows = min(band, height - done)
                // The bias makes the conversion to bytes round.
                let format = Pyramid.Format(
                    size: Size(width: width, height: rows),
                    layout: .interleaved,
                    bias: [0.5, 0.5, 0.5],
                    replicatesEdge: true
                )
                let place = AffineMap(a: 1, b: 0, tx: Float(left), c: 0, d: 1, ty: Float(top + done))
                picture.sample(place, as: format, into: samples)
                let row = target + 3 * done * width
                for index in 0..<3 * rows * width { row[index] = UInt8(max(0, min(255, samples[index]))) }
                done += rows
            }
        }
    }
}
