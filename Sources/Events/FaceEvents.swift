/// Fields of `face.analysis`: a describer answered, or failed to.
///
/// In a recorded file the lines of a track come before its `track.ended`; a live source does not wait for the
/// describer, so there they may come after. `frame` is the one that the describer saw, which may lie a while back.
package struct FaceAnalysis: Sendable, Hashable, Codable {
    /// The track that the face belongs to; `"t1"`.
    package let trackID: String
    /// The frame that the describer saw.
    package let frame: FrameRecord
    /// The face in that frame.
    package let face: FaceRecord
    /// What the face shows.
    package let expression: ExpressionRecord?
    /// Attributes by name; those switched off or not answered are absent.
    package let attributes: [AttributeName: AttributeRecord]?
    /// The answer in words.
    package let description: DescriptionRecord?
    /// How the work went.
    package private(set) var analysis: AnalysisRecord
    /// Why the describer was asked and for what its answer stands.
    package let dedup: DedupRecord?
    /// Key of the table `provenance` in `hello` and `run.summary`; `"p1"`.
    package let provenanceID: String?

    package enum CodingKeys: String, CodingKey {
        case trackID = "track_id"
        case frame
        case face
        case expression
        case attributes
        case description
        case analysis
        case dedup
        case provenanceID = "provenance_id"
    }

    package init(
        trackID: String,
        frame: FrameRecord,
        face: FaceRecord,
        expression: ExpressionRecord? = nil,
        attributes: [AttributeName: AttributeRecord]? = nil,
        description: DescriptionRecord? = nil,
        analysis: AnalysisRecord,
        dedup: DedupRecord? = nil,
        provenanceID: String? = nil
    ) {
        self.trackID = trackID
        self.frame = frame
        self.face = face
        self.expression = expression
        self.attributes = attributes
        self.description = description
        self.analysis = analysis
        self.dedup = dedup
        self.provenanceID = provenanceID
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        trackID = try container.decode(String.self, forKey: .trackID)
        frame = try container.decode(FrameRecord.self, forKey: .frame)
        face = try container.decode(FaceRecord.self, forKey: .face)
        expression = try container.decodeIfPresent(ExpressionRecord.self, forKey: .expression)
        attributes = try container.decodeKnownKeysIfPresent(forKey: .attributes)
        description = try container.decodeIfPresent(DescriptionRecord.self, forKey: .description)
        analysis = try container.decode(AnalysisRecord.self, forKey: .analysis)
        dedup = try container.decodeIfPresent(DedupRecord.self, forKey: .dedup)
        provenanceID = try container.decodeIfPresent(String.self, forKey: .provenanceID)
    }

    /// The same without what differs between two runs.
    func withoutDurations() -> FaceAnalysis {
        var copy = self
        copy.analysis = analysis.withoutDurations()
        return copy
    }
}

/// Fields of `face.observation`: one face in one sampled frame.
package struct FaceObservation: Sendable, Hashable, Codable {
    /// The track that the face belongs to; absent until there is one; `"t1"`.
    package let trackID: String?
    /// The sampled frame.
    package let frame: FrameRecord
    /// The face in that frame.
    package let face: FaceRecord
    /// Distances in the mesh; absent when there was no mesh.
    package let measures: Measures?
    /// Approximate action units; absent when there was no mesh.
    package let actionUnits: ActionUnits?
    /// What perception takes the expression for, with its scores.
    package let expression: ExpressionRecord?
    /// What perception says of eyes, mouth, age and so on.
    package let attributes: [AttributeName: AttributeRecord]?

    package enum CodingKeys: String, CodingKey {
        case trackID = "track_id"
        case frame
        case face
        case measures
        case actionUnits = "action_units"
        case expression
        case attributes
    }

    package init(
        trackID: String?,
        frame: FrameRecord,
        face: FaceRecord,
        measures: Measures? = nil,
        actionUnits: ActionUnits? = nil,
        expression: ExpressionRecord? = nil,
        attributes: [AttributeName: AttributeRecord]? = nil
    ) {
        self.trackID = trackID
        self.frame = frame
        self.face = face
        self.measures = measures
        self.actionUnits = actionUnits
        self.expression = expression
        self.attributes = attributes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        trackID = try container.decodeIfPresent(String.self, forKey: .trackID)
        frame = try container.decode(FrameRecord.self, forKey: .frame)
        face = try container.decode(FaceRecord.self, forKey: .face)
        measures = try container.decodeIfPresent(Measures.self, forKey: .measures)
        actionUnits = try container.decodeIfPresent(ActionUnits.self, forKey: .actionUnits)
        expression = try container.decodeIfPresent(ExpressionRecord.self, forKey: .expression)
        attributes = try container.decodeKnownKeysIfPresent(forKey: .attributes)
    }
}
