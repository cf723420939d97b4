/// Why an image cannot become tiles for the model.
///
/// None of these is worth a retry with the same input: a box or a configuration is wrong. They belong to one face, not
/// to the process, so a caller counts them and goes on.
package enum ImageError: Error, Hashable, CustomStringConvertible {
    /// A side is zero or negative.
    case emptySize(width: Int, height: Int)
    /// A side or the area is beyond `RGBImage.largestSide` and `RGBImage.largestArea`.
    case tooLarge(width: Int, height: Int)
    /// The bytes do not fill the image.
    case byteCount(expected: Int, found: Int)
    /// A region is not inside the image it is cut from.
    case regionOutsideImage(left: Int, top: Int, width: Int, height: Int)
    /// A face box or its margin is not a number, is empty, or lies far outside of any picture.
    case unusableBox(left: Float, top: Float, width: Float, height: Float, margin: Float)
    /// A crop shows nothing of its picture.
    case cropOutsidePicture(FaceCrop)
    /// The bounds on the number of tiles are not 1 ≤ min ≤ max ≤ `TileGrid.mostTiles`.
    case tileBounds(min: Int, max: Int)
    /// The mean or the deviation of the channels is not three finite numbers, or a deviation is not above zero.
    case normalization(mean: [Float], deviation: [Float])

    package var description: String {
        switch self {
        case .emptySize(let width, let height):
            "an image of \(width) x \(height) pixels has no content"
        case .tooLarge(let width, let height):
            "an image of \(width) x \(height) pixels is too large: at most \(RGBImage.largestSide) a side and "
                + "\(RGBImage.largestArea) in all"
        case .byteCount(let expected, let found):
            "the image needs \(expected) bytes and has \(found)"
        case .regionOutsideImage(let left, let top, let width, let height):
            "the region of \(width) x \(height) pixels at \(left), \(top) is not inside the image"
        case .unusableBox(let left, let top, let width, let height, let margin):
            "no crop can be made of a box of \(width) x \(height) at \(left), \(top) with a margin of \(margin)"
        case .cropOutsidePicture(let crop):
            "the crop of \(crop.side) pixels at \(crop.left), \(crop.top) shows nothing of the picture"
        case .tileBounds(let min, let max):
            "\(min) to \(max) tiles: expected 1 ≤ min ≤ max ≤ \(TileGrid.mostTiles)"
        case .normalization(let mean, let deviation):
            "mean \(mean) and deviation \(deviation): expected three numbers each, deviations above zero"
        }
    }
}
