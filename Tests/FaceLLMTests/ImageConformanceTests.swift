import FaceLLM
import Imaging
import Testing

/// What the reference made of recorded images: tile grids, resampled bytes, normalised pixels.
@Suite struct ImageConformanceTests {
    @Test(.needsImageConformance) func gridsEqualTheReference() throws {
        let tiling = try ImageConformance.tiling()
        #expect(!tiling.entries.isEmpty)
        for entry in tiling.entries {
            let grid = try TileGrid.choose(
                width: entry.width,
                height: entry.height,
                maxTiles: entry.maxNum,
                minTiles: entry.minNum,
                tileSize: tiling.tileSize
            )
            let found = [grid.columns, grid.rows, grid.tiles]
            #expect(found == [entry.columns, entry.rows, entry.tiles], "\(entry)")
            let canvas = try grid.canvasSize(tileSize: tiling.tileSize)
            #expect([canvas.width, canvas.height] == entry.canvas, "\(entry)")
            #expect(grid.tiles + (grid.tiles > 1 ? 1 : 0) == entry.tilesWithThumbnail, "\(entry)")
        }
    }

    @Test(.needsImageConformance) func tilesOfACanvasEqualTheReference() throws {
        for entry in try ImageConformance.index().canvas {
            let input = try ImageConformance.image(entry.input)
            let grid = try TileGrid.choose(width: input.width, height: input.height, maxTiles: entry.maxNum)
            #expect([grid.columns, grid.rows] == entry.grid)
            let canvas = try input.resized(to: grid.canvasSize(tileSize: 448))
            var tiles = try grid.cut(canvas, tileSize: 448)
            tiles.append(try input.resized(to: Size(width: 448, height: 448)))
            #expect(tiles.count == entry.tilesWithThumbnail)
            #expect(try tiles.map { try ImageConformance.sha256($0.bytes) } == entry.pilTileRgbSha256)
        }
    }

    @Test(.needsImageConformance, arguments: ImageConformance.sizes)
    func equalsPillowBitForBit(_ size: String) throws {
        let input = try ImageConformance.image("in-\(size).png")
        let result = try input.resized(to: Size(width: 448, height: 448))
        let expected = try ImageConformance.image("pil-\(size).png")
        #expect(try ImageDifference(result, expected) == ImageDifference(expected, expected))
        let entry = try #require(try ImageConformance.index().resize.first { $0.input == "in-\(size).png" })
        #expect(try ImageConformance.sha256(result.bytes) == entry.pilRgbSha256)
        // torchvision rounds elsewhere.
        let other = try ImageDifference(result, ImageConformance.image("hf-\(size).png"))
        #expect(other.largest <= 2 && other.fraction < 0.01, "\(other)")
    }

    @Test(.needsImageConformance) func equalsPillowOnACanvasOfTiles() throws {
        for entry in try ImageConformance.index().canvas {
            let input = try ImageConformance.image(entry.input)
            let expected = try ImageConformance.image(entry.pil)
            let result = try input.resized(to: expected.size)
            #expect(result.bytes == expected.bytes)
        }
    }

    @Test(.needsImageConformance, arguments: ImageConformance.modes)
    func equalsPillowFromOtherModes(_ mode: String) throws {
        let tensors = try ImageGoldenTensors(ImageConformance.data("preprocess.safetensors"))
        let entry = try #require(try ImageConformance.index().modes.first { $0.pilMode == mode })
        let input = try RGBImage(width: entry.width, height: entry.height, bytes: tensors.bytes("mode.\(mode).rgb"))
        #expect(try ImageConformance.image(entry.input) == input, "the test's PNG decoder")
        let result = try input.resized(to: Size(width: entry.size, height: entry.size))
        #expect(try result.bytes == tensors.bytes("mode.\(mode).pil"))
    }

    @Test(.needsImageConformance, arguments: ImageConformance.sizes)
    func oneTileEqualsTheReference(_ size: String) throws {
        let index = try ImageConformance.index()
        let tensors = try ImageGoldenTensors(ImageConformance.data("preprocess.safetensors"))
        let tiles = try ImageProcessor().process(ImageConformance.image("in-\(size).png"))
        #expect(tiles.count == 1 && tiles.grid == .single && !tiles.hasThumbnail)
        #expect(tiles.values.count == 3 * 448 * 448)
        let found = rows(index.sampledRows, of: tiles)
        #expect(try largest(found, tensors.floats("pil.\(size).rows")) <= 2e-6)
        // Two levels of a byte in the channel with the smallest deviation; differences in few values.
        let other = try tensors.floats("hf.\(size).rows")
        #expect(largest(found, other) <= 2 / 255 / 0.224 + 1e-5)
        let different = zip(found, other).count { abs($0 - $1) > 1e-4 }
        #expect(Double(different) < 0.01 * Double(found.count), "\(different) of \(found.count)")
        let entry = try #require(index.resize.first { $0.input == "in-\(size).png" })
        for channel in 0..<3 {
            let plane = tiles.values[channel * 448 * 448..<(channel + 1) * 448 * 448]
            let mean = plane.reduce(0.0) { $0 + Double($1) } / Double(plane.count)
            let square = plane.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(plane.count)
            #expect(abs(mean - entry.pilNormMean[channel]) < 1e-4)
            #expect(abs((square - mean * mean).squareRoot() - entry.pilNormStd[channel]) < 1e-4)
        }
    }

    @Test(.needsImageConformance) func severalTilesAndTheThumbnailEqualTheReference() throws {
        let index = try ImageConformance.index()
        let tensors = try ImageGoldenTensors(ImageConformance.data("preprocess.safetensors"))
        for entry in index.canvas {
            let processor = try ImageProcessor(.init(maxTiles: entry.maxNum))
            let image = try ImageConformance.image(entry.input)
            let tiles = try processor.process(image)
            #expect(tiles.count == entry.tilesWithThumbnail && tiles.hasThumbnail)
            // The thumbnail, last, is what one tile would be.
            let alone = try ImageProcessor().process(image)
            #expect(Array(tiles.values.suffix(alone.values.count)) == alone.values)
            let name = "hf.canvas.\(image.width)x\(image.height).rows"
            let expected = try tensors.floats(name), found = rows(index.sampledRows, of: tiles)
            #expect(try tensors.shape(name) == [tiles.count, 3, index.sampledRows.count, 448])
            #expect(largest(found, expected) <= 2 / 255 / 0.224 + 1e-5)
            let different = zip(found, expected).count { abs($0 - $1) > 1e-4 }
            #expect(Double(different) < 0.01 * Double(found.count), "\(different) of \(found.count)")
        }
    }

    @Test(.needsImageConformance) func theRecordedMeanAndDeviationAreOurs() throws {
        let index = try ImageConformance.index()
        #expect(index.mean == PixelNormalization.imageNetMean)
        #expect(index.std == PixelNormalization.imageNetDeviation)
        #expect(index.size == ImageProcessor.Configuration().tileSize)
    }

    // MARK: - Parts

    /// The sampled rows of tiles, in the order of the recorded tensors: [tiles, 3, rows, side].
    private func rows(_ rows: [Int], of tiles: PixelTiles) -> [Float] {
        let side = tiles.tileSize
        var result: [Float] = []
        for plane in 0..<tiles.count * 3 {
            for row in rows {
                let start = (plane * side + row) * side
                result += tiles.values[start..<start + side]
            }
        }
        return result
    }

    private func largest(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }
}
