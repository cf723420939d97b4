internal import CFFmpeg

extension Canvas {
    /// Replaces `rect` by blocks of one colour each, the mean of what was there.
    ///
    /// The blocks belong to a grid that begins in the corner of the canvas, whatever the rectangle: while one moves or
    /// trembles from frame to frame, its blocks stay where they are, and only at its edges they come and go. A block
    /// that lies there has the mean of all of it, too. The rectangle is widened to whole pixels and clipped to the
    /// canvas. What is left of it is the means alone; with few blocks that is no face any more, though with a guess at
    /// who it is the guess can be checked against them.
    ///
    /// - Parameter block: pixels of a block's side, at least 1.
    package mutating func pixelate(_ rect: Rect, block: Int) {
        guard let area = wholePixels(rect) else { return }
        let block = max(1, block)
        let (width, height) = (size.width, size.height)
        let firstRow = area.rows.lowerBound / block * block, firstColumn = area.columns.lowerBound / block * block
        for top in Swift.stride(from: firstRow, to: area.rows.upperBound, by: block) {
            for left in Swift.stride(from: firstColumn, to: area.columns.upperBound, by: block) {
                let cell = (columns: left..<min(left + block, width), rows: top..<min(top + block, height))
                let shown = (columns: cell.columns.clamped(to: area.columns), rows: cell.rows.clamped(to: area.rows))
                paint(shown, with: mean(of: cell))
            }
        }
    }

    /// Replaces `rect` by one colour, the mean of what was there.
    ///
    /// The rectangle is widened to whole pixels and clipped to the canvas.
    package mutating func flatten(_ rect: Rect) {
        guard let area = wholePixels(rect) else { return }
        paint(area, with: mean(of: area))
    }

    private mutating func mean(of cell: (columns: Range<Int>, rows: Range<Int>)) -> (UInt8, UInt8, UInt8) {
        let stride = stride
        return withBytes { base in
            var (red, green, blue) = (0, 0, 0)
            for y in cell.rows {
                var pixel = base + y * stride + 3 * cell.columns.lowerBound
                for _ in cell.columns {
                    red += Int(pixel[0])
                    green += Int(pixel[1])
                    blue += Int(pixel[2])
                    pixel += 3
                }
            }
            let count = max(1, cell.rows.count * cell.columns.count)
            return (UInt8(red / count), UInt8(green / count), UInt8(blue / count))
        }
    }

    private mutating func paint(_ cell: (columns: Range<Int>, rows: Range<Int>), with color: (UInt8, UInt8, UInt8)) {
        let stride = stride
        withBytes { base in
            for y in cell.rows {
                var pixel = base + y * stride + 3 * cell.columns.lowerBound
                for _ in cell.columns {
                    (pixel[0], pixel[1], pixel[2]) = color
                    pixel += 3
                }
            }
        }
    }

    private func wholePixels(_ rect: Rect) -> (columns: Range<Int>, rows: Range<Int>)? {
        guard rect.left.isFinite, rect.top.isFinite, rect.right.isFinite, rect.bottom.isFinite else { return nil }
        func range(_ from: Float, _ to: Float, _ limit: Int) -> Range<Int>? {
            let low = Int(max(0, min(Float(limit), from.rounded(.down))))
            let high = Int(max(0, min(Float(limit), to.rounded(.up))))
            return low < high ? low..<high : nil
        }
        guard let columns = range(rect.left, rect.right, size.width),
            let rows = range(rect.top, rect.bottom, size.height)
        else { return nil }
        return (columns, rows)
    }
}

extension Picture {
    /// A picture of what a canvas shows, in planes of red, green and blue.
    package convenience init(_ canvas: Canvas) {
        let size = canvas.size
        let count = size.width * size.height
        let storage = ByteStorage(count: 3 * count)
        let target = storage.mutableBase
        // swscale is fast in any build; its planes come green, blue, red.
        let context = sws_getContext(
            Int32(size.width),
            Int32(size.height),
            AV_PIX_FMT_RGB24,
            Int32(size.width),
            Int32(size.height),
            AV_PIX_FMT_GBRP,
            SWS_POINT,
            nil,
            nil,
            nil
        )
        defer { sws_freeContext(context) }
        canvas.withUnsafeBytes { bytes in
            let targets: [UnsafeMutablePointer<UInt8>?] = [target + count, target + 2 * count, target, nil]
            let strides = [Int32](repeating: Int32(size.width), count: 3) + [0]
            let sources: [UnsafePointer<UInt8>?] = [bytes.baseAddress, nil, nil, nil]
            let rows =
                context.map {
                    sws_scale($0, sources, [Int32(bytes.stride), 0, 0, 0], 0, Int32(size.height), targets, strides)
                } ?? 0
            guard rows != Int32(size.height) else { return }
            for y in 0..<size.height {
                let row = bytes.baseAddress + y * bytes.stride
                for x in 0..<size.width {
                    for plane in 0..<3 { target[plane * count + y * size.width + x] = row[3 * x + plane] }
                }
            }
        }
        self.init(
            planes: (0..<3).map { Plane(base: storage.base + $0 * count, stride: size.width, size: size) },
            color: .identity,
            storage: storage
        )
    }
}
