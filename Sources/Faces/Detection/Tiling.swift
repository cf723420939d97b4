package import Imaging

/// Overlapping squares that cover a picture, so that faces too small for the whole-frame look are seen enlarged.
package struct Tiling: Sendable, Hashable {
    package enum Mode: Sendable, Hashable {
        /// Squares of 0.4 of the longer side: 6 for a 16:9 picture, 9 for 4:3. Finds faces from 3 % of that side on
        /// (14 pixels of 480); the whole frame alone needs 5 to 7 %.
        case auto
        case off
        /// So many squares along the longer side.
        case across(Int)
    }

    /// The squares, row by row, in displayed pixels.
    package let tiles: [Rect]

    /// Share of a tile that its neighbour sees too: the faces that tiles are for are much smaller.
    private static let overlap: Float = 0.25

    /// - Parameter size: the picture's, displayed pixels.
    package init(size: Size, mode: Mode) {
        let longer = Float(max(size.width, size.height))
        let side: Float
        switch mode {
        case .off:
            tiles = []
            return
        case .auto:
            side = 0.4 * longer
        case .across(let count):
            // n squares of side s, overlapping by o, cover s (n − (n − 1) o).
            let n = Float(max(1, min(16, count)))
            side = longer / (n - (n - 1) * Tiling.overlap)
        }
        func starts(_ length: Float) -> [Float] {
            guard length > side else { return [(length - side) / 2] }
            let step = side * (1 - Tiling.overlap)
            let count = max(2, Int(((length - Tiling.overlap * side) / step - 1e-4).rounded(.up)))
            return (0..<count).map { Float($0) * (length - side) / Float(count - 1) }
        }
        let xs = starts(Float(size.width)), ys = starts(Float(size.height))
        tiles = ys.flatMap { y in xs.map { Rect(left: $0, top: y, width: side, height: side) } }
    }
}
