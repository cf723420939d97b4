import FaceLLM
import Imaging
import Testing

@Suite struct ImageProcessorTests {
    // MARK: - Parts

    @Test func everyByteIsNormalised() throws {
        let normalization = try PixelNormalization()
        for channel in 0..<3 {
            let mean = Double(PixelNormalization.imageNetMean[channel])
            let deviation = Double(PixelNormalization.imageNetDeviation[channel])
            for byte in 0...255 as ClosedRange<UInt8> {
                let expected = (Double(byte) / 255 - mean) / deviation
                #expect(abs(Double(normalization.value(byte, channel: channel)) - expected) < 1e-6)
            }
        }
    }

    @Test func planesAndTilesAreInOrder() throws {
        // 3 x 2 tiles of 4 pixels: the canvas is the image itself.
        let image = try ImagePattern.noise(width: 12, height: 8)
        let processor = try ImageProcessor(.init(tileSize: 4, maxTiles: 6, appendsThumbnail: false))
        let tiles = try processor.process(image)
        #expect([tiles.grid.columns, tiles.grid.rows, tiles.count] == [3, 2, 6] && !tiles.hasThumbnail)
        let normalization = try PixelNormalization()
        for tile in 0..<6 {
            for y in 0..<4 {
                for x in 0..<4 {
                    let (red, green, blue) = image[x: tile % 3 * 4 + x, y: tile / 3 * 4 + y]
                    for (channel, byte) in [red, green, blue].enumerated() {
                        let value = tiles.values[((tile * 3 + channel) * 4 + y) * 4 + x]
                        #expect(value == normalization.value(byte, channel: channel))
                    }
                }
            }
        }
    }

    @Test func aFaceBecomesOneTile() throws {
        let image = try ImagePattern.noise(width: 90, height: 60)
        let pyramid = Pyramid(image.picture)
        let processor = try ImageProcessor(.init(tileSize: 56))
        let box = Rect(left: 60, top: 10, width: 20, height: 24)
        let tiles = try processor.process(face: box, in: pyramid)
        #expect(tiles.count == 1 && tiles.values.count == 3 * 56 * 56)
        let crop = try FaceCrop(around: box)
        #expect(try tiles == processor.process(RGBImage(pyramid, crop: crop)))
        #expect(try tiles == processor.process(crop, in: pyramid))
        // The whole of another shape is one tile too, by default.
        #expect(try processor.process(image).count == 1)
    }

    @Test(arguments: [(1, 1), (1, 1000), (1000, 1), (3, 2)]) func oddShapesAreProcessed(_ size: (Int, Int)) throws {
        let image = try RGBImage(width: size.0, height: size.1, red: 10, green: 20, blue: 30)
        let processor = try ImageProcessor(.init(tileSize: 28, maxTiles: 12))
        let tiles = try processor.process(image)
        #expect(tiles.values.count == tiles.count * 3 * 28 * 28)
        #expect(tiles.hasThumbnail == (tiles.grid.tiles > 1))
        let normalization = try PixelNormalization()
        let allowed = [10, 20, 30].enumerated().map { normalization.value(UInt8($1), channel: $0) }
        for (index, value) in tiles.values.enumerated() where value != allowed[index / (28 * 28) % 3] {
            Issue.record("value \(index) is \(value)")
            return
        }
    }

    @Test func theSameInputGivesTheSameTiles() async throws {
        let image = try ImagePattern.noise(width: 71, height: 53)
        let processor = try ImageProcessor(.init(tileSize: 56, maxTiles: 6))
        let first = try processor.process(image)
        try await withThrowingTaskGroup(of: PixelTiles.self) { group in
            for _ in 0..<4 { group.addTask { try processor.process(image) } }
            for try await tiles in group { #expect(tiles == first) }
        }
    }

    // MARK: - Errors

    @Test(arguments: [
        ImageProcessor.Configuration(tileSize: 0), .init(tileSize: -1), .init(tileSize: .max), .init(maxTiles: 0),
        .init(minTiles: 3, maxTiles: 2), .init(maxTiles: .max), .init(mean: [0, 0]), .init(mean: [0, 0, .nan]),
        .init(deviation: [1, 0, 1]), .init(deviation: [1, 1, .infinity]), .init(deviation: []),
    ])
    func impossibleConfigurationsAreRefused(_ configuration: ImageProcessor.Configuration) {
        #expect(throws: ImageError.self) { try ImageProcessor(configuration) }
    }

    @Test func errorsSayWhatIsWrong() throws {
        #expect(ImageError.emptySize(width: 0, height: 3).description == "an image of 0 x 3 pixels has no content")
        let crop = try FaceCrop(left: 7, top: 9, side: 5)
        let errors: [ImageError] = [
            .tooLarge(width: 70_000, height: 2), .byteCount(expected: 12, found: 11),
            .regionOutsideImage(left: 1, top: 2, width: 3, height: 4),
            .unusableBox(left: 0, top: 0, width: .nan, height: 1, margin: 0), .cropOutsidePicture(crop),
            .tileBounds(min: 2, max: 1), .normalization(mean: [0], deviation: [1]),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        #expect(errors[0].description.contains("70000") && errors[4].description.contains("7, 9"))
    }
}
