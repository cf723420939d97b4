import Testing

@testable import FaceLLM

/// Several faces at once.
@Suite struct EngineTogetherTests {
    @Test(
        "each face gets the answer that it gets alone",
        arguments: [
            ModelPrecision.reference, ModelPrecision(vision: .int8, text: .int8),
        ]
    )
    func asAlone(_ precision: ModelPrecision) throws {
        let engine = try EngineFixtures.engine { $0.precision = precision }
        var inquiry = FaceInquiry(catalogue: .builtIn, rules: try ConsistencyRules(), question: "What is it?")
        inquiry.description.answer = AnswerOptions(maximumTokens: 30, cutsAtSentence: false)
        let pictures = try (1...11).map { try engine.tiles(of: try EngineFixtures.picture($0)) }
        let together = engine.reports(on: pictures.map { TogetherQuestion(picture: $0) }, inquiry: inquiry)
        #expect(together.count == pictures.count)
        let fresh = try EngineFixtures.engine { $0.precision = precision }
        for (picture, result) in zip(pictures, together) {
            let report = try result.get()
            let alone = try fresh.report(on: picture, inquiry: inquiry)
            #expect(report.fields?.scores == alone.fields?.scores)
            #expect(report.description?.text == alone.description?.text)
            #expect(report.description?.ending == alone.description?.ending)
        }
        #expect(Set(try together.map { try $0.get().description?.text }).count > 1)
    }

    @Test("a failure is its own question's, and an interruption leaves what there is")
    func failures() throws {
        let engine = try EngineFixtures.engine()
        var inquiry = FaceInquiry(rules: try ConsistencyRules(), question: "What is it?")
        inquiry.description.answer = AnswerOptions(maximumTokens: 20, cutsAtSentence: false)
        let flag = CancellationFlag()
        flag.cancel()
        let pictures = try (1...3).map {
            TogetherQuestion(picture: try engine.tiles(of: try EngineFixtures.picture($0)))
        }
        let stopped = engine.reports(on: pictures, inquiry: inquiry, stop: StopCondition(flag: flag))
        for result in stopped { #expect(throws: EngineError.self) { try result.get() } }
        // Sampled answers go one after the other, with the same result as alone.
        inquiry.description.sampling = SamplingOptions(temperature: 1, seed: 3)
        let sampled = engine.reports(on: pictures, inquiry: inquiry)
        for (question, result) in zip(pictures, sampled) {
            let alone = try engine.report(on: question.picture, inquiry: inquiry)
            #expect(try result.get().description?.text == alone.description?.text)
        }
    }
}
