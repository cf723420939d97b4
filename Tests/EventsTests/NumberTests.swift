import Events
import Testing

@Suite("Numbers and times in events")
struct NumberTests {
    static let unusable: [Double] = [.nan, .signalingNaN, .infinity, -.infinity]

    @Test(
        "rounding to decimals",
        arguments: [
            (NumberFormat.ratio, 0.1234567, 0.12346), (.degrees, -12.345, -12.35), (.seconds, 1.0 / 3, 0.333333),
            (.probability, 1.0000001, 1), (.probability, -0.3, 0), (.tenths, 0.05, 0.1), (.thousandths, 2.0005, 2.001),
            (.ratio, 1e300, 1e300), (.seconds, -0.0000001, 0), (.tenths, .leastNonzeroMagnitude, 0),
        ]
    )
    func rounding(format: NumberFormat, value: Double, expected: Double) throws {
        let rounded = try #require(format(value))
        #expect(rounded == expected)
        #expect(rounded.sign == .plus || rounded != 0, "−0 is not 0 in the text of a line")
    }

    @Test("no finite number becomes one that is not", arguments: NumberFormat.allCases)
    func finite(format: NumberFormat) throws {
        for value in [Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude, 0x1p53, .leastNonzeroMagnitude] {
            #expect(try #require(format(value)).isFinite)
        }
        for value in Self.unusable {
            #expect(format(value) == nil)
        }
        #expect(format(Float.nan) == nil && format(nil as Double?) == nil)
    }

    @Test("a number that is not finite is left out or refuses the record", arguments: unusable)
    func neverNaN(value: Double) throws {
        #expect(BoundingBox(left: value, top: 0, width: 1, height: 1) == nil)
        #expect(PoseRecord(yawDegrees: 0, pitchDegrees: value, rollDegrees: 0) == nil)
        #expect(Landmark(x: 0, y: 0, z: value) == nil)
        #expect(AttributeRecord(value, method: .classifier) == nil)
        #expect(TrackEnd.BestShot(mediaTimeSeconds: 0, frameIndex: 0, quality: value) == nil)
        #expect(
            FrameRecord(index: 0, pts: nil, timeBase: nil, mediaTimeSeconds: value, width: 1, height: 1) == nil
        )
        let expression = ExpressionRecord(
            label: .sad,
            scores: [.sad: value, .happy: 0.25],
            method: .classifier,
            confidence: value,
            confidenceKind: .softmax
        )
        #expect(expression.scores == [.happy: 0.25] && expression.confidence == nil)
        #expect(expression.confidenceKind == .none)
        var measures = Measures([.smile: value, .browRaise: 1])
        measures[.browFurrow] = value
        #expect(measures.values == [.browRaise: 1])
        #expect(ActionUnits([.au01: value, .au02: 9, .au04: -1]).values == [.au02: 5, .au04: 0])

        var factory = EventFactory(source: "door")
        let face = FaceRecord(
            boundingBox: Samples.box,
            detectionConfidence: value,
            quality: QualityRecord(
                unifiedScore: value,
                sharpness: value,
                illumination: value,
                interEyeDistance: value
            )
        )
        let events = [
            factory.make(
                .faceObservation(
                    FaceObservation(
                        trackID: nil,
                        frame: Samples.frame,
                        face: face,
                        measures: measures,
                        expression: expression
                    )
                )
            ),
            factory.make(.gap(.media(reason: "reconnect", fromSeconds: value, toSeconds: value))),
            factory.make(
                .faceAnalysis(
                    FaceAnalysis(
                        trackID: "t1",
                        frame: Samples.frame,
                        face: face,
                        analysis: AnalysisRecord(
                            status: .ok,
                            queueMilliseconds: value,
                            durationMilliseconds: value
                        ),
                        dedup: DedupRecord(decision: .new, distance: value)
                    )
                )
            ),
            factory.make(
                .sourceStatus(
                    SourceStatus(
                        status: .online,
                        video: .init(codec: "h264", width: 1, height: 1, framesPerSecond: value)
                    )
                )
            ),
            factory.make(
                .runSummary(
                    RunSummary(
                        ledger: Ledger(),
                        exitReason: .failure,
                        provenance: [:],
                        lastMediaTimeSeconds: value,
                        elapsedSeconds: value
                    )
                )
            ),
        ]
        for event in events {
            let text = try EventEncoder().line(event).description.lowercased()
            #expect(!text.contains(":nan") && !text.contains(":inf") && !text.contains(":-inf"))
        }
    }

    @Test(
        "times are RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_772_357_400_250, "2026-03-01T09:30:00.250Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func timestamps(milliseconds: Int64, text: String) {
        let timestamp = Timestamp(millisecondsSince1970: milliseconds)
        #expect(timestamp.description == text)
        #expect(Timestamp(text) == timestamp)
    }

    @Test("days in a row give dates that read back, over 800 years")
    func everyDay() {
        for day in stride(from: Int64(-150_000), to: 150_000, by: 3) {
            let timestamp = Timestamp(millisecondsSince1970: day * 86_400_000 + 1)
            #expect(Timestamp(timestamp.description) == timestamp)
        }
    }

    @Test(
        "other forms and dates that do not exist are refused",
        arguments: [
            "", "2026-03-01", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.250+01:00", "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z",
            "２026-01-01T00:00:00.00Z", "-026-01-01T00:00:00.000Z", "2026-01-01t00:00:00.000z",
        ]
    )
    func badTimestamps(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("times from seconds are rounded, not cut")
    func seconds() {
        #expect(Timestamp(secondsSince1970: 0.0005)?.millisecondsSince1970 == 1)
        #expect(Timestamp(secondsSince1970: 1_772_357_400.123)?.description == "2026-03-01T09:30:00.123Z")
        for value in Self.unusable + [1e300, 1e13] {
            #expect(Timestamp(secondsSince1970: value) == nil)
        }
        #expect(Timestamp.now() > Timestamp(millisecondsSince1970: 0))
    }
}
