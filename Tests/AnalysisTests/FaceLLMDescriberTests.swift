import Events
import FaceLLM
import Foundation
import Testing

@testable import Analysis

/// FaceLLM behind the pipeline, with a model of noise: its words mean nothing, all the rest counts.
@Suite struct FaceLLMDescriberTests {
    /// A folder with a tiny model, removed afterwards.
    private func withModel(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-noise-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try RandomCheckpoint(.tiny, seed: 7).write(to: path)
        try await body(path)
    }

    private func request(_ track: String, shade: UInt8) throws -> DescriptionRequest {
        let sample = try DescriptionRequest.sample(track)
        return DescriptionRequest(
            trackID: track,
            frame: sample.frame,
            face: sample.face,
            picture: try RGBImage(width: 32, height: 32, red: shade, green: 255 - shade, blue: shade / 2),
            reason: .new,
            quality: 50
        )
    }

    /// What a line would hold of an answer.
    private func words(_ answer: DescriptionAnswer) -> DescriptionAnswer {
        var answer = answer
        answer.duration = nil
        return answer
    }

    @Test func facesTogetherGetTheAnswersThatTheyGetAlone() async throws {
        try await withModel { path in
            var inquiry = FaceInquiry(catalogue: .builtIn, rules: try ConsistencyRules(), question: "What is it?")
            inquiry.description.answer = AnswerOptions(maximumTokens: 20, cutsAtSentence: false)
            let options = Engine.Options(threads: 2)
            let describer = try await FaceLLMDescriber.open(path, options: options, inquiry: inquiry)
            #expect(describer.mostTogether == FaceLLMDescriber.usualTogether)
            var requests = try (1...5).map { try request("t\($0)", shade: UInt8($0 * 40)) }
            requests[2].previousDescription = "What it said before."
            let together = await describer.describe(requests)
            let fresh = try await FaceLLMDescriber.open(path, options: options, inquiry: inquiry, mostTogether: 1)
            #expect(fresh.mostTogether == 1)
            for (request, answer) in zip(requests, together) {
                #expect(words(await fresh.describe(request)) == words(answer))
                #expect(answer.status == .ok && answer.description != nil && answer.outputTokens == 20)
            }
            #expect(together.count == requests.count && Set(together.map { $0.description?.text }).count > 1)
        }
    }

    @Test func aFaceIsDescribedByAllItsMomentsAndItsFieldsByOne() async throws {
        try await withModel { path in
            var inquiry = FaceInquiry(catalogue: .builtIn, rules: try ConsistencyRules(), question: "What is it?")
            inquiry.description.answer = AnswerOptions(maximumTokens: 12, cutsAtSentence: false)
            let describer = try await FaceLLMDescriber.open(path, options: .init(threads: 2), inquiry: inquiry)
            let one = try request("t1", shade: 40)
            var several = one
            several.moments = [one.picture, try request("t1", shade: 200).picture]
            let answers = await describer.describe([one, several, one])
            #expect(words(answers[0]) == words(answers[2]))
            #expect(answers[1].attributes == answers[0].attributes)
            #expect(answers[1].description?.text != answers[0].description?.text)
            // An image and its name more.
            #expect((answers[1].inputTokens ?? 0) > (answers[0].inputTokens ?? 0))
            #expect(words(await describer.describe(several)) == words(answers[1]))
        }
    }

    @Test func aRuleThatTookAnAnswerAwayIsNamed() async throws {
        try await withModel { path in
            let fields = """
                {"built_in_rules": false, "fields": [
                  {"name": "first", "stem": "It is", "options": [{"value": "a"}, {"value": "b"}]},
                  {"name": "second", "stem": "It is", "options": [{"value": "c"}, {"value": "d"}]},
                  {"name": "third", "stem": "It is", "options": [{"value": "e"}, {"value": "f"}]}],
                 "rules": [
                  {"name": "first_hides_second", "if": {"field": "first", "values": ["a", "b"]},
                   "then": {"field": "second", "not_applicable": true}, "decided_by": "condition"},
                  {"name": "first_needs_e", "if": {"field": "first", "values": ["a", "b"]},
                   "then": {"field": "third", "values": ["e"]}, "decided_by": "condition"}]}
                """
            let (catalogue, rules) = try UserFields(json: Array(fields.utf8)).resolved()
            let inquiry = FaceInquiry(catalogue: try catalogue.selecting(["first", "second", "third"]), rules: rules)
            let describer = try await FaceLLMDescriber.open(path, options: .init(threads: 1), inquiry: inquiry)
            let answer = await describer.describe(try request("t1", shade: 90))
            let second = try #require(AttributeName(rawValue: "second"))
            let third = try #require(AttributeName(rawValue: "third"))
            #expect(answer.status == .ok && answer.reason == "consistency_rules")
            #expect(answer.rules[second] == "first_hides_second" && answer.attributes[second] == nil)
            #expect(answer.attributes[third]?.value == .text("e"))
            // Where the model had said so itself, no rule had to.
            #expect(answer.rules[third] == answer.attributes[third]?.note)
            #expect([nil, "first_needs_e"].contains(answer.rules[third]))
        }
    }
}
