internal import CImaging

/// A picture and its halved copies, made when first needed: resampling reads a level that is at most twice as fine as its
/// result, so shrinking hardly aliases and costs as little as the result is small.
///
/// Belongs to one stage at a time; the picture itself is shared freely.
package final class Pyramid {
    package let picture: Picture
    /// How much finer than its result a level may be.
    ///
    /// The mesh's points do not move by it, and a face that is shown a little smaller than it is needs no halved copy of
    /// the whole picture.
    private static let finestStep: Float = 2
    private var levels: [[Plane]]
    private var storage: [ByteStorage] = []

    package init(_ picture: Picture) {
        self.picture = picture
        levels = [picture.planes]
    }

    package var size: Size { picture.size }

    private func level(_ index: Int) -> [Plane] {
        while levels.count <= index {
            guard let last = levels.last, last[0].size.width > 1 || last[0].size.height > 1 else { break }
            levels.append(last.map(halved))
        }
        return levels[min(index, levels.count - 1)]
    }

    private func halved(_ plane: Plane) -> Plane {
        let size = Size(width: (plane.size.width + 1) / 2, height: (plane.size.height + 1) / 2)
        let bytes = ByteStorage(count: size.width * size.height)
        storage.append(bytes)
        ci_halve(
            bytes.mutableBase,
            size.width,
            plane.base,
            plane.stride,
            Int32(plane.size.width),
            Int32(plane.size.height)
        )
        return Plane(base: bytes.base, stride: size.width, size: size)
    }

    /// How a network or a measure wants its pixels.
    package struct Format: Sendable {
        package enum Layout: Sendable {
            /// [height, width, 3]
            case interleaved
            /// [3, height, width]
            case planar
            /// [height, width], Rec. 601 luma
            case grey
        }

        package var size: Size
        package var layout: Layout
        /// value = byte · scale + bias, per channel.
        package var scale: [Float]
        package var bias: [Float]
        /// Outside of the picture: the nearest edge pixel, or black.
        package var replicatesEdge: Bool

        package init(
            size: Size,
            layout: Layout,
            scale: [Float] = [1, 1, 1],
            bias: [Float] = [0, 0, 0],
            replicatesEdge: Bool = true
        ) {
            precondition(scale.count == 3 && bias.count == 3, "scale and bias have one value per channel")
            self.size = size
            self.layout = layout
            self.scale = scale
            self.bias = bias
            self.replicatesEdge = replicatesEdge
        }

        /// Floats of the result.
        package var count: Int { size.width * size.height * (layout == .grey ? 1 : 3) }
    }

    /// Resamples the region that `map` (result pixels → displayed pixels) shows into `output`.
    ///
    /// - Parameter output: at least `format.count` floats.
    package func sample(_ map: AffineMap, as format: Format, into output: UnsafeMutablePointer<Float>) {
        sample(map, as: format, into: output, coarsestLevel: 12)
    }

    private func sample(
        _ map: AffineMap,
        as format: Format,
        into output: UnsafeMutablePointer<Float>,
        coarsestLevel: Int
    ) {
        let stored = map.then(picture.displayToStored)
        let scale = stored.scale
        var index = 0
        while index < coarsestLevel, scale >= Float(1 << index) * Self.finestStep { index += 1 }
        let planes = level(index)
        index = min(index, levels.count - 1)
        let shrink = 1 / Float(1 << index)
        var values = [
            stored.a * shrink, stored.b * shrink, stored.tx * shrink,
            stored.c * shrink, stored.d * shrink, stored.ty * shrink,
        ]

        var source = ci_picture()
        source.planes = Int32(planes.count)
        source.plane.0 = planes[0].base
        source.stride.0 = planes[0].stride
        source.width = Int32(planes[0].size.width)
        source.height = Int32(planes[0].size.height)
        if planes.count == 3 {
            source.plane.1 = planes[1].base
            source.plane.2 = planes[2].base
            source.stride.1 = planes[1].stride
            source.stride.2 = planes[2].stride
            source.chroma_width = Int32(planes[1].size.width)
            source.chroma_height = Int32(planes[1].size.height)
            source.chroma_scale_x = ratio(picture.planes[1].size.width, picture.planes[0].size.width)
            source.chroma_scale_y = ratio(picture.planes[1].size.height, picture.planes[0].size.height)
        }
        let m = picture.color.matrix
        source.matrix = (m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8])
        source.offset = (picture.color.offset[0], picture.color.offset[1], picture.color.offset[2])

        var target = ci_output()
        target.width = Int32(format.size.width)
        target.height = Int32(format.size.height)
        target.scale = (format.scale[0], format.scale[1], format.scale[2])
        target.bias = (format.bias[0], format.bias[1], format.bias[2])
        target.replicate_edge = format.replicatesEdge ? 1 : 0
        switch format.layout {
        case .interleaved:
            (target.row_stride, target.pixel_stride, target.channel_stride) = (format.size.width * 3, 3, 1)
        case .planar:
            (target.row_stride, target.pixel_stride) = (format.size.width, 1)
            target.channel_stride = format.size.width * format.size.height
        case .grey:
            (target.row_stride, target.pixel_stride, target.channel_stride) = (format.size.width, 1, 0)
            target.grey = 1
        }
        ci_warp(output, &target, &source, &values)
    }

    /// A rough look at a region: `side` x `side` colours, each the mean of 4 x 4 points of the full picture.
    ///
    /// For comparing pictures; it halves nothing, which costs more than the look itself.
    ///
    /// - Parameter map: from the pixels of the result to displayed pixels.
    /// - Returns: [side, side, 3] values of 0–255.
    package func glance(_ map: AffineMap, side: Int) -> [Float] {
        let points = 4 * side
        let finer = AffineMap(a: 0.25, b: 0, tx: 0, c: 0, d: 0.25, ty: 0).then(map)
        let format = Format(size: Size(width: points, height: points), layout: .interleaved)
        let samples = [Float](unsafeUninitializedCapacity: format.count) { buffer, count in
            if let base = buffer.baseAddress { sample(finer, as: format, into: base, coarsestLevel: 0) }
            count = format.count
        }
        var means = [Float](repeating: 0, count: side * side * 3)
        for y in 0..<points {
            for x in 0..<points {
                let from = (y * points + x) * 3, to = (y / 4 * side + x / 4) * 3
                for channel in 0..<3 { means[to + channel] += samples[from + channel] / 16 }
            }
        }
        return means
    }

    /// As `sample(_:as:into:)`, into a new array.
    package func sample(_ map: AffineMap, as format: Format) -> [Float] {
        [Float](unsafeUninitializedCapacity: format.count) { buffer, count in
            if let base = buffer.baseAddress { sample(map, as: format, into: base) }
            count = format.count
        }
    }

    /// Chroma planes are halved exactly or not at all; rounding of odd sizes must not shift them.
    private func ratio(_ chroma: Int, _ luma: Int) -> Float {
        chroma == luma ? 1 : (chroma * 2 == luma || chroma * 2 == luma + 1) ? 0.5 : 0.25
    }
}
