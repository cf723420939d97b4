import Benchmarking
import FaceLLM
import Foundation
import Testing

/// Where the recorded cases lie: beside the package or where `FACELLM_CONFORMANCE` says.
private enum Recorded {
    static let root: String = {
        if let named = ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"] { return named }
        // <package>/Tests/BenchmarkingTests/<this file>
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.deletingLastPathComponent().appending(path: "shared/conformance").path
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: "\(root)/cases/index.json") }

    static let absence: Comment =
        "the conformance folder is absent: put it at ../shared/conformance or name it in FACELLM_CONFORMANCE"
}

/// The cases of the reference implementation at several precisions.
@Suite(.enabled(if: Recorded.isPresent, Recorded.absence))
struct RecordedCaseTests {
    private func agreement(_ precision: ModelPrecision) throws -> RecordedAgreement {
        var agreement = RecordedAgreement(precision: precision.description)
        let cases = try RecordedCase.all(in: Recorded.root)
        #expect(cases.count >= 18)
        for recorded in cases {
            let reference = try recorded.replay(precision: .reference, threads: 2)
            let replay =
                precision == .reference ? reference : try recorded.replay(precision: precision, threads: 2)
            #expect(replay.answer.count == recorded.generatedIDs.count && replay.margins.allSatisfy { $0 >= 0 })
            agreement.add(recorded, reference: reference, replay: replay)
        }
        return agreement
    }

    @Test("f32 gives every recorded token")
    func exact() throws {
        let agreement = try agreement(.reference)
        #expect(agreement.equalTokens == agreement.tokens && agreement.tokens > 300)
        #expect(agreement.equalCases == agreement.cases)
        #expect(agreement.flips == [] && agreement.featureCosine > 0.999999)
    }

    @Test(
        "8 and 4 bits stay near f32, and every case that goes another way is listed with its margin",
        arguments: [
            // These models are drawn wide on purpose and far harder to round than trained ones.
            (ModelPrecision(vision: .int8, text: .f32), 0.998, 0.99),
            (ModelPrecision(vision: .int8, text: .int8), 0.998, 0.97),
            // 4 bits turn the answers of models with rows of 64 weights; it is enough that this is told.
            (ModelPrecision(vision: .int8, text: .int4), 0.998, 0.2),
        ]
    )
    func quantised(precision: ModelPrecision, features: Double, logits: Double) throws {
        let agreement = try agreement(precision)
        #expect(agreement.featureCosine > features && agreement.featureCosine < 1)
        #expect(agreement.logitCosine > logits)
        #expect(agreement.flips.count == agreement.cases - agreement.equalCases)
        #expect(agreement.flips.isEmpty == (agreement.equalTokens == agreement.tokens))
        let told = /^[0-9a-z-]+: token \d+ of \d+, \d+ -> \d+, margin \d+\.\d{4}$/
        #expect(agreement.flips.allSatisfy { $0.wholeMatch(of: told) != nil }, "\(agreement.flips)")
    }

    @Test("cosines of what has no direction")
    func cosines() {
        #expect(Similarity.cosine([0, 0], [0, 0]) == 1)
        #expect(Similarity.cosine([0, 0], [1, 0]) == 0)
        #expect(abs(Similarity.cosine([1, 0], [1, 1]) - 0.5.squareRoot()) < 1e-12)
        #expect(Similarity.cosine([3, 4], [-3, -4]) == -1)
    }
}
