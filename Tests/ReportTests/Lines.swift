import Events
import Report
import Testing

/// Events of small runs, made as the program makes them.
struct Lines {
    private var factory: EventFactory
    private(set) var events: [Event] = []

    init(source: String? = "party.mp4", instance: String = "run-a", stable: Bool = false) {
        factory = EventFactory(instanceID: instance, source: source, stable: stable) {
            Timestamp(millisecondsSince1970: 1_770_000_000_000)
        }
    }

    mutating func add(_ payload: Event.Payload, source: String? = nil) {
        events.append(factory.make(payload, source: source))
    }

    /// A face that is seen at each of `times`, from its first line to its last.
    mutating func addFace(
        _ id: String,
        at times: [Double],
        label: ExpressionLabel = .happy,
        text: String = "A face.",
        attributes: [AttributeName: AttributeRecord]? = nil,
        observes: Bool = false,
        source: String? = nil
    ) throws {
        for (index, time) in times.enumerated() {
            let change = TrackChange(
                trackID: id,
                frame: try Self.frame(time),
                face: try Self.face(yaw: Double(index) * 5),
                expression: ExpressionRecord(label: label, method: .classifier, confidenceKind: .none),
                attributes: attributes,
                description: DescriptionRecord(text: text, method: .template)
            )
            add(index == 0 ? .trackStarted(change) : .trackUpdated(change), source: source)
            if observes { add(.faceObservation(try Self.observation(id, at: time)), source: source) }
        }
        let end = try #require(
            TrackEnd(
                trackID: id,
                reason: .left,
                firstMediaTimeSeconds: times.min() ?? 0,
                lastMediaTimeSeconds: times.max() ?? 0,
                observations: times.count,
                analyses: 1,
                summary: TrackEnd.Summary(dominantExpression: label, expressionShares: [label: 1])
            )
        )
        add(.trackEnded(end), source: source)
    }

    mutating func addSummary() {
        var ledger = Ledger()
        ledger.framesDecoded = 30
        ledger.framesSampled = 10
        ledger.framesUnsampled = 20
        add(
            .runSummary(
                RunSummary(
                    ledger: ledger,
                    exitReason: .complete,
                    provenance: ["perception": Provenance(describer: "perception", versions: ["facellm": "0.1.0"])],
                    elapsedSeconds: 2
                )
            )
        )
    }

    static func frame(_ time: Double) throws -> FrameRecord {
        try #require(
            FrameRecord(
                index: Int(time * 30),
                pts: nil,
                timeBase: nil,
                mediaTimeSeconds: time,
                width: 1280,
                height: 720
            )
        )
    }

    static func face(yaw: Double = 0, pitch: Double = 0, roll: Double = 0) throws -> FaceRecord {
        FaceRecord(
            boundingBox: try #require(BoundingBox(left: 0.25, top: 0.125, width: 0.1, height: 0.2)),
            detectionConfidence: 0.9,
            pose: PoseRecord(yawDegrees: yaw, pitchDegrees: pitch, rollDegrees: roll),
            quality: QualityRecord(unifiedScore: 60)
        )
    }

    static func observation(_ id: String?, at time: Double) throws -> FaceObservation {
        FaceObservation(
            trackID: id,
            frame: try frame(time),
            face: try face(yaw: 30, pitch: 10, roll: -5),
            measures: Measures([.smile: 0.05]),
            actionUnits: ActionUnits([.au12: 2.5]),
            expression: ExpressionRecord(
                label: .happy,
                scores: [.happy: 0.75, .neutral: 0.25],
                method: .classifier,
                confidence: 0.75,
                confidenceKind: .softmax
            )
        )
    }

    /// The bytes of the file.
    func bytes() throws -> [UInt8] {
        let encoder = EventEncoder()
        return try events.flatMap { try encoder.line($0).bytes }
    }

    var story: ReportStory {
        var story = ReportStory()
        for event in events { story.see(event) }
        return story
    }

    var page: String { ReportPage(story, counts: EventReading.Counts()).html }
}
