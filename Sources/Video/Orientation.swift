internal import CFFmpeg
package import Imaging

/// How a stored picture is turned for display: one of the eight ways a rectangle fits on itself.
package struct Orientation: Sendable, Hashable {
    // The stored x axis points to (a, b) of the displayed picture and the stored y axis to (c, d).
    package var a = 1, b = 0, c = 0, d = 1

    package static let upright = Orientation()

    /// Clockwise turn for display, after mirroring left to right if `isMirrored`: 0, 90, 180 or 270.
    package var rotationDegrees: Int {
        switch (c, d) {
        case (0, 1): 0
        case (-1, 0): 90
        case (0, -1): 180
        default: 270
        }
    }

    package var isMirrored: Bool { a * d - b * c < 0 }

    var swapsSides: Bool { a == 0 }

    /// From the nine 16.16 fixed-point numbers of a display matrix; nil when they are no multiple of 90 degrees.
    package init?(matrix: [Int32]) {
        guard matrix.count == 9 else { return nil }
        let m = [matrix[0], matrix[1], matrix[3], matrix[4]].map { Double($0) / 65536 }
        // Real files round a little; one tenth is six degrees.
        let straight = abs(m[1]) <= 0.1 * abs(m[0]) && abs(m[2]) <= 0.1 * abs(m[3]) && m[0] != 0 && m[3] != 0
        let crossed = abs(m[0]) <= 0.1 * abs(m[1]) && abs(m[3]) <= 0.1 * abs(m[2]) && m[1] != 0 && m[2] != 0
        let sign: (Double) -> Int = { $0 < 0 ? -1 : 1 }
        if straight {
            (a, b, c, d) = (sign(m[0]), 0, 0, sign(m[3]))
        } else if crossed {
            (a, b, c, d) = (0, sign(m[1]), sign(m[2]), 0)
        } else {
            return nil
        }
    }

    private init() {}

    /// The frame's own, which counts more than its container's; nil if it has none.
    init?(_ frame: UnsafeMutablePointer<AVFrame>) {
        guard let data = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX)?.pointee, let bytes = data.data
        else { return nil }
        self.init(sideData: bytes, size: data.size)
    }

    /// Reads side data of `size` bytes; what is too short or makes no sense is ignored with a line in the log.
    package init(sideData: UnsafePointer<UInt8>, size: Int) {
        self = .upright
        guard size >= 36 else {
            FFmpegLog.append("display matrix of \(size) bytes, 36 expected: shown as stored")
            return
        }
        var matrix = [Int32](repeating: 0, count: 9)
        matrix.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: sideData, count: 36)) }
        guard let orientation = Orientation(matrix: matrix) else {
            FFmpegLog.append("display matrix \(matrix) is no multiple of 90 degrees: shown as stored")
            return
        }
        self = orientation
    }
}

/// Everything that is needed to look at a stored picture as its maker meant it.
package struct PictureGeometry: Sendable, Hashable {
    package var stored: Size
    package var orientation: Orientation
    /// Width of a stored pixel over its height.
    package var pixelAspect: Rational

    package init(stored: Size, orientation: Orientation, pixelAspect: Rational) {
        self.stored = stored
        self.orientation = orientation
        let ratio = pixelAspect.value ?? 1
        // Real ones lie between 1/3 and 3; a damaged header must not ask for a picture of a million columns.
        self.pixelAspect = ratio > 0.1 && ratio < 10 ? pixelAspect : Rational(numerator: 1, denominator: 1)
    }

    /// The stored picture with square pixels.
    ///
    /// Sides only grow, so that no detail is lost to rounding.
    private var squared: Size {
        let ratio = pixelAspect.value ?? 1
        return ratio >= 1
            ? Size(width: Int((Double(stored.width) * ratio).rounded()), height: stored.height)
            : Size(width: stored.width, height: Int((Double(stored.height) / ratio).rounded()))
    }

    package var displayed: Size {
        let size = squared
        return orientation.swapsSides ? Size(width: size.height, height: size.width) : size
    }

    /// Displayed pixel coordinates to stored ones.
    package var displayToStored: AffineMap {
        let size = squared, o = orientation
        // Display = linear part of the orientation + shift into the first quadrant; its inverse is its transpose.
        let shiftX = Float((o.a < 0 ? size.width : 0) + (o.c < 0 ? size.height : 0))
        let shiftY = Float((o.b < 0 ? size.width : 0) + (o.d < 0 ? size.height : 0))
        let a = Float(o.a), b = Float(o.b), c = Float(o.c), d = Float(o.d)
        let scaleX = Float(stored.width) / Float(max(1, size.width))
        let scaleY = Float(stored.height) / Float(max(1, size.height))
        return AffineMap(
            a: a * scaleX,
            b: b * scaleX,
            tx: -(a * shiftX + b * shiftY) * scaleX,
            c: c * scaleY,
            d: d * scaleY,
            ty: -(c * shiftX + d * shiftY) * scaleY
        )
    }
}
