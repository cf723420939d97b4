import ArgumentParser
import Events
import FoundationEssentials
import Journal

/// `facellm-bench journal`: what publishing, keeping, replaying and fanning out lines costs.
struct JournalBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Lines a second through the bus, into the journal, out of it and to subscribers."
    )

    @Option(help: "How many lines.")
    var lines = 100_000

    @Option(help: "How many live subscribers.")
    var subscribers = 10

    @Option(help: "A folder on the disk to be measured; one of its own is made in it and removed.")
    var folder = FileManager.default.temporaryDirectory.path

    func run() async throws {
        let directory = folder + "/facellm-bench-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let id = EventFactory.randomInstanceID()
        let journal = try Journal(directory: directory, instanceID: id) { print($0.record.message) }
        let bus = EventBus(instanceID: id, store: journal)
        guard let payload = Self.payload else { return }

        // Debug builds are refused by the main program, so there is nothing to warm up but the first page.
        try bus.publish(payload, source: "door")
        await journal.flush()
        let subscriptions = (0..<subscribers).map { _ in bus.subscribe() }
        print("what                              lines/s      µs a line")
        let clock = ContinuousClock()

        var longest = Duration.zero
        let start = clock.now
        for _ in 0..<lines {
            longest = max(longest, try clock.measure { try bus.publish(payload, source: "door") })
        }
        tell("publish", lines, clock.now - start)
        let kept = await journal.flush()
        tell("publish and keep", lines, clock.now - start)
        let status = await journal.status()
        print("kept: \(kept), lost: \(status.lostLines), longest publish: \(longest)")
        print("database: \(status.fileBytes / (1 << 20)) MiB, \(status.fileBytes / (lines + 1)) bytes a line")

        var replayed = 0
        let took = await clock.measure {
            var position = ReplayPosition.oldest
            while true {
                let page = await journal.read(from: position)
                replayed += page.items.count
                if page.isAtEnd { break }
                position = page.position
            }
        }
        tell("replay", replayed, took)

        bus.finish()
        var delivered = 0
        let fanOut = await clock.measure {
            for subscription in subscriptions {
                while let deliveries = await subscription.next() { delivered += deliveries.count }
            }
        }
        tell("read what \(subscribers) queues hold", delivered, fanOut)
        await journal.close()
    }

    private func tell(_ what: String, _ lines: Int, _ time: Duration) {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        let rate = String(Int(Double(lines) / seconds))
        let each = String((seconds / Double(max(1, lines)) * 1e7).rounded() / 10)
        let space = String(repeating: " ", count: max(1, 33 - what.count))
        print(what + space + rate + String(repeating: " ", count: max(1, 16 - rate.count)) + each)
    }

    /// A line of the usual kind and length.
    private static var payload: Event.Payload? {
        guard let box = BoundingBox(left: 0.41, top: 0.2, width: 0.08, height: 0.15),
            let pose = PoseRecord(yawDegrees: -12.5, pitchDegrees: 4.2, rollDegrees: 1.8),
            let frame = FrameRecord(
                index: 250,
                pts: 128_000,
                timeBase: TimeBase(numerator: 1, denominator: 12_800),
                mediaTimeSeconds: 10,
                width: 1920,
                height: 1080
            )
        else { return nil }
        let face = FaceRecord(
            boundingBox: box,
            detectionConfidence: 0.97,
            pose: pose,
            quality: QualityRecord(unifiedScore: 71.5, sharpness: 38.2, illumination: 0.46, interEyeDistance: 64.5)
        )
        return .trackUpdated(
            TrackChange(
                trackID: "t1",
                frame: frame,
                face: face,
                changed: [.expression],
                expression: ExpressionRecord(
                    label: .happy,
                    scores: [.happy: 0.9134, .neutral: 0.0601],
                    method: .classifier,
                    confidence: 0.9134,
                    confidenceKind: .softmax
                ),
                attributes: [.eyes: AttributeRecord(EyesState.open, method: .geometry)]
            )
        )
    }
}
