/// Fields of `track.started` and `track.updated`: what perception sees of a face now.
package struct TrackChange: Sendable, Hashable, Codable {
    /// Ordinal of the track within the run, never given twice; `"t1"`.
    package let trackID: String
    /// The frame in which it was seen.
    package let frame: FrameRecord
    /// The face in that frame.
    package let face: FaceRecord
    /// What changed since the last line of this track; absent in `track.started`.
    package let changed: [Aspect]?
    /// What perception takes the expression for.
    package let expression: ExpressionRecord?
    /// What perception says of eyes, mouth, age and so on.
    package let attributes: [AttributeName: AttributeRecord]?
    /// A sentence about the face at this moment.
    package let description: DescriptionRecord?
    /// Whether a describer is to answer; absent when there is none.
    package private(set) var analysis: AnalysisRecord?

    /// What may change about a face in view.
    package enum Aspect: String, Sendable, Hashable, Codable, CaseIterable {
        /// The label of the expression.
        case expression
        /// The sector that the head points to.
        case pose
        case eyes
        case mouth
    }

    package enum CodingKeys: String, CodingKey {
        case trackID = "track_id"
        case frame
        case face
        case changed
        case expression
        case attributes
        case description
        case analysis
    }

    package init(
        trackID: String,
        frame: FrameRecord,
        face: FaceRecord,
        changed: [Aspect]? = nil,
        expression: ExpressionRecord? = nil,
        attributes: [AttributeName: AttributeRecord]? = nil,
        description: DescriptionRecord? = nil,
        analysis: AnalysisRecord? = nil
    ) {
        self.trackID = trackID
        self.frame = frame
        self.face = face
        self.changed = changed
        self.expression = expression
        self.attributes = attributes
        self.description = description
        self.analysis = analysis
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        trackID = try container.decode(String.self, forKey: .trackID)
        frame = try container.decode(FrameRecord.self, forKey: .frame)
        face = try container.decode(FaceRecord.self, forKey: .face)
        changed = try container.decodeIfPresent([Aspect].self, forKey: .changed)
        expression = try container.decodeIfPresent(ExpressionRecord.self, forKey: .expression)
        attributes = try container.decodeKnownKeysIfPresent(forKey: .attributes)
        description = try container.decodeIfPresent(DescriptionRecord.self, forKey: .description)
        analysis = try container.decodeIfPresent(AnalysisRecord.self, forKey: .analysis)
    }

    /// The same, with what became of the describer's part.
    package func with(analysis: AnalysisRecord) -> TrackChange {
        var copy = self
        copy.analysis = analysis
        return copy
    }

    /// The same without what differs between two runs.
    func withoutDurations() -> TrackChange {
        var copy = self
        copy.analysis = analysis?.withoutDurations()
        return copy
    }
}

/// Fields of `track.ended`: a face left, and what was seen of it in sum.
package struct TrackEnd: Sendable, Hashable, Codable {
    /// The track that ended; `"t1"`.
    package let trackID: String
    /// Why it ended.
    package let reason: Reason
    /// Media time of the first observation, seconds; `10.0`.
    package let firstMediaTimeSeconds: Double
    /// Media time of the last observation, seconds, not before the first; `14.72`.
    package let lastMediaTimeSeconds: Double
    /// Sampled frames in which it was observed, ≥ 1; `48`.
    package let observations: Int
    /// Answers of the describer before this line, ≥ 0, failures not counted; `2`.
    ///
    /// Where there is no describer, those of the expression classifier.
    package private(set) var analyses: Int
    /// Numbers over the whole track.
    package let summary: Summary

    /// Why a track ended.
    package enum Reason: String, Sendable, Hashable, Codable, CaseIterable {
        /// It was not seen any more.
        case left
        /// The media ended.
        case endOfStream = "end_of_stream"
        /// The timeline broke.
        case epoch
        /// The picture cut to another scene.
        case sceneCut = "scene_cut"
        /// The run was stopped.
        case interrupted
    }

    package enum CodingKeys: String, CodingKey {
        case trackID = "track_id"
        case reason
        case firstMediaTimeSeconds = "first_media_time_s"
        case lastMediaTimeSeconds = "last_media_time_s"
        case observations
        case analyses
    }

    /// Rounds the times; `nil` when one is not finite.
    package init?(
        trackID: String,
        reason: Reason,
        firstMediaTimeSeconds: Double,
        lastMediaTimeSeconds: Double,
        observations: Int,
        analyses: Int,
        summary: Summary = Summary()
    ) {
        guard let first = NumberFormat.seconds(firstMediaTimeSeconds),
            let last = NumberFormat.seconds(lastMediaTimeSeconds)
        else { return nil }
        self.trackID = trackID
        self.reason = reason
        self.firstMediaTimeSeconds = first
        self.lastMediaTimeSeconds = last
        self.observations = observations
        self.analyses = analyses
        self.summary = summary
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        trackID = try container.decode(String.self, forKey: .trackID)
        reason = try container.decode(Reason.self, forKey: .reason)
        firstMediaTimeSeconds = try container.decode(Double.self, forKey: .firstMediaTimeSeconds)
        lastMediaTimeSeconds = try container.decode(Double.self, forKey: .lastMediaTimeSeconds)
        observations = try container.decode(Int.self, forKey: .observations)
        analyses = try container.decode(Int.self, forKey: .analyses)
        summary = try Summary(from: decoder)
    }

    /// The same with another number of analyses.
    package func with(analyses: Int) -> TrackEnd {
        var copy = self
        copy.analyses = analyses
        return copy
    }

    /// Writes the summary beside the other fields.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(trackID, forKey: .trackID)
        try container.encode(reason, forKey: .reason)
        try container.encode(firstMediaTimeSeconds, forKey: .firstMediaTimeSeconds)
        try container.encode(lastMediaTimeSeconds, forKey: .lastMediaTimeSeconds)
        try container.encode(observations, forKey: .observations)
        try container.encode(analyses, forKey: .analyses)
        try summary.encode(to: encoder)
    }
}
