package import Imaging

/// How an image is cut into tiles: so many columns, so many rows.
///
/// The rule of InternVL's `dynamic_preprocess`: of all grids within the bounds, the one whose proportions are nearest to
/// the image's, so that stretching distorts least.
package struct TileGrid: Sendable, Hashable {
    package let columns: Int
    package let rows: Int

    /// The most tiles that can be asked for; published models use 12.
    package static let mostTiles = 256
    /// The image as it is, in one tile.
    package static let single = TileGrid(columns: 1, rows: 1)

    private init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// Tiles of the grid, without a thumbnail.
    package var tiles: Int { columns * rows }

    /// The grid for an image.
    ///
    /// Grids are visited by rising number of tiles, then of columns. The least difference of width over height wins.
    /// Among equals a later grid wins if the image has more than half of the pixels of that grid's canvas: 633 x 633
    /// stays one tile, 634 x 634 becomes 2 x 2. All in double precision, as the reference computes.
    ///
    /// - Parameters:
    ///   - maxTiles: at most so many tiles, without the thumbnail.
    ///   - minTiles: at least so many.
    ///   - tileSize: side of a tile, pixels.
    package static func choose(
        width: Int,
        height: Int,
        maxTiles: Int,
        minTiles: Int = 1,
        tileSize: Int = 448
    ) throws(ImageError) -> TileGrid {
        _ = try RGBImage.byteCount(width: width, height: height)
        _ = try RGBImage.byteCount(width: tileSize, height: tileSize)
        guard minTiles >= 1, minTiles <= maxTiles, maxTiles <= mostTiles else {
            throw .tileBounds(min: minTiles, max: maxTiles)
        }
        let proportion = Double(width) / Double(height)
        let area = Double(width * height)
        let half = 0.5 * Double(tileSize * tileSize)
        var best = single
        var least = Double.infinity
        for tiles in minTiles...maxTiles {
            for columns in 1...tiles where tiles.isMultiple(of: columns) {
                let rows = tiles / columns
                let difference = abs(proportion - Double(columns) / Double(rows))
                if difference < least || (difference == least && area > half * Double(tiles)) {
                    least = difference
                    best = TileGrid(columns: columns, rows: rows)
                }
            }
        }
        return best
    }

    // MARK: - Canvas

    /// The size that an image is stretched to before it is cut.
    ///
    /// - Throws: `tooLarge` where the tiles are large and many.
    package func canvasSize(tileSize: Int) throws(ImageError) -> Size {
        _ = try RGBImage.byteCount(width: tileSize, height: tileSize)
        // Both factors are bounded, so the products are far from overflowing.
        let size = Size(width: columns * tileSize, height: rows * tileSize)
        _ = try RGBImage.byteCount(width: size.width, height: size.height)
        return size
    }

    /// The top-left pixels of the tiles in the canvas, row by row.
    package func origins(tileSize: Int) -> [(left: Int, top: Int)] {
        (0..<tiles).map { (left: $0 % columns * tileSize, top: $0 / columns * tileSize) }
    }

    /// The canvas in tiles, row by row.
    package func cut(_ canvas: RGBImage, tileSize: Int) throws(ImageError) -> [RGBImage] {
        var result: [RGBImage] = []
        result.reserveCapacity(tiles)
        for (left, top) in origins(tileSize: tileSize) {
            result.append(try canvas.cropped(left: left, top: top, width: tileSize, height: tileSize))
        }
        return result
    }
}
