import Analysis
import Events
import FaceLLM
import Faces
import Foundation
import Logging
import Service
import Synchronization
import TestSupport
import Testing

/// A describer that answers as a test wants it to, and remembers what it was asked.
final class FakeDescriber: FaceDescriber {
    let provenance = Provenance(describer: "facellm", model: "fake", versions: ["facellm": RunProvenance.version])
    private let asked = Mutex<[DescriptionRequest]>([])
    private let delay: Duration
    private let answer: DescriptionAnswer

    init(delay: Duration = .zero, answer: DescriptionAnswer = DescriptionAnswer(status: .ok)) {
        (self.delay, self.answer) = (delay, answer)
    }

    var requests: [DescriptionRequest] { asked.withLock { $0 } }

    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        asked.withLock { $0.append(request) }
        if delay > .zero, (try? await Task.sleep(for: delay)) == nil {
            return DescriptionAnswer(status: .engineError, reason: "cancelled")
        }
        var answer = answer
        if answer.status == .ok { answer.description = DescriptionRecord(text: "A face.", method: .vlm) }
        return answer
    }
}

/// A describer that neither answers nor stops until it is let go.
final class HangingDescriber: FaceDescriber {
    let provenance = Provenance(describer: "facellm", model: "fake", versions: ["facellm": RunProvenance.version])
    private let begun = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let gate = AsyncStream.makeStream(of: Never.self)

    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        begun.continuation.yield()
        // A task's value is waited for however much its reader is cancelled.
        await Task { [gate] in for await _ in gate.stream {} }.value
        return DescriptionAnswer(status: .ok)
    }

    /// Waits for the first question.
    func hasBegun() async { for await _ in begun.stream { return } }

    /// Answers, now and from now on.
    func letGo() { gate.continuation.finish() }
}

extension DescriptionRequest {
    /// One that nothing is in.
    static func test() throws -> DescriptionRequest {
        DescriptionRequest(
            trackID: "t1",
            frame: try #require(
                FrameRecord(index: 0, pts: nil, timeBase: nil, mediaTimeSeconds: 0, width: 64, height: 48)
            ),
            face: FaceRecord(boundingBox: try #require(BoundingBox(left: 0, top: 0, width: 0.5, height: 0.5))),
            picture: try RGBImage(width: 1, height: 1, red: 0, green: 0, blue: 0),
            reason: .new,
            quality: 50
        )
    }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let content: Mutex<Value>

    init(_ value: Value) { content = Mutex(value) }

    var value: Value { content.withLock { $0 } }

    /// - Returns: the value after the change.
    @discardableResult
    func change(_ body: @Sendable (inout Value) -> Void) -> Value {
        content.withLock { content in
            body(&content)
            return content
        }
    }
}

/// A bus and all that came over it.
final class Tape: Sendable {
    let bus = EventBus()
    private let lines: Subscription

    init() { lines = bus.subscribe(maximumQueueBytes: 1 << 26) }

    /// Everything until the first event that satisfies `isLast`; to be continued.
    func read(until isLast: (Event) -> Bool) async throws -> [Event] {
        var events: [Event] = []
        let decoder = EventDecoder()
        while let batch = await lines.next(maximumBytes: 1) {
            for delivery in batch {
                let event = try decoder.event(delivery.line.bytes)
                events.append(event)
                if isLast(event) { return events }
            }
        }
        return events
    }

    /// Everything to the end; the bus must have been finished.
    func rest() async throws -> [Event] { try await read { _ in false } }
}

extension [Event] {
    var statuses: [SourceStatus] {
        compactMap { if case .sourceStatus(let status) = $0.payload { status } else { nil } }
    }
    var started: [TrackChange] {
        compactMap { if case .trackStarted(let change) = $0.payload { change } else { nil } }
    }
    var ended: [TrackEnd] { compactMap { if case .trackEnded(let end) = $0.payload { end } else { nil } } }
    var gaps: [Gap] { compactMap { if case .gap(let gap) = $0.payload { gap } else { nil } } }
    var analyses: [FaceAnalysis] {
        compactMap { if case .faceAnalysis(let analysis) = $0.payload { analysis } else { nil } }
    }
    var errors: [ErrorRecord] { compactMap { if case .error(let error) = $0.payload { error } else { nil } } }
    var summary: RunSummary? {
        if case .runSummary(let summary) = last?.payload { summary } else { nil }
    }
}

extension SourceSupervisor.Surroundings {
    static func test(_ tape: Tape, pool: DescriberPool? = nil) throws -> Self {
        var surroundings = Self(
            bus: tape.bus,
            models: ModelFolder(path: Installation.models),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        surroundings.modelCache = try Installation.cache.get().path
        surroundings.pool = pool
        return surroundings
    }
}

extension SourceSettings {
    /// A source as a configuration would have it.
    static func test(_ name: String, _ place: String, _ change: (inout WatchSettings) -> Void = { _ in }) throws -> Self
    {
        var source = SourceSettings()
        source.name = name
        source.address = try SourceAddress(place)
        source.url = source.address
        change(&source.watch)
        return source
    }
}

extension DescriberPool {
    /// One whose describer is there at once.
    static func ready(_ describer: any FaceDescriber, patience: Duration = .seconds(60)) async -> DescriberPool {
        let pool = DescriberPool(patience: patience) { describer }
        await pool.run()
        return pool
    }
}
