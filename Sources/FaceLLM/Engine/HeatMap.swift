package import Imaging

/// Where in a picture an answer looked: attention to each image token, summed over the answer.
///
/// The attention weights of the tokens that an answer is predicted from, averaged over heads and summed over layers
/// (after AnyRef, arXiv 2403.02969, which takes the language model's own weights to find what is spoken of). Image
/// tokens of one picture compared with one another; not a proof of what the answer rests on.
package struct HeatMap: Sendable, Hashable {
    /// Cells in a row; 16 for one tile.
    package let columns: Int
    package let rows: Int
    /// [rows, columns], 0–1, the most looked-at cell being 1.
    package let values: [Float]

    init(columns: Int, rows: Int, weights: [Float]) {
        self.columns = columns
        self.rows = rows
        let highest = weights.max() ?? 0
        values = highest > 0 ? weights.map { max(0, $0 / highest) } : weights.map { _ in 0 }
    }

    /// Sums attention while an answer is made.
    struct Gatherer {
        private let grid: TileGrid
        /// Image tokens on one side of a tile.
        private let side: Int
        private var sums: [Float]

        init(_ tiles: PixelTiles, engine: Engine) {
            grid = tiles.grid
            let perTile = engine.checkpoint.configuration.imageTokensPerTile
            let vision = engine.checkpoint.configuration.vision
            side = vision.gridSize / engine.checkpoint.configuration.projector.shuffleFactor
            // The thumbnail shows everything again; the grid is what lies over the picture.
            sums = [Float](repeating: 0, count: tiles.grid.tiles * perTile)
        }

        /// Adds what the last token of a pass looked at.
        mutating func add(_ probe: LanguageModel.AttentionProbe, pictureStart: Int) {
            let weights = probe.weights
            guard weights.rows > 0 else { return }
            let row = (weights.rows - 1) * weights.columns
            for index in sums.indices where pictureStart + index < weights.columns {
                sums[index] += weights.values[row + pictureStart + index]
            }
        }

        /// The cells in the order of the picture's rows.
        func map() -> HeatMap {
            let columns = grid.columns * side, rows = grid.rows * side
            var weights = [Float](repeating: 0, count: columns * rows)
            for tile in 0..<grid.tiles {
                for cell in 0..<side * side {
                    let x = tile % grid.columns * side + cell % side, y = tile / grid.columns * side + cell / side
                    weights[y * columns + x] = sums[tile * side * side + cell]
                }
            }
            return HeatMap(columns: columns, rows: rows, weights: weights)
        }
    }

    // MARK: - Drawing

    /// The picture with the map over it: what was looked at keeps its colours and turns warm, the rest is dimmed.
    package func overlay(on image: RGBImage) -> Canvas {
        // Large enough to see the cells, small enough to look at.
        let scale = max(1, min(4, 448 / max(1, max(image.width, image.height))))
        let size = Size(width: image.width * scale, height: image.height * scale)
        var canvas = Canvas(size: size)
        for y in 0..<size.height {
            for x in 0..<size.width {
                let pixel = image[x: x / scale, y: y / scale]
                let heat = value(
                    x: (Float(x) + 0.5) / Float(size.width) * Float(columns) - 0.5,
                    y: (Float(y) + 0.5) / Float(size.height) * Float(rows) - 0.5
                )
                let dim = 0.45 + 0.55 * heat
                let shown = Canvas.Color(
                    red: UInt8(Float(pixel.red) * dim),
                    green: UInt8(Float(pixel.green) * dim),
                    blue: UInt8(Float(pixel.blue) * dim)
                )
                canvas.set(x: x, y: y, shown.mixed(with: Self.color(heat), 0.45 * heat))
            }
        }
        return canvas
    }

    /// Bilinear between the centres of cells.
    private func value(x: Float, y: Float) -> Float {
        let x = max(0, min(Float(columns - 1), x)), y = max(0, min(Float(rows - 1), y))
        let left = Int(x), top = Int(y)
        let right = min(columns - 1, left + 1), bottom = min(rows - 1, top + 1)
        let fx = x - Float(left), fy = y - Float(top)
        let upper = values[top * columns + left] * (1 - fx) + values[top * columns + right] * fx
        let lower = values[bottom * columns + left] * (1 - fx) + values[bottom * columns + right] * fx
        return upper * (1 - fy) + lower * fy
    }

    /// From blue over green and yellow to red.
    private static func color(_ heat: Float) -> Canvas.Color {
        func ramp(_ center: Float) -> UInt8 { UInt8(255 * max(0, min(1, 1.5 - abs(4 * heat - center)))) }
        return Canvas.Color(red: ramp(3), green: ramp(2), blue: ramp(1))
    }
}
