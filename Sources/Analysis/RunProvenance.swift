package import Events
internal import Faces

/// What the events of a run were made with.
package enum RunProvenance {
    /// The program's version.
    package static let version = "0.1.0"

    package static var perception: Provenance {
        func network(_ model: ModelFile) -> Provenance.Network {
            Provenance.Network(name: model.name, sha256: model.sha256)
        }
        return Provenance(
            describer: "template",
            detector: ModelCatalogue.detector.name,
            networks: [
                "detector": network(ModelCatalogue.detector), "mesh": network(ModelCatalogue.mesh),
                "eyes": network(ModelCatalogue.eye), "expression": network(ModelCatalogue.expressionFeatures),
                "age": network(ModelCatalogue.age),
                "gender": network(ModelCatalogue.gender),
            ],
            versions: ["facellm": version, "openvino": InferenceCore.version]
        )
    }
}
