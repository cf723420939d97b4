import Events
import FaceLLM
import TestSupport
import Testing

@testable import Analysis

/// The engine behind the pipeline, with a model of noise: what it says means nothing, how it fails does.
@Suite(
    "FaceLLM as a describer, where it fails",
    .serialized,
    .enabled(if: Installation.tinyCheckpoint != nil, "no ../shared/conformance and no FACELLM_CONFORMANCE"),
    .timeLimit(.minutes(3))
)
struct FaceLLMFailureTests {
    private func describer(contextLimit: Int? = nil, question: String? = "Describe the face.") async throws
        -> FaceLLMDescriber
    {
        var options = Engine.Options(threads: 1)
        options.weightCache = nil
        if let contextLimit { options.contextLimit = contextLimit }
        var inquiry = FaceInquiry(rules: try ConsistencyRules(), question: question)
        inquiry.description.answer = AnswerOptions(length: .sentence, maximumTokens: 16)
        return try await FaceLLMDescriber.open(
            try #require(Installation.tinyCheckpoint),
            options: options,
            inquiry: inquiry
        )
    }

    private func request(_ shade: UInt8 = 128) throws -> DescriptionRequest {
        var request = try DescriptionRequest.sample("t1")
        request.picture = try RGBImage(width: 96, height: 96, red: shade, green: shade, blue: 128)
        return request
    }

    @Test("answers with what it cost")
    func answers() async throws {
        let answer = try await describer().describe(try request())
        #expect([.ok, .partial].contains(answer.status))
        #expect((answer.inputTokens ?? 0) > 0 && (answer.duration ?? .zero) > .zero)
    }

    @Test("a question that it cannot take is told as its failure, and the next one is answered")
    func unusable() async throws {
        let small = try await describer(contextLimit: 8)
        for _ in 0..<2 {
            let answer = await small.describe(try request())
            #expect(answer.status == .engineError && answer.reason == "unusable")
            #expect(answer.description == nil && answer.attributes.isEmpty)
        }
    }

    @Test("told to stop it ends at once, with what failed, and goes on with the next question")
    func cancelled() async throws {
        let describer = try await describer()
        let request = try request(7)
        let task = Task { await describer.describe(request) }
        task.cancel()
        let answer = await task.value
        #expect(answer.status == .engineError && answer.reason == "cancelled")
        #expect([.ok, .partial].contains(await describer.describe(request).status))
    }

    @Test("through the stage each failure ends in the ledger")
    func ledger() async throws {
        let describer = try await describer(contextLimit: 8)
        let stage = DescriptionStage(describer: describer, settings: DescriptionSettings(), isLive: true)
        for number in 0..<3 {
            var request = try request(UInt8(number))
            request.trackID = "t\(number)"
            stage.offer(request)
        }
        while case let requests = stage.take(upTo: stage.mostTogether), !requests.isEmpty {
            for reply in await stage.ask(requests, stoppedBy: StopSwitch()) {
                guard case .faceAnalysis(let analysis) = stage.record(reply) else {
                    Issue.record("no line")
                    continue
                }
                #expect(analysis.analysis.status == .engineError)
            }
        }
        var ledger = Ledger()
        stage.queue.outcomes.add(to: &ledger)
        #expect(ledger.cropsFailed == 3 && ledger.violations(atEnd: true) == [])
        #expect(stage.lastFailure == "unusable")
    }
}
