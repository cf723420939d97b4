internal import Events
package import Faces
package import Imaging

/// A face of a picture that stands alone, and what perception can tell of it at one look.
package struct StillFace: Sendable {
    package let face: PerceivedFace
    /// Pose, eyes and mouth, where they can be told.
    package let facts: Sentence.Facts
}

/// Finds and measures the faces of pictures that stand alone.
package final class StillFaces {
    private let perception: Perception
    private let examiner: FaceExaminer

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        var settings = AnalysisSettings()
        settings.perception.tiling = .auto
        settings.wantsExpression = false
        settings.attributes = [.eyes, .mouth]
        perception = try Perception(core: core, models: models, settings: settings.perception)
        examiner = try FaceExaminer(core: core, models: models, template: perception.template, settings: settings)
    }

    /// The faces of a picture, the largest first.
    package func find(in picture: Picture) throws(FacesError) -> [StillFace] {
        let pyramid = Pyramid(picture)
        var faces: [StillFace] = []
        for face in try perception.faces(ofStill: pyramid) {
            var facts = Sentence.Facts()
            facts.pose = face.pose
            if let measures = try examiner.measures(of: face, eyesAreOpen: false, at: 0, in: pyramid) {
                var eyes = EyeHistory()
                facts.eyes = eyes.see(measures)
                facts.mouth = MouthState(rawValue: measures.mouth.rawValue)
            }
            faces.append(StillFace(face: face, facts: facts))
        }
        return faces
    }
}
