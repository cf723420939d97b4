import Analysis
import Events
import FaceLLM
import Synchronization
import Testing

/// A describer that answers as a test wants it to, and remembers what it was asked.
final class FakeDescriber: FaceDescriber {
    typealias Answer = @Sendable (DescriptionRequest, _ number: Int) async -> DescriptionAnswer

    let provenance = Provenance(describer: "facellm", model: "fake", versions: ["facellm": RunProvenance.version])
    /// Each request as it comes.
    let started: AsyncStream<DescriptionRequest>
    private let asked = Mutex<[DescriptionRequest]>([])
    private let continuation: AsyncStream<DescriptionRequest>.Continuation
    private let answer: Answer

    init(_ answer: @escaping Answer = FakeDescriber.ok) {
        self.answer = answer
        (started, continuation) = AsyncStream.makeStream()
    }

    var requests: [DescriptionRequest] { asked.withLock { $0 } }

    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        let number = asked.withLock { asked in
            asked.append(request)
            return asked.count
        }
        continuation.yield(request)
        return await answer(request, number)
    }

    // MARK: - Answers

    static let ok: Answer = { request, number in
        var answer = DescriptionAnswer(status: .ok)
        answer.expression = ExpressionRecord(
            label: .happy,
            method: .vlm,
            confidence: 0.75,
            confidenceKind: .tokenProbability
        )
        answer.attributes = [
            .glasses: AttributeRecord("none", confidence: 0.9, confidenceKind: .tokenProbability, method: .vlm),
            .hairColor: AttributeRecord("hidden", method: .vlm, note: "covered_by_headwear"),
        ]
        answer.attributes[AttributeName(rawValue: "looks_tired") ?? .lighting] = AttributeRecord("no", method: .vlm)
        answer.description = DescriptionRecord(text: "Answer \(number).", method: .vlm, question: "Who is asking?")
        answer.inputTokens = 300
        answer.outputTokens = 20
        answer.duration = .milliseconds(900)
        return answer
    }

    static let broken: Answer = { _, _ in DescriptionAnswer(status: .engineError, reason: "out_of_memory") }

    /// Works until it is told to stop.
    static let endless: Answer = { _, _ in
        let (never, continuation) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}
        continuation.finish()
        return DescriptionAnswer(status: .engineError, reason: "cancelled")
    }

    /// Hangs: neither answers nor stops until the gate is opened.
    static func deaf(until gate: Gate) -> Answer {
        { request, number in
            // A task's value is waited for however much its reader is cancelled.
            await Task { _ = await gate.wait() }.value
            return await ok(request, number)
        }
    }

    /// Answers when the test says so, or when it is told to stop.
    static func waiting(for gate: Gate) -> Answer {
        { request, number in
            await gate.wait() ? await ok(request, number) : DescriptionAnswer(status: .engineError, reason: "cancelled")
        }
    }
}

/// Lets one caller after the other through, as often as it is opened.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func open() { continuation.yield() }

    /// - Returns: false where the task was cancelled.
    func wait() async -> Bool {
        for await _ in stream { return true }
        return false
    }
}

extension DescriptionRequest {
    /// A request with no more in it than queues look at.
    static func sample(
        _ track: String,
        at time: Double = 0,
        reason: Reason = .new,
        quality: Float = 50
    ) throws -> DescriptionRequest {
        DescriptionRequest(
            trackID: track,
            frame: try #require(
                FrameRecord(index: 0, pts: nil, timeBase: nil, mediaTimeSeconds: time, width: 64, height: 48)
            ),
            face: FaceRecord(boundingBox: try #require(BoundingBox(left: 0, top: 0, width: 0.5, height: 0.5))),
            picture: try RGBImage(width: 1, height: 1, red: 0, green: 0, blue: 0),
            reason: reason,
            quality: quality
        )
    }
}
