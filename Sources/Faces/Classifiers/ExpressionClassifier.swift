package import Imaging

/// The expression of a face: the `fer` network's answers and the shape of the mesh, weighed by a head of our own.
package final class ExpressionClassifier {
    private let network: EmotionNetwork
    private let template: FaceTemplate

    package init(core: InferenceCore, models: ModelFolder, template: FaceTemplate) throws(FacesError) {
        network = try EmotionNetwork(core: core, models: models)
        self.template = template
    }

    package func scores(of mesh: FaceMesh, poseFree: [Point3], in pyramid: Pyramid) throws(FacesError) -> ExpressionScores {
        let p = try network.probabilities(of: mesh, margin: 1.1, mirrored: false, in: pyramid)
        return ExpressionScores(values: [p[6], p[3], p[4], p[5], p[2], p[1], p[0], 0])
    }
}
