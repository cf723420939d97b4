/// Which pixels a stroke covers, and how far: strokes that cross are gathered here before they are mixed into the
/// picture, so translucent lines have no darker knots where their segments meet.
struct StrokeMask: Sendable {
    private var coverage: [UInt8] = []
    /// Columns touched, per row of the canvas; empty when `first > last`.
    private var first: [Int32] = []
    private var last: [Int32] = []
    private var rows = 0..<0
    private var size = Size(width: 0, height: 0)

    /// Makes room for a canvas of `size`.
    ///
    /// What is in the mask is zero before and after every use.
    mutating func prepare(for size: Size) {
        guard size != self.size else { return }
        self.size = size
        coverage = [UInt8](repeating: 0, count: size.width * size.height)
        first = [Int32](repeating: Int32.max, count: size.height)
        last = [Int32](repeating: -1, count: size.height)
        rows = size.height..<size.height
    }

    /// Adds the capsule around the segment from `a` to `b`, both finite and near the canvas.
    mutating func add(from a: Point, to b: Point, thickness: Float) {
        let radius = max(1, thickness) / 2
        let reach = radius + 0.5
        let strength = 255 * min(1, thickness)
        let touched = pixelRange(from: min(a.y, b.y) - reach, to: max(a.y, b.y) + reach, limit: size.height)
        guard !touched.isEmpty, max(a.x, b.x) + reach > 0, min(a.x, b.x) - reach < Float(size.width) else { return }
        let dx = b.x - a.x, dy = b.y - a.y
        let squared = dx * dx + dy * dy
        let length = squared.squareRoot()
        let inverse = squared > 1e-12 ? 1 / squared : 0
        let width = size.width, limit = size.width
        rows = min(rows.lowerBound, touched.lowerBound)..<max(rows.upperBound, touched.upperBound)
        coverage.withUnsafeMutableBufferPointer { coverage in
            for y in touched {
                let py = Float(y) + 0.5 - a.y
                var low = min(a.x, b.x) - reach, high = max(a.x, b.x) + reach
                // |(x − a.x) dy − py dx| ≤ reach · length bounds the row to the band around the line.
                if abs(dy) > 1e-3 * length, length > 0 {
                    let center = a.x + py * dx / dy, half = reach * length / abs(dy)
                    low = max(low, center - half)
                    high = min(high, center + half)
                }
                let span = pixelRange(from: low, to: high, limit: limit)
                if span.isEmpty { continue }
                let row = y * width
                for x in span {
                    let px = Float(x) + 0.5 - a.x
                    let t = max(0, min(1, (px * dx + py * dy) * inverse))
                    let ex = px - t * dx, ey = py - t * dy
                    let cover = min(1, reach - (ex * ex + ey * ey).squareRoot())
                    if cover > 0 {
                        let value = UInt8(cover * strength + 0.5)
                        if value > coverage[row + x] { coverage[row + x] = value }
                    }
                }
                first[y] = min(first[y], Int32(span.lowerBound))
                last[y] = max(last[y], Int32(span.upperBound - 1))
            }
        }
    }

    /// Mixes `paint` into the canvas at `base` and clears the mask.
    mutating func drain(into base: UnsafeMutablePointer<UInt8>, stride: Int, paint: Paint) {
        let width = size.width
        coverage.withUnsafeMutableBufferPointer { coverage in
            guard let mask = coverage.baseAddress else { return }
            for y in rows where last[y] >= first[y] {
                let row = mask + y * width, pixels = base + y * stride
                var x = Int(first[y])
                let end = Int(last[y]) + 1
                while x < end {
                    // Most of a row lies between the strokes: eight pixels at a glance.
                    if x + 8 <= end, UnsafeRawPointer(row + x).loadUnaligned(as: UInt64.self) == 0 {
                        x += 8
                        continue
                    }
                    let stop = min(x + 8, end)
                    while x < stop {
                        if row[x] != 0 {
                            paint.blend(into: pixels + 3 * x, coverage: Int32(row[x]))
                            row[x] = 0
                        }
                        x += 1
                    }
                }
                first[y] = Int32.max
                last[y] = -1
            }
        }
        rows = size.height..<size.height
    }
}

extension Canvas {
    /// A straight line with round ends, antialiased.
    ///
    /// Pixel (0, 0) has its centre at (0.5, 0.5).
    package mutating func line(from a: Point, to b: Point, thickness: Float, color: Color) {
        strokes([[a, b]], thickness: thickness, color: color)
    }

    /// A line through all `points`, with round joints; `closed` returns to the first one.
    package mutating func polyline(_ points: [Point], closed: Bool = false, thickness: Float, color: Color) {
        if closed, let first = points.first {
            strokes([points + [first]], thickness: thickness, color: color)
        } else {
            strokes([points], thickness: thickness, color: color)
        }
    }

    /// Several polylines as one shape: where they cross or meet, a translucent colour covers only once.
    ///
    /// Thicknesses below a pixel are drawn one pixel wide and fainter. A single point becomes a dot.
    package mutating func strokes(_ lines: [[Point]], thickness: Float, color: Color) {
        guard thickness > 0, color.alpha > 0 else { return }
        let thickness = min(thickness, Float(max(size.width, size.height)))
        // Taken out for the time of drawing, so that both it and the pixels can be written.
        var mask = StrokeMask()
        swap(&mask, &self.mask)
        mask.prepare(for: size)
        for line in lines {
            if line.count == 1, let point = line.first { add(from: point, to: point, thickness, to: &mask) }
            for (a, b) in zip(line, line.dropFirst()) { add(from: a, to: b, thickness, to: &mask) }
        }
        let stride = stride, paint = Paint(color)
        withBytes { mask.drain(into: $0, stride: stride, paint: paint) }
        swap(&mask, &self.mask)
    }

    /// The outline of `rect`, `thickness` wide and centred on its edges.
    package mutating func outline(_ rect: Rect, cornerRadius: Float = 0, thickness: Float, color: Color) {
        polyline(Canvas.path(of: rect, cornerRadius: cornerRadius), closed: true, thickness: thickness, color: color)
    }

    /// The corners of `rect` alone: eight arms of `arm` pixels, rounded by `cornerRadius`.
    package mutating func corners(_ rect: Rect, arm: Float, cornerRadius: Float = 0, thickness: Float, color: Color) {
        guard rect.width > 0, rect.height > 0 else { return }
        let arm = max(0, min(arm, min(rect.width, rect.height) / 2))
        let path = Canvas.path(of: rect, cornerRadius: min(cornerRadius, arm))
        let quarter = path.count / 4
        let arms: [(Float, Float)] = [(1, 0), (0, 1), (-1, 0), (0, -1)]
        var lines: [[Point]] = []
        for corner in 0..<4 {
            // The path runs clockwise from the top-left corner: into each corner along one edge, out along the next.
            let arc = path[corner * quarter..<(corner + 1) * quarter]
            let ends = [
                Point(x: rect.left, y: rect.top), Point(x: rect.right, y: rect.top),
                Point(x: rect.right, y: rect.bottom), Point(x: rect.left, y: rect.bottom),
            ]
            let tip = ends[corner], into = arms[(corner + 3) % 4], out = arms[corner]
            lines.append(
                [Point(x: tip.x - into.0 * arm, y: tip.y - into.1 * arm)] + arc
                    + [Point(x: tip.x + out.0 * arm, y: tip.y + out.1 * arm)]
            )
        }
        strokes(lines, thickness: thickness, color: color)
    }

    // MARK: - Parts

    /// Clockwise from the top-left corner; each corner contributes the same number of points.
    private static func path(of rect: Rect, cornerRadius: Float) -> [Point] {
        let radius = max(0, min(cornerRadius, min(rect.width, rect.height) / 2))
        let steps = radius < 0.5 ? 0 : radius < 8 ? 4 : 10
        let centers: [(Float, Float)] = [
            (rect.left + radius, rect.top + radius), (rect.right - radius, rect.top + radius),
            (rect.right - radius, rect.bottom - radius), (rect.left + radius, rect.bottom - radius),
        ]
        var path: [Point] = []
        for (corner, center) in centers.enumerated() {
            for step in 0...steps {
                let turn = steps == 0 ? 0.5 : Float(step) / Float(steps)
                let angle = Geometry.radians(180 + 90 * (Float(corner) + turn))
                let reach = steps == 0 ? radius * 1.414_213_6 : radius
                path.append(
                    Point(x: center.0 + reach * Geometry.cos(angle), y: center.1 + reach * Geometry.sin(angle))
                )
            }
        }
        return path
    }

    private func add(from a: Point, to b: Point, _ thickness: Float, to mask: inout StrokeMask) {
        guard let (a, b) = clipped(a, b, margin: Double(thickness) + 2) else { return }
        mask.add(from: a, to: b, thickness: thickness)
    }

    /// The part of a segment near the canvas (Liang and Barsky, 1984), nil when there is none.
    ///
    /// In double precision, so that coordinates of any finite size keep the line's direction.
    private func clipped(_ a: Point, _ b: Point, margin: Double) -> (Point, Point)? {
        guard a.x.isFinite, a.y.isFinite, b.x.isFinite, b.y.isFinite else { return nil }
        let x = Double(a.x), y = Double(a.y)
        let dx = Double(b.x) - x, dy = Double(b.y) - y
        var enter = 0.0, leave = 1.0
        let right = Double(size.width) + margin, bottom = Double(size.height) + margin
        for (p, q) in [(-dx, x + margin), (dx, right - x), (-dy, y + margin), (dy, bottom - y)] {
            if p == 0 {
                if q < 0 { return nil }
            } else if p < 0 {
                enter = max(enter, q / p)
            } else {
                leave = min(leave, q / p)
            }
        }
        guard enter <= leave else { return nil }
        return (
            enter == 0 ? a : Point(x: Float(x + enter * dx), y: Float(y + enter * dy)),
            leave == 1 ? b : Point(x: Float(x + leave * dx), y: Float(y + leave * dy))
        )
    }
}
