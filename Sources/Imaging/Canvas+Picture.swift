internal import CFFmpeg

extension Canvas {
    /// A canvas that shows the whole picture, upright.
    ///
    /// - Parameter size: how large; as displayed when nil.
    package init(_ picture: Picture, size: Size? = nil) {
        self.init(size: size ?? picture.size)
        draw(picture)
    }

    /// A canvas that shows the region that `map` (pixels of the canvas → displayed pixels) takes from a picture.
    ///
    /// What lies outside of the picture repeats its edge, or is black.
    package init(sampling pyramid: Pyramid, map: AffineMap, size: Size, replicatesEdge: Bool = false) {
        self.init(size: size)
        sample(pyramid, map, replicatesEdge: replicatesEdge)
    }

    /// Covers the canvas with the whole picture, stretched to the size of the canvas.
    ///
    /// Reusing a canvas for the frames of a video spares an allocation per frame. Pictures turned by quarters,
    /// mirrored or scaled go through swscale (1080p: about a millisecond upright); others are resampled pixel by pixel.
    package mutating func draw(_ picture: Picture) {
        let map = AffineMap(
            a: Float(picture.size.width) / Float(size.width),
            b: 0,
            tx: 0,
            c: 0,
            d: Float(picture.size.height) / Float(size.height),
            ty: 0
        ).then(picture.displayToStored)
        if let turn = QuarterTurn(map, canvas: size, stored: picture.planes[0].size),
            let layout = StoredLayout(picture), scale(picture, layout, turn)
        {
            return
        }
        // swscale cannot: let the pyramid undo what `map` does to the canvas.
        let upright = AffineMap(
            a: Float(picture.size.width) / Float(size.width),
            b: 0,
            tx: 0,
            c: 0,
            d: Float(picture.size.height) / Float(size.height),
            ty: 0
        )
        sample(Pyramid(picture), upright, replicatesEdge: true)
    }

    // MARK: - Parts

    private mutating func sample(_ pyramid: Pyramid, _ map: AffineMap, replicatesEdge: Bool) {
        // Bands, so that the floats stay in the cache.
        let band = min(size.height, max(1, 32_768 / size.width))
        var floats = [Float](repeating: 0, count: band * size.width * 3)
        let (size, stride) = (size, stride)
        var top = 0
        while top < size.height {
            let rows = min(band, size.height - top)
            let format = Pyramid.Format(
                size: Size(width: size.width, height: rows),
                layout: .interleaved,
                bias: [0.5, 0.5, 0.5],
                replicatesEdge: replicatesEdge
            )
            let down = AffineMap(a: 1, b: 0, tx: 0, c: 0, d: 1, ty: Float(top)).then(map)
            floats.withUnsafeMutableBufferPointer { floats in
                guard let source = floats.baseAddress else { return }
                pyramid.sample(down, as: format, into: source)
                withBytes { base in
                    for y in 0..<rows {
                        let target = base + (top + y) * stride, row = source + y * size.width * 3
                        for i in 0..<size.width * 3 { target[i] = UInt8(max(0, min(255, row[i]))) }
                    }
                }
            }
            top += rows
        }
    }

    private mutating func scale(_ picture: Picture, _ layout: StoredLayout, _ turn: QuarterTurn) -> Bool {
        if turn.isIdentity {
            let (size, stride) = (size, stride)
            return withBytes { layout.convert(picture, to: $0, stride: stride, size: size) }
        }
        // swscale brings the picture to its size as it is stored, then whole pixels change places.
        let stored = turn.swapsAxes ? Size(width: size.height, height: size.width) : size
        var upright = Canvas(size: stored)
        let sourceStride = upright.stride
        guard upright.withBytes({ layout.convert(picture, to: $0, stride: sourceStride, size: stored) }) else {
            return false
        }
        let (size, stride) = (size, stride)
        withBytes { target in
            upright.withUnsafeBytes { source in
                turn.copy(from: source.baseAddress, sourceStride, stored, to: target, stride, size)
            }
        }
        return true
    }
}

/// A turn by a multiple of 90 degrees, mirrored or not, that takes the canvas onto the stored picture.
struct QuarterTurn: Hashable {
    /// A step to the right on the canvas goes along a column of the stored picture.
    let swapsAxes: Bool
    /// A step to the right, or down if the axes are swapped, goes to the left in the stored picture.
    let reversesX: Bool
    let reversesY: Bool

    var isIdentity: Bool { !swapsAxes && !reversesX && !reversesY }

    /// nil when `map` is anything else, or shows only a part of the picture.
    init?(_ map: AffineMap, canvas: Size, stored: Size) {
        let w = Float(canvas.width), h = Float(canvas.height)
        let corners = [map.apply(Point(x: 0, y: 0)), map.apply(Point(x: w, y: h))]
        let sw = Float(stored.width), sh = Float(stored.height)
        // Where the two corners go decides; half a stored pixel is what a rounded size can cost.
        func ends(_ from: Float, _ to: Float, _ length: Float) -> Bool? {
            if abs(from) <= 0.5, abs(to - length) <= 0.5 { return false }
            if abs(to) <= 0.5, abs(from - length) <= 0.5 { return true }
            return nil
        }
        guard let x = ends(corners[0].x, corners[1].x, sw), let y = ends(corners[0].y, corners[1].y, sh) else {
            return nil
        }
        let straight = abs(map.b) * h <= 0.5 && abs(map.c) * w <= 0.5
        let swapped = abs(map.a) * w <= 0.5 && abs(map.d) * h <= 0.5
        guard straight != swapped else { return nil }
        swapsAxes = swapped
        reversesX = x
        reversesY = y
    }

    func copy(
        from source: UnsafePointer<UInt8>,
        _ sourceStride: Int,
        _ stored: Size,
        to target: UnsafeMutablePointer<UInt8>,
        _ stride: Int,
        _ size: Size
    ) {
        let stepX = reversesX ? -3 : 3, stepY = reversesY ? -sourceStride : sourceStride
        let start =
            source + (reversesX ? (stored.width - 1) * 3 : 0) + (reversesY ? (stored.height - 1) * sourceStride : 0)
        let (right, down) = swapsAxes ? (stepY, stepX) : (stepX, stepY)
        // Tiles keep the columns that are read in the cache.
        let tile = 32
        for top in Swift.stride(from: 0, to: size.height, by: tile) {
            for left in Swift.stride(from: 0, to: size.width, by: tile) {
                for y in top..<min(top + tile, size.height) {
                    var from = start + y * down + left * right
                    var to = target + y * stride + left * 3
                    for _ in left..<min(left + tile, size.width) {
                        (to[0], to[1], to[2]) = (from[0], from[1], from[2])
                        from += right
                        to += 3
                    }
                }
            }
        }
    }
}

/// How swscale calls the planes of a picture.
private struct StoredLayout {
    let format: AVPixelFormat
    /// Positions of the planes in swscale's order.
    let order: [Int]
    /// Red from Cr, blue from Cb, green from Cb and Cr, in 1/65536; nil for red, green and blue.
    let coefficients: [Int32]?
    let isFullRange: Bool

    /// nil for layouts and colours that swscale does not know.
    init?(_ picture: Picture) {
        let color = picture.color, planes = picture.planes
        if color == .identity {
            // Grey is three equal planes.
            guard planes.allSatisfy({ $0.size == planes[0].size }) else { return nil }
            format = AV_PIX_FMT_GBRP
            order = planes.count == 3 ? [1, 2, 0] : [0, 0, 0]
            coefficients = nil
            isFullRange = true
            return
        }
        let m = color.matrix
        guard planes.count == 3, planes[1].size == planes[2].size, color.offset[1] == 128, color.offset[2] == 128,
            m[1] == 0, m[8] == 0, m[0] == m[3], m[0] == m[6],
            color.offset[0] == 0 && m[0] == 1 || color.offset[0] == 16 && abs(m[0] * 219 / 255 - 1) < 1e-3
        else { return nil }
        let formats: [[Int]: AVPixelFormat] = [
            [1, 1]: AV_PIX_FMT_YUV444P, [2, 1]: AV_PIX_FMT_YUV422P, [2, 2]: AV_PIX_FMT_YUV420P,
            [1, 2]: AV_PIX_FMT_YUV440P, [4, 1]: AV_PIX_FMT_YUV411P, [4, 4]: AV_PIX_FMT_YUV410P,
        ]
        func factor(_ luma: Int, _ chroma: Int) -> Int {
            [1, 2, 4].first { (luma + $0 - 1) / $0 == chroma } ?? 0
        }
        let luma = planes[0].size, chroma = planes[1].size
        guard let format = formats[[factor(luma.width, chroma.width), factor(luma.height, chroma.height)]] else {
            return nil
        }
        self.format = format
        order = [0, 1, 2]
        isFullRange = color.offset[0] == 0
        // swscale's tables are those of the limited range, whichever the picture has.
        let unit: Float = isFullRange ? 65536 * 255 / 224 : 65536
        coefficients = [m[2], m[7], -m[4], -m[5]].map { Int32(($0 * unit).rounded()) }
    }

    /// Brings the stored picture to `size` in red, green and blue; false when swscale refuses.
    func convert(_ picture: Picture, to target: UnsafeMutablePointer<UInt8>, stride: Int, size: Size) -> Bool {
        let stored = picture.planes[0].size
        let filter = size == stored ? SWS_BILINEAR : size.width < stored.width ? SWS_AREA : SWS_BICUBIC
        guard
            let context = sws_getContext(
                Int32(stored.width),
                Int32(stored.height),
                format,
                Int32(size.width),
                Int32(size.height),
                AV_PIX_FMT_RGB24,
                filter,
                nil,
                nil,
                nil
            )
        else { return false }
        defer { sws_freeContext(context) }
        if let coefficients {
            guard
                sws_setColorspaceDetails(
                    context,
                    coefficients,
                    isFullRange ? 1 : 0,
                    coefficients,
                    1,
                    0,
                    1 << 16,
                    1 << 16
                ) >= 0
            else { return false }
        }
        let sources: [UnsafePointer<UInt8>?] = order.map { picture.planes[$0].base } + [nil]
        let strides = order.map { Int32(picture.planes[$0].stride) } + [0]
        let targets: [UnsafeMutablePointer<UInt8>?] = [target, nil, nil, nil]
        let targetStrides: [Int32] = [Int32(stride), 0, 0, 0]
        return sws_scale(context, sources, strides, 0, Int32(stored.height), targets, targetStrides)
            == Int32(size.height)
    }
}
