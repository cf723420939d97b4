/// A point in pixels of a picture; the origin is the top-left corner, y grows downwards.
package struct Point: Sendable, Hashable {
    package var x: Float
    package var y: Float

    package init(x: Float, y: Float) {
        self.x = x
        self.y = y
    }

    /// Euclidean distance in pixels.
    package func distance(to other: Point) -> Float {
        ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot()
    }
}

/// The size of a picture in whole pixels.
package struct Size: Sendable, Hashable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// An upright rectangle in pixels; it may reach outside its picture.
package struct Rect: Sendable, Hashable {
    package var left: Float
    package var top: Float
    package var width: Float
    package var height: Float

    package init(left: Float, top: Float, width: Float, height: Float) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    package init(center: Point, width: Float, height: Float) {
        self.init(left: center.x - width / 2, top: center.y - height / 2, width: width, height: height)
    }

    package var right: Float { left + width }
    package var bottom: Float { top + height }
    package var area: Float { max(0, width) * max(0, height) }
    package var center: Point { Point(x: left + width / 2, y: top + height / 2) }

    /// The area shared with `other`, in square pixels.
    package func intersectionArea(_ other: Rect) -> Float {
        let w = min(right, other.right) - max(left, other.left)
        let h = min(bottom, other.bottom) - max(top, other.top)
        return w > 0 && h > 0 ? w * h : 0
    }

    /// Intersection over union, 0–1.
    package func iou(_ other: Rect) -> Float {
        let shared = intersectionArea(other)
        let union = area + other.area - shared
        return union > 0 ? shared / union : 0
    }

    /// The part that lies inside a picture of `size`.
    package func clipped(to size: Size) -> Rect {
        let l = max(0, left), t = max(0, top)
        let r = min(Float(size.width), right), b = min(Float(size.height), bottom)
        return Rect(left: l, top: t, width: max(0, r - l), height: max(0, b - t))
    }

    /// The same centre with both sides multiplied by `factor`.
    package func scaled(by factor: Float) -> Rect {
        Rect(center: center, width: width * factor, height: height * factor)
    }
}

/// A square region that may be turned: what a crop of a face is taken from.
package struct RotatedSquare: Sendable, Hashable {
    package var center: Point
    /// Length of a side, pixels.
    package var side: Float
    /// Clockwise as the viewer sees it, radians; 0 is upright.
    package var angle: Float

    package init(center: Point, side: Float, angle: Float = 0) {
        self.center = center
        self.side = side
        self.angle = angle
    }
}

/// x' = a x + b y + tx, y' = c x + d y + ty.
package struct AffineMap: Sendable, Hashable {
    package var a: Float, b: Float, tx: Float
    package var c: Float, d: Float, ty: Float

    package init(a: Float, b: Float, tx: Float, c: Float, d: Float, ty: Float) {
        self.a = a
        self.b = b
        self.tx = tx
        self.c = c
        self.d = d
        self.ty = ty
    }

    package static let identity = AffineMap(a: 1, b: 0, tx: 0, c: 0, d: 1, ty: 0)

    package func apply(_ p: Point) -> Point {
        Point(x: a * p.x + b * p.y + tx, y: c * p.x + d * p.y + ty)
    }

    /// The map that applies `self` first and `next` to its result.
    package func then(_ next: AffineMap) -> AffineMap {
        AffineMap(
            a: next.a * a + next.b * c,
            b: next.a * b + next.b * d,
            tx: next.a * tx + next.b * ty + next.tx,
            c: next.c * a + next.d * c,
            d: next.c * b + next.d * d,
            ty: next.c * tx + next.d * ty + next.ty
        )
    }

    /// How many source pixels a step of one output pixel covers (geometric mean of both axes).
    package var scale: Float { abs(a * d - b * c).squareRoot() }

    /// From the pixels of a `size` x `size` crop to the pixels of the picture that `square` lies in.
    package static func crop(_ square: RotatedSquare, size: Int, mirrored: Bool = false) -> AffineMap {
        let s = square.side / Float(size)
        let cosine = Geometry.cos(square.angle), sine = Geometry.sin(square.angle)
        let half = Float(size) / 2
        let sx = mirrored ? -s : s
        let a = sx * cosine, b = -s * sine
        let c = sx * sine, d = s * cosine
        return AffineMap(
            a: a,
            b: b,
            tx: square.center.x - a * half - b * half,
            c: c,
            d: d,
            ty: square.center.y - c * half - d * half
        )
    }
}

extension AffineMap {
    /// The turn, scale and shift that take `from` onto `to` with the least squared error.
    package static func similarity(from: [Point], to: [Point]) -> AffineMap {
        precondition(from.count == to.count && from.count >= 2, "\(from.count) and \(to.count) points")
        let n = Float(from.count)
        let cf = Point(x: from.reduce(0) { $0 + $1.x } / n, y: from.reduce(0) { $0 + $1.y } / n)
        let ct = Point(x: to.reduce(0) { $0 + $1.x } / n, y: to.reduce(0) { $0 + $1.y } / n)
        var dot: Float = 0, cross: Float = 0, square: Float = 0
        for (f, t) in zip(from, to) {
            let fx = f.x - cf.x, fy = f.y - cf.y, tx = t.x - ct.x, ty = t.y - ct.y
            dot += fx * tx + fy * ty
            cross += fx * ty - fy * tx
            square += fx * fx + fy * fy
        }
        let a = square > 0 ? dot / square : 1, b = square > 0 ? cross / square : 0
        return AffineMap(a: a, b: -b, tx: ct.x - a * cf.x + b * cf.y, c: b, d: a, ty: ct.y - b * cf.x - a * cf.y)
    }
}
