/// One line of `facellm.events/1`: an envelope and the fields of its type, side by side in one JSON object.
///
/// Unknown fields are ignored on reading. A line of an unknown type becomes `Payload.unknown` and keeps its
/// envelope, so that a reader can follow `seq` across types that it does not know. A word outside its vocabulary is an
/// error, for it may change what the other fields mean.
package struct Event: Sendable, Hashable {
    package let envelope: Envelope
    package let payload: Payload

    package init(envelope: Envelope, payload: Payload) {
        self.envelope = envelope
        self.payload = payload
    }

    /// The name of the type as it stands in the line; `"track.started"`.
    package var type: String { payload.type }

    /// The fields of an event besides its envelope.
    package enum Payload: Sendable, Hashable {
        case sourceStatus(SourceStatus)
        case trackStarted(TrackChange)
        case trackUpdated(TrackChange)
        case faceAnalysis(FaceAnalysis)
        case faceObservation(FaceObservation)
        case trackEnded(TrackEnd)
        case gap(Gap)
        case runSummary(RunSummary)
        case error(ErrorRecord)
        /// A type that this version does not know, by its name; read but never written.
        case unknown(String)

        /// The name of the type as it stands in the line.
        package var type: String {
            switch self {
            case .sourceStatus: EventType.sourceStatus.rawValue
            case .trackStarted: EventType.trackStarted.rawValue
            case .trackUpdated: EventType.trackUpdated.rawValue
            case .faceAnalysis: EventType.faceAnalysis.rawValue
            case .faceObservation: EventType.faceObservation.rawValue
            case .trackEnded: EventType.trackEnded.rawValue
            case .gap: EventType.gap.rawValue
            case .runSummary: EventType.runSummary.rawValue
            case .error: EventType.error.rawValue
            case .unknown(let name): name
            }
        }
    }
}

/// The types of events that go into a journal or a file, by the names that stand in the lines.
package enum EventType: String, Sendable, Hashable, Codable, CaseIterable {
    /// A source changed its state.
    case sourceStatus = "source.status"
    /// A face was seen often enough to be one.
    case trackStarted = "track.started"
    /// What perception sees of a face changed; at most once a second for a track.
    case trackUpdated = "track.updated"
    /// A describer answered.
    case faceAnalysis = "face.analysis"
    /// One face in one sampled frame; only where asked for.
    case faceObservation = "face.observation"
    /// A face left.
    case trackEnded = "track.ended"
    /// Media or delivery was lost.
    case gap
    /// Last line of a finite run.
    case runSummary = "run.summary"
    /// Something failed that a subscriber should know.
    case error
}

// MARK: - Codable

extension Event: Codable {
    private enum CodingKeys: String, CodingKey {
        case type
    }

    package init(from decoder: any Decoder) throws {
        envelope = try Envelope(from: decoder)
        let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .type)
        payload =
            switch EventType(rawValue: name) {
            case .sourceStatus: .sourceStatus(try SourceStatus(from: decoder))
            case .trackStarted: .trackStarted(try TrackChange(from: decoder))
            case .trackUpdated: .trackUpdated(try TrackChange(from: decoder))
            case .faceAnalysis: .faceAnalysis(try FaceAnalysis(from: decoder))
            case .faceObservation: .faceObservation(try FaceObservation(from: decoder))
            case .trackEnded: .trackEnded(try TrackEnd(from: decoder))
            case .gap: .gap(try Gap(from: decoder))
            case .runSummary: .runSummary(try RunSummary(from: decoder))
            case .error: .error(try ErrorRecord(from: decoder))
            case nil: .unknown(name)
            }
    }

    /// Writes the envelope and the payload into one object.
    ///
    /// - Throws: `EncodingError.invalidValue` for `.unknown`, whose fields were not kept.
    package func encode(to encoder: any Encoder) throws {
        try envelope.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        switch payload {
        case .sourceStatus(let fields): try fields.encode(to: encoder)
        case .trackStarted(let fields), .trackUpdated(let fields): try fields.encode(to: encoder)
        case .faceAnalysis(let fields): try fields.encode(to: encoder)
        case .faceObservation(let fields): try fields.encode(to: encoder)
        case .trackEnded(let fields): try fields.encode(to: encoder)
        case .gap(let fields): try fields.encode(to: encoder)
        case .runSummary(let fields): try fields.encode(to: encoder)
        case .error(let fields): try fields.encode(to: encoder)
        case .unknown(let name):
            throw EncodingError.invalidValue(
                name,
                EncodingError.Context(
                    codingPath: encoder.codingPath,
                    debugDescription: "an event of an unknown type cannot be written again: its fields were not kept"
                )
            )
        }
    }
}
