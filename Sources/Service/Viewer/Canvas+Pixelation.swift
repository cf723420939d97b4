internal import Imaging

extension Canvas {
    /// Blocks along the longer side of a face: eyes, nose and mouth run together.
    private static let blocks: Float = 6
    /// So much of a face's longer side is covered around it, for ears and hair and for what the box missed.
    private static let margin: Float = 0.25
    /// Points along a block's side that its colour is the mean of.
    private static let points = 4

    /// Turns a face into a few blocks of one colour each.
    ///
    /// - Parameter face: its box in pixels of the canvas.
    mutating func pixelate(_ face: Rect) {
        guard face.left.isFinite, face.top.isFinite, face.width > 0, face.height > 0, face.right.isFinite,
            face.bottom.isFinite
        else { return }
        let room = Self.margin * max(face.width, face.height)
        let left = max(0, (face.left - room).rounded(.down)), top = max(0, (face.top - room).rounded(.down))
        let right = min(Float(size.width), (face.right + room).rounded(.up))
        let bottom = min(Float(size.height), (face.bottom + room).rounded(.up))
        guard left < right, top < bottom else { return }
        // On whole pixels, so that no edge lets anything shine through.
        let side = max(2, (max(face.width, face.height) / Self.blocks).rounded(.up))
        var y = top
        while y < bottom {
            var x = left
            while x < right {
                let block = Rect(left: x, top: y, width: min(side, right - x), height: min(side, bottom - y))
                fill(block, color: mean(of: block))
                x += side
            }
            y += side
        }
    }

    private func mean(of block: Rect) -> Color {
        var sum = (red: 0, green: 0, blue: 0), count = 0
        for row in 0..<Self.points {
            for column in 0..<Self.points {
                let x = block.left + block.width * (Float(column) + 0.5) / Float(Self.points)
                let y = block.top + block.height * (Float(row) + 0.5) / Float(Self.points)
                guard let color = pixel(x: Int(x), y: Int(y)) else { continue }
                sum = (sum.red + Int(color.red), sum.green + Int(color.green), sum.blue + Int(color.blue))
                count += 1
            }
        }
        guard count > 0 else { return .black }
        return Color(red: UInt8(sum.red / count), green: UInt8(sum.green / count), blue: UInt8(sum.blue / count))
    }
}
