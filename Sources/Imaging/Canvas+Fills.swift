extension Canvas {
    /// Fills `rect`, antialiased, with corners rounded by `cornerRadius`.
    package mutating func fill(_ rect: Rect, cornerRadius: Float = 0, color: Color) {
        guard rect.left.isFinite, rect.top.isFinite, rect.width > 0, rect.height > 0, color.alpha > 0 else { return }
        let right = rect.right, bottom = rect.bottom
        guard right.isFinite, bottom.isFinite else { return }
        let radius = cornerRadius >= 0.5 ? min(cornerRadius, min(rect.width, rect.height) / 2) : 0
        let rows = pixelRange(from: rect.top, to: bottom, limit: size.height)
        let columns = pixelRange(from: rect.left, to: right, limit: size.width)
        let stride = stride, paint = Paint(color)
        withBytes { base in
            for y in rows {
                let vertical = Canvas.overlap(y, rect.top, bottom)
                let py = Float(y) + 0.5
                let intoCorner = max(rect.top + radius - py, py - bottom + radius)
                let pixels = base + y * stride
                for x in columns {
                    var cover = vertical
                    let px = Float(x) + 0.5
                    let beside = max(rect.left + radius - px, px - right + radius)
                    if radius > 0, beside > 0, intoCorner > 0 {
                        let distance = (beside * beside + intoCorner * intoCorner).squareRoot()
                        cover = max(0, min(1, radius + 0.5 - distance))
                    } else if beside > radius - 1 {
                        cover *= Canvas.overlap(x, rect.left, right)
                    }
                    if cover > 0 { paint.blend(into: pixels + 3 * x, coverage: Int32(cover * 255 + 0.5)) }
                }
            }
        }
    }

    /// A filled circle, antialiased.
    package mutating func dot(_ center: Point, radius: Float, color: Color) {
        guard center.x.isFinite, center.y.isFinite, radius > 0, radius.isFinite, color.alpha > 0 else { return }
        let reach = radius + 0.5
        let rows = pixelRange(from: center.y - reach, to: center.y + reach, limit: size.height)
        let columns = pixelRange(from: center.x - reach, to: center.x + reach, limit: size.width)
        let stride = stride, paint = Paint(color)
        withBytes { base in
            for y in rows {
                let dy = Float(y) + 0.5 - center.y
                let pixels = base + y * stride
                for x in columns {
                    let dx = Float(x) + 0.5 - center.x
                    let cover = min(1, reach - (dx * dx + dy * dy).squareRoot())
                    if cover > 0 { paint.blend(into: pixels + 3 * x, coverage: Int32(cover * 255 + 0.5)) }
                }
            }
        }
    }

    /// How much of the pixel that starts at `index` lies between `low` and `high`, 0–1.
    @inline(__always)
    private static func overlap(_ index: Int, _ low: Float, _ high: Float) -> Float {
        max(0, min(high, Float(index) + 1) - max(low, Float(index)))
    }
}
