package import Imaging

/// Tiles as the vision tower takes them.
package struct PixelTiles: Sendable, Hashable {
    /// [tiles, 3, tileSize, tileSize]: tiles of the grid row by row, then the thumbnail if there is one.
    package let values: [Float]
    /// Side of a tile, pixels.
    package let tileSize: Int
    package let grid: TileGrid
    /// Whether the whole image follows as one more tile.
    package let hasThumbnail: Bool

    /// Tiles in all, with the thumbnail.
    package var count: Int { grid.tiles + (hasThumbnail ? 1 : 0) }

    /// As many tiles without content: the mean colour everywhere, which normalisation makes 0.
    package var emptied: PixelTiles {
        PixelTiles(
            values: [Float](repeating: 0, count: values.count),
            tileSize: tileSize,
            grid: grid,
            hasThumbnail: hasThumbnail
        )
    }
}

/// InternVL3's preprocessing: images to normalised tiles.
///
/// 1. A grid of tiles is chosen by the proportions of the image (`TileGrid.choose`); one tile where `maxTiles` is 1.
/// 2. The image is stretched to the canvas of the grid (`BicubicResampler`) and cut, row by row.
/// 3. If there is more than one tile, the whole image follows as a thumbnail of one tile.
/// 4. Bytes are normalised with ImageNet's mean and deviation (`PixelNormalization`).
///
/// Reference: OpenGVLab/InternVL `internvl_chat/internvl/train/dataset.py`, `dynamic_preprocess` and `build_transform`,
/// with the resampling of Pillow up to 12. Results are the same on every machine. Threads may share one.
package struct ImageProcessor: Sendable {
    /// What a checkpoint's `preprocessor_config.json` and the user decide.
    package struct Configuration: Sendable, Hashable {
        /// Side of a tile, pixels.
        package var tileSize: Int
        /// The fewest tiles, without the thumbnail.
        package var minTiles: Int
        /// The most tiles, without the thumbnail.
        ///
        /// One: what FaceLLM was trained with, and the least work (256 tokens).
        package var maxTiles: Int
        /// Whether an image of several tiles is shown as a whole too.
        package var appendsThumbnail: Bool
        /// Of red, green and blue, in units of full brightness.
        package var mean: [Float]
        package var deviation: [Float]
        /// Around a face, on each side, as a fraction of the longer side of its box.
        package var faceMargin: Float

        package init(
            tileSize: Int = 448,
            minTiles: Int = 1,
            maxTiles: Int = 1,
            appendsThumbnail: Bool = true,
            mean: [Float] = PixelNormalization.imageNetMean,
            deviation: [Float] = PixelNormalization.imageNetDeviation,
            faceMargin: Float = FaceCrop.trainingMargin
        ) {
            self.tileSize = tileSize
            self.minTiles = minTiles
            self.maxTiles = maxTiles
            self.appendsThumbnail = appendsThumbnail
            self.mean = mean
            self.deviation = deviation
            self.faceMargin = faceMargin
        }
    }

    package let configuration: Configuration
    private let normalization: PixelNormalization

    /// - Throws: `emptySize`, `tooLarge`, `tileBounds`, `normalization` or `unusableBox` (the margin) for a configuration
    ///   that no image could be processed with.
    package init(_ configuration: Configuration = Configuration()) throws(ImageError) {
        // The same checks that an image would meet, before there is one.
        _ = try TileGrid.choose(
            width: 1,
            height: 1,
            maxTiles: configuration.maxTiles,
            minTiles: configuration.minTiles,
            tileSize: configuration.tileSize
        )
        _ = try FaceCrop(around: Rect(left: 0, top: 0, width: 1, height: 1), margin: configuration.faceMargin)
        normalization = try PixelNormalization(mean: configuration.mean, deviation: configuration.deviation)
        self.configuration = configuration
    }

    /// The grid that an image of this size is cut into.
    package func grid(for size: Size) throws(ImageError) -> TileGrid {
        try TileGrid.choose(
            width: size.width,
            height: size.height,
            maxTiles: configuration.maxTiles,
            minTiles: configuration.minTiles,
            tileSize: configuration.tileSize
        )
    }

    // MARK: - Processing

    /// The tiles of an image.
    package func process(_ image: RGBImage) throws(ImageError) -> PixelTiles {
        let grid = try grid(for: image.size)
        let side = configuration.tileSize
        let canvas = try image.resized(to: grid.canvasSize(tileSize: side))
        var thumbnail: RGBImage?
        if grid.tiles > 1, configuration.appendsThumbnail {
            thumbnail = try image.resized(to: Size(width: side, height: side))
        }
        return PixelTiles(
            values: normalized(canvas, grid: grid, thumbnail: thumbnail),
            tileSize: side,
            grid: grid,
            hasThumbnail: thumbnail != nil
        )
    }

    /// The tiles of a face: a square with the configured margin around its box, padded with the edge of the picture.
    ///
    /// - Parameters:
    ///   - box: displayed pixels, as the detector found it.
    ///   - picture: the frame that the box was found in.
    package func process(face box: Rect, in picture: Pyramid) throws(ImageError) -> PixelTiles {
        try process(try FaceCrop(around: box, margin: configuration.faceMargin), in: picture)
    }

    /// The tiles of a square of a picture, for crops that were chosen elsewhere.
    package func process(_ crop: FaceCrop, in picture: Pyramid) throws(ImageError) -> PixelTiles {
        try process(try RGBImage(picture, crop: crop))
    }

    private func normalized(_ canvas: RGBImage, grid: TileGrid, thumbnail: RGBImage?) -> [Float] {
        let side = configuration.tileSize
        let tile = 3 * side * side
        let count = (grid.tiles + (thumbnail == nil ? 0 : 1)) * tile
        return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            guard var target = buffer.baseAddress else { return }
            for (left, top) in grid.origins(tileSize: side) {
                normalization.write(canvas, left: left, top: top, side: side, into: target)
                target += tile
            }
            if let thumbnail { normalization.write(thumbnail, left: 0, top: 0, side: side, into: target) }
            filled = count
        }
    }
}
