package import Events
internal import Faces

/// What the events of a run were made with.
package enum RunProvenance {
    /// The program's version.
    package static let version = "0.1.0"

    /// The networks that the settings want, and the versions of what runs them.
    package static func perception(_ settings: AnalysisSettings) -> Provenance {
        func network(_ model: ModelFile) -> Provenance.Network {
            Provenance.Network(name: model.name, sha256: model.sha256)
        }
        var networks = ["detector": network(ModelCatalogue.detector), "mesh": network(ModelCatalogue.mesh)]
        if settings.wantsEyes { networks["eyes"] = network(ModelCatalogue.eye) }
        if settings.wantsExpression { networks["expression"] = network(ModelCatalogue.expressionFeatures) }
        if settings.wantsAgeGender {
            networks["age"] = network(ModelCatalogue.age)
            networks["gender"] = network(ModelCatalogue.gender)
        }
        return Provenance(
            describer: "template",
            detector: ModelCatalogue.detector.name,
            networks: networks,
            versions: ["facellm": version, "openvino": InferenceCore.version]
        )
    }
}
