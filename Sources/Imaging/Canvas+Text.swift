extension Canvas {
    /// How many times the font is enlarged so that text stays readable on a picture of this height when it is shown
    /// on a screen: 1 up to 539 rows, 2 up to 1079, 3 for 1080, 6 for 2160.
    package var textScale: Int { max(1, (size.height + 180) / 360) }

    /// Writes one line, its top-left corner at `origin`, rounded to whole pixels.
    ///
    /// - Parameter scale: enlargement of the font, 1–64.
    package mutating func text(_ text: String, at origin: Point, scale: Int = 1, color: Color) {
        guard let left = Canvas.wholePixels(origin.x), let top = Canvas.wholePixels(origin.y) else { return }
        let scale = max(1, min(64, scale))
        let (size, stride) = (size, stride)
        guard color.alpha > 0, top < size.height, top + BitmapFont.glyphHeight * scale > 0 else { return }
        let paint = Paint(color)
        withBytes { base in
            var x = left
            for character in text {
                if x >= size.width { break }
                if x + BitmapFont.glyphWidth * scale > 0 {
                    Canvas.drawGlyph(
                        BitmapFont.rows(of: character),
                        x: x,
                        y: top,
                        scale: scale,
                        paint: paint,
                        base: base,
                        stride: stride,
                        size: size
                    )
                }
                x += BitmapFont.advance * scale
            }
        }
    }

    /// Writes lines on a rounded translucent plate whose top-left corner is `origin`.
    ///
    /// - Parameter firstLine: the colour of the first line, where it differs.
    /// - Returns: the plate, in pixels.
    @discardableResult
    package mutating func label(
        _ lines: [String],
        at origin: Point,
        scale: Int = 1,
        color: Color = .white,
        firstLine: Color? = nil,
        backdrop: Color = Canvas.plate
    ) -> Rect {
        let extent = Canvas.labelSize(lines, scale: scale)
        let plate = Rect(left: origin.x, top: origin.y, width: Float(extent.width), height: Float(extent.height))
        guard !lines.isEmpty else { return plate }
        let scale = max(1, min(64, scale))
        fill(plate, cornerRadius: Float(3 * scale), color: backdrop)
        for (index, line) in lines.enumerated() {
            let top = Canvas.padding(scale).height + index * BitmapFont.lineHeight * scale
            text(
                line,
                at: Point(x: origin.x + Float(Canvas.padding(scale).width), y: origin.y + Float(top)),
                scale: scale,
                color: index == 0 ? firstLine ?? color : color
            )
        }
        return plate
    }

    /// What a label lies on: nearly black, so that white and every colour of the palette can be read on it.
    package static let plate = Color(red: 12, green: 14, blue: 18, alpha: 192)

    /// The size of the plate that `label` draws.
    package static func labelSize(_ lines: [String], scale: Int = 1) -> Size {
        let scale = max(1, min(64, scale))
        let widest = lines.map { BitmapFont.size(of: $0, scale: scale).width }.max() ?? 0
        let last = BitmapFont.glyphHeight * scale
        return Size(
            width: widest + 2 * padding(scale).width,
            height: max(0, lines.count - 1) * BitmapFont.lineHeight * scale + last + 2 * padding(scale).height - scale
        )
    }

    private static func padding(_ scale: Int) -> Size { Size(width: 5 * scale, height: 4 * scale) }

    // MARK: - Parts

    private static func wholePixels(_ value: Float) -> Int? {
        value.isFinite ? Int(max(-1e7, min(1e7, value)).rounded()) : nil
    }

    private static func drawGlyph(
        _ rows: [UInt8],
        x left: Int,
        y top: Int,
        scale: Int,
        paint: Paint,
        base: UnsafeMutablePointer<UInt8>,
        stride: Int,
        size: Size
    ) {
        for (row, bits) in rows.enumerated() where bits != 0 {
            let y0 = max(0, top + row * scale), y1 = min(size.height, top + (row + 1) * scale)
            if y0 >= y1 { continue }
            for column in 0..<BitmapFont.glyphWidth where bits >> UInt8(5 - column) & 1 == 1 {
                let x0 = max(0, left + column * scale), x1 = min(size.width, left + (column + 1) * scale)
                if x0 >= x1 { continue }
                for y in y0..<y1 {
                    for x in x0..<x1 { paint.blend(into: base + y * stride + 3 * x, coverage: 255) }
                }
            }
        }
    }
}
