package import Imaging

/// The expression of a face: features of the `fer` network, weighed by a head of our own.
package final class ExpressionClassifier {
    private let features: ExpressionFeatures
    private let head: ExpressionHead

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        features = try ExpressionFeatures(core: core, models: models)
        head = try ExpressionHead.standard()
    }

    package func scores(of mesh: FaceMesh, in pyramid: Pyramid) throws(FacesError) -> ExpressionScores {
        head.scores(try features.features(of: mesh, in: pyramid))
    }
}
