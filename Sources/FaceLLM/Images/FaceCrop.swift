package import Imaging

/// The square of whole pixels that is cut around a face.
///
/// Square, because the model's preprocessing stretches whatever it is given to a square tile, and because a crop that
/// is not square is cut into as many tiles as its proportions ask for. It may reach outside of its picture; the missing
/// part repeats the edge.
package struct FaceCrop: Sendable, Hashable {
    /// Of the left-most column, displayed pixels.
    package let left: Int
    /// Of the topmost row, displayed pixels.
    package let top: Int
    /// Pixels.
    package let side: Int

    /// What is shown on each side of a face, as a fraction of the longer side of its box.
    ///
    /// A quarter is the margin of the FairFace photographs that FaceLLM was trained on.
    package static let trainingMargin: Float = 0.25

    /// Coordinates beyond this are no place in a picture; the sampler stops there too.
    private static let farthest: Float = 1_000_000

    package init(left: Int, top: Int, side: Int) throws(ImageError) {
        let farthest = Int(Self.farthest)
        _ = try RGBImage.byteCount(width: side, height: side)
        guard abs(left.clamped(farthest + 1)) <= farthest, abs(top.clamped(farthest + 1)) <= farthest else {
            throw .unusableBox(
                left: Float(left),
                top: Float(top),
                width: Float(side),
                height: Float(side),
                margin: 0
            )
        }
        self.left = left
        self.top = top
        self.side = side
    }

    /// The smallest square of whole pixels with the box in its middle and the margin all around.
    ///
    /// - Parameters:
    ///   - box: displayed pixels, as the detector found it.
    ///   - margin: added on each side, as a fraction of the longer side of the box; 0 and above.
    package init(around box: Rect, margin: Float = Self.trainingMargin) throws(ImageError) {
        let unusable = ImageError.unusableBox(
            left: box.left,
            top: box.top,
            width: box.width,
            height: box.height,
            margin: margin
        )
        // Comparisons are false for what is not a number.
        guard
            box.width > 0, box.height > 0, margin >= 0, margin <= 100,
            abs(box.left) <= Self.farthest, abs(box.top) <= Self.farthest,
            box.width <= Self.farthest, box.height <= Self.farthest
        else { throw unusable }
        // A thousandth of a pixel is rounding, not content.
        let extent = Double(max(box.width, box.height)) * (1 + 2 * Double(margin))
        let side = max(1, (extent - 0.001).rounded(.up))
        guard side <= Double(RGBImage.largestSide) else {
            throw .tooLarge(width: Int(min(side, 1e9)), height: Int(min(side, 1e9)))
        }
        let centerX = Double(box.left) + Double(box.width) / 2, centerY = Double(box.top) + Double(box.height) / 2
        try self.init(
            left: Int((centerX - side / 2).rounded(.toNearestOrAwayFromZero)),
            top: Int((centerY - side / 2).rounded(.toNearestOrAwayFromZero)),
            side: Int(side)
        )
    }

    /// The same region as numbers that geometry is done with.
    package var rect: Rect { Rect(left: Float(left), top: Float(top), width: Float(side), height: Float(side)) }

    /// Whether any pixel of a picture of `size` is inside.
    package func overlaps(_ size: Size) -> Bool {
        left < size.width && top < size.height && left + side > 0 && top + side > 0
    }

    /// The fraction of the crop that is padding for lack of picture, 0–1.
    package func padding(in size: Size) -> Float {
        let columns = max(0, min(size.width, left + side) - max(0, left))
        let rows = max(0, min(size.height, top + side) - max(0, top))
        return 1 - Float(columns * rows) / Float(side * side)
    }
}

extension Int {
    /// The nearest number that is not further than `limit` from zero.
    fileprivate func clamped(_ limit: Int) -> Int { Swift.max(-limit, Swift.min(limit, self)) }
}
