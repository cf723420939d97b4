import Events
import Testing

/// Events with every field set, one or more for each type, and the least that each type may carry.
enum Samples {
    static let frame = FrameRecord(
        index: 250,
        pts: 128_000,
        timeBase: TimeBase(numerator: 1, denominator: 12_800),
        mediaTimeSeconds: 10,
        width: 1920,
        height: 1080,
        rotationDegrees: 90,
        keyframe: true,
        corrupt: false
    )!
    static let bareFrame = FrameRecord(
        index: 0,
        pts: nil,
        timeBase: nil,
        mediaTimeSeconds: 0,
        width: 64,
        height: 48
    )!

    static let pose = PoseRecord(yawDegrees: -12.512, pitchDegrees: 4.25, rollDegrees: 1.8)!
    static let box = BoundingBox(left: 0.412511, top: -0.02, width: 1.0 / 12, height: 0.14815)!
    static let face = FaceRecord(
        boundingBox: box,
        detectionConfidence: 0.97312,
        pose: pose,
        quality: QualityRecord(unifiedScore: 71.53, sharpness: 38.2, illumination: 0.462, interEyeDistance: 64.52),
        landmarks: [Landmark(x: 0.4512, y: 0.27041, z: -0.0123)!, Landmark(x: 0.5, y: 0.5, z: 0)!]
    )
    static let bareFace = FaceRecord(boundingBox: box)

    static let expression = ExpressionRecord(
        label: .happy,
        scores: [.happy: 0.91341, .neutral: 0.0601],
        method: .classifier,
        confidence: 0.91341,
        confidenceKind: .softmax
    )
    static let attributes: [AttributeName: AttributeRecord] = [
        .eyes: AttributeRecord(EyesState.open, method: .geometry),
        .mouth: AttributeRecord(MouthState.wideOpen, confidence: 0.8, confidenceKind: .softmax, method: .classifier),
        .glasses: AttributeRecord("none", confidence: 0.75, confidenceKind: .tokenProbability, method: .vlm),
        .hairColor: AttributeRecord("hidden", method: .vlm, note: "covered_by_headwear"),
        AttributeName(rawValue: "looks_tired")!: AttributeRecord("No", method: .vlm),
        .apparentAgeYears: AttributeRecord(34.26, method: .classifier)!,
        .apparentGender: AttributeRecord(
            ApparentGender.female,
            confidence: 0.88121,
            confidenceKind: .softmax,
            method: .classifier
        ),
    ]
    static let description = DescriptionRecord(
        text: "A \"face\"\nlooks left / smiles. Привет 🙂",
        language: "en",
        method: .vlm,
        question: "Describe the face."
    )
    static let analysis = AnalysisRecord(
        status: .ok,
        reason: "first",
        queueMilliseconds: 12.54,
        durationMilliseconds: 1180.23,
        inputTokens: 287,
        outputTokens: 24,
        rules: [.mouth: "mask_hides_mouth"]
    )
    static let provenance = Provenance(
        describer: "facellm",
        model: "FaceLLM-1B",
        modelSHA256: String(repeating: "0f", count: 32),
        precision: "int8",
        promptSHA256: String(repeating: "a1", count: 32),
        detector: "blazeface-full-range",
        networks: ["mesh": .init(name: "face_landmark.tflite", sha256: String(repeating: "77", count: 32))],
        versions: ["facellm": "0.1.0"]
    )

    static var ledger: Ledger {
        var ledger = Ledger()
        ledger.framesDecoded = 10
        ledger.framesSampled = 4
        ledger.framesUnsampled = 6
        ledger.facesObserved = 15
        ledger.facesAnalysed = 1
        ledger.facesReused = 2
        ledger.facesRejectedQuality = 3
        ledger.facesDroppedOverload = 4
        ledger.facesFailed = 5
        ledger.cropsQueued = 15
        ledger.cropsDescribed = 5
        ledger.cropsReplaced = 4
        ledger.cropsExpired = 3
        ledger.cropsDroppedOverload = 2
        ledger.cropsFailed = 1
        ledger.tracksStarted = 2
        ledger.tracksEnded = 2
        return ledger
    }

    /// The lines of a run in an order that is valid as a file.
    static let run: [Event.Payload] = [
        .sourceStatus(SourceStatus(status: .connecting, attempt: 1)),
        .sourceStatus(
            SourceStatus(
                status: .online,
                reason: "opened",
                video: .init(
                    codec: "h264",
                    width: 1920,
                    height: 1080,
                    framesPerSecond: 30_000.0 / 1001,
                    pixelFormat: "yuv420p",
                    rotationDegrees: 90
                )
            )
        ),
        .faceObservation(FaceObservation(trackID: nil, frame: bareFrame, face: bareFace)),
        .trackStarted(TrackChange(trackID: "t1", frame: bareFrame, face: bareFace)),
        .trackStarted(
            TrackChange(
                trackID: "t2",
                frame: frame,
                face: face,
                expression: expression,
                attributes: attributes,
                analysis: AnalysisRecord(status: .queued)
            )
        ),
        .trackUpdated(
            TrackChange(
                trackID: "t1",
                frame: frame,
                face: face,
                changed: [.expression, .pose, .eyes, .mouth],
                expression: expression,
                attributes: attributes,
                analysis: analysis
            )
        ),
        .faceObservation(
            FaceObservation(
                trackID: "t1",
                frame: frame,
                face: face,
                measures: Measures(Dictionary(uniqueKeysWithValues: Measures.Name.allCases.map { ($0, 0.312_041) })),
                actionUnits: ActionUnits(
                    Dictionary(uniqueKeysWithValues: ActionUnits.Name.allCases.map { ($0, 2.414) })
                ),
                expression: expression,
                attributes: attributes
            )
        ),
        .faceAnalysis(
            FaceAnalysis(
                trackID: "t1",
                frame: frame,
                face: face,
                expression: ExpressionRecord(
                    label: .sad,
                    method: .vlm,
                    confidence: 0.5,
                    confidenceKind: .tokenProbability
                ),
                attributes: attributes,
                description: description,
                analysis: analysis,
                dedup: DedupRecord(
                    decision: .refresh,
                    reason: "pose_changed",
                    distance: 0.127,
                    represents: .init(observations: 48, firstMediaTimeSeconds: 10, lastMediaTimeSeconds: 14.72)
                ),
                provenanceID: "p1"
            )
        ),
        .faceAnalysis(
            FaceAnalysis(
                trackID: "t2",
                frame: bareFrame,
                face: bareFace,
                analysis: AnalysisRecord(status: .engineError)
            )
        ),
        .gap(.media(reason: "decode_errors", fromSeconds: 61.2, toSeconds: 64, lost: 14)),
        .error(ErrorRecord(code: "decoder_failed", message: "the decoder gave up", retryable: false)),
        .trackEnded(
            TrackEnd(
                trackID: "t1",
                reason: .left,
                firstMediaTimeSeconds: 0,
                lastMediaTimeSeconds: 14.72,
                observations: 48,
                analyses: 2,
                summary: .init(
                    dominantExpression: .neutral,
                    expressionShares: [.neutral: 0.75, .happy: 0.25],
                    medianPose: pose,
                    poseRange: TrackEnd.PoseRange(yaw: -12...21.5, pitch: -1...4, roll: 0...0),
                    attributes: attributes,
                    bestShot: TrackEnd.BestShot(mediaTimeSeconds: 12.4, frameIndex: 310, quality: 83.12),
                    description: DescriptionRecord(text: "Looked ahead, neutral.", method: .template)
                )
            )!
        ),
        .trackEnded(
            TrackEnd(
                trackID: "t2",
                reason: .endOfStream,
                firstMediaTimeSeconds: 10,
                lastMediaTimeSeconds: 10,
                observations: 1,
                analyses: 0
            )!
        ),
        .runSummary(
            RunSummary(
                ledger: ledger,
                exitReason: .complete,
                provenance: ["p1": provenance],
                lastMediaTimeSeconds: 14.72,
                elapsedSeconds: 2.5
            )
        ),
    ]

    /// Lines for one connection, of every type and with every field.
    static let connection: [ConnectionLine] = {
        let payloads: [ConnectionLine.Payload] = [
            .hello(
                Hello(
                    versions: ["facellm": "0.1.0"],
                    sources: ["door", "yard"],
                    provenance: ["p1": provenance],
                    notice: "Faces are described by a program."
                )
            ),
            .hello(Hello(versions: ["facellm": "0.1.0"], sources: [])),
            .heartbeat(Heartbeat(ledger: ledger, lagSeconds: 0.21, watermarkMediaTimeSeconds: 61.2)),
            .heartbeat(Heartbeat(ledger: Ledger(), lagSeconds: .nan)),
            .reply(Reply(to: .number(1))),
            .reply(Reply(to: .text("a"), code: "unknown_source", message: "there is no such source", retryable: false)),
        ]
        let time = Timestamp(millisecondsSince1970: 1_772_357_400_250)
        return payloads.map { ConnectionLine($0, instanceID: "9f1c2ab34de05678", publishedAt: time) }
    }()

    /// The run as events; the clock and the name of the instance do not matter.
    static func events(stable: Bool = false, clock: Int64 = 1_772_357_400_250) -> [Event] {
        var factory = EventFactory(
            source: "clip.mp4",
            stable: stable,
            now: { Timestamp(millisecondsSince1970: clock) }
        )
        let time = EventTime(Timestamp(millisecondsSince1970: clock), source: stable ? .arrival : .container)
        return run.map { factory.make($0, epoch: 0, time: time) }
    }

    /// The run as the text of a file.
    static func lines(stable: Bool = false, clock: Int64 = 1_772_357_400_250) throws -> [EventLine] {
        let encoder = EventEncoder()
        return try events(stable: stable, clock: clock).map { try encoder.line($0) }
    }
}

// Test reports name an event by its number and type, not by all of its text.

extension Event: CustomTestStringConvertible {
    public var testDescription: String { "\(envelope.seq ?? 0) \(type)" }
}

extension EventLine: CustomTestStringConvertible {
    public var testDescription: String { description.prefix(40) + "…" }
}

extension ConnectionLine: CustomTestStringConvertible {
    public var testDescription: String { type }
}
