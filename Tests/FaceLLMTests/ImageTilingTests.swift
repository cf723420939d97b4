import FaceLLM
import Imaging
import Testing

@Suite struct ImageTilingTests {
    /// Width, height, most tiles, columns, rows.
    @Test(arguments: [
        [633, 633, 12, 1, 1], [634, 634, 12, 2, 2], [950, 950, 12, 2, 2], [951, 951, 12, 3, 3],
        [320, 240, 12, 4, 3], [178, 218, 12, 3, 4], [3840, 2160, 12, 4, 2], [4000, 300, 12, 12, 1],
        [1280, 720, 4, 2, 1], [800, 600, 4, 2, 2], [320, 240, 4, 1, 1], [1920, 1080, 1, 1, 1],
    ])
    func knownGrids(_ row: [Int]) throws {
        let grid = try TileGrid.choose(width: row[0], height: row[1], maxTiles: row[2])
        #expect([grid.columns, grid.rows] == [row[3], row[4]])
    }

    @Test func turnedImagesGetTurnedGrids() throws {
        for (width, height) in [(640, 480), (1000, 400), (1920, 1080), (50, 49), (3000, 100)] {
            let wide = try TileGrid.choose(width: width, height: height, maxTiles: 12)
            let tall = try TileGrid.choose(width: height, height: width, maxTiles: 12)
            #expect(wide.tiles >= 1 && wide.tiles <= 12 && tall.tiles >= 1 && tall.tiles <= 12)
            #expect(wide.columns >= wide.rows && tall.columns <= tall.rows, "\(width) x \(height)")
        }
    }

    @Test func theLeastNumberOfTilesIsKept() throws {
        for least in 1...12 {
            let grid = try TileGrid.choose(width: 100, height: 100, maxTiles: 12, minTiles: least)
            #expect(grid.tiles >= least)
        }
    }

    @Test func tilesAreCutRowByRow() throws {
        let canvas = try ImagePattern.noise(width: 12, height: 8)
        let grid = try TileGrid.choose(width: 300, height: 200, maxTiles: 6)
        #expect([grid.columns, grid.rows] == [3, 2])
        let tiles = try grid.cut(canvas, tileSize: 4)
        #expect(tiles.count == 6)
        for (index, tile) in tiles.enumerated() {
            for y in 0..<4 {
                for x in 0..<4 {
                    #expect(tile[x: x, y: y] == canvas[x: index % 3 * 4 + x, y: index / 3 * 4 + y])
                }
            }
        }
        // A canvas of another size is not cut.
        #expect(throws: ImageError.self) { try grid.cut(canvas, tileSize: 5) }
    }

    @Test(arguments: [(0, 12), (2, 1), (-3, 4), (1, 257), (1, Int.max), (Int.min, Int.max)])
    func impossibleBoundsAreRefused(_ bounds: (Int, Int)) {
        #expect(throws: ImageError.tileBounds(min: bounds.0, max: bounds.1)) {
            try TileGrid.choose(width: 10, height: 10, maxTiles: bounds.1, minTiles: bounds.0)
        }
    }

    @Test func impossibleSizesAreRefused() {
        #expect(throws: ImageError.emptySize(width: 0, height: 4)) {
            try TileGrid.choose(width: 0, height: 4, maxTiles: 12)
        }
        #expect(throws: ImageError.tooLarge(width: .max, height: .max)) {
            try TileGrid.choose(width: .max, height: .max, maxTiles: 12)
        }
        #expect(throws: ImageError.emptySize(width: -448, height: -448)) {
            try TileGrid.choose(width: 4, height: 4, maxTiles: 12, tileSize: -448)
        }
        #expect(throws: ImageError.tooLarge(width: 120_000, height: 10_000)) {
            try TileGrid.choose(width: 4000, height: 300, maxTiles: 12).canvasSize(tileSize: 10_000)
        }
    }
}
