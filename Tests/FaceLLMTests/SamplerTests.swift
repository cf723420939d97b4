import FaceLLM
import Imaging
import Testing

@Suite struct SamplerTests {
    private func sampler(_ options: SamplingOptions) throws -> Sampler { try Sampler(options) }

    /// `count` tokens of one sampler from the same logits.
    private func draws(_ logits: [Float], _ options: SamplingOptions, count: Int) throws -> [Int] {
        var sampler = try Sampler(options)
        return (0..<count).compactMap { _ in sampler.next(logits).map { Int($0.id) } }
    }

    // MARK: - Greedy

    @Test func greedyTakesTheFirstOfTheLargest() throws {
        var greedy = try sampler(SamplingOptions())
        #expect(greedy.next([1, 3, 2, 3])?.id == 1)
        #expect(greedy.next([-5])?.id == 0)
        #expect(greedy.next([-.infinity, -3e38, .nan])?.id == 1)
        #expect(greedy.next([0, .infinity, .greatestFiniteMagnitude])?.id == 1)
    }

    @Test func logProbabilityIsTheModelsOwn() throws {
        let logits: [Float] = [0.5, -1, 2, 0.25]
        let expected = SamplerReference.probabilities(logits, SamplingOptions(temperature: 1)).map { logarithm($0) }
        var greedy = try sampler(SamplingOptions())
        let first = try greedy.choose(logits)
        #expect(abs(Double(first.logProbability) - expected[2]) < 1e-6)
        // Neither temperature nor filters nor the penalty change it.
        var warm = try sampler(SamplingOptions(temperature: 5, topK: 3, repetitionPenalty: 2, seed: 3))
        for _ in 0..<50 {
            let token = try warm.choose(logits, history: [2])
            #expect(abs(Double(token.logProbability) - expected[Int(token.id)]) < 1e-6)
        }
    }

    @Test func withoutANumberThereIsNoToken() throws {
        for temperature: Float in [0, 1] {
            for logits: [Float] in [[], [.nan], [-.infinity, -.infinity], [.nan, -.infinity]] {
                var sampler = try sampler(SamplingOptions(temperature: temperature, topK: 1, topP: 0.5, minP: 0.5))
                #expect(sampler.next(logits) == nil)
                #expect(sampler.next(logits, history: [0, 1, -1, 7]) == nil)
            }
        }
    }

    @Test func notANumberIsNeverChosen() throws {
        let logits: [Float] = [.nan, 0, -.infinity, 1, .nan, 0.5, -.infinity]
        for options in [
            SamplingOptions(temperature: 1), SamplingOptions(temperature: 100, topK: 6),
            SamplingOptions(temperature: 2, topP: 0.99, minP: 0.01), SamplingOptions(temperature: 1e-30),
        ] {
            let ids = try draws(logits, options, count: 300)
            #expect(ids.count == 300)
            #expect(Set(ids).isSubset(of: [1, 3, 5]))
        }
        let infinite = try draws([1, .infinity, 2], SamplingOptions(temperature: 1, topP: 0.9), count: 20)
        #expect(Set(infinite) == [1])
    }

    // MARK: - Penalty

    @Test func penaltyDividesAboveZeroAndMultipliesBelow() throws {
        // 2/2 = 1 < 1.5; -1·2 = -2 < -1.5; 0 stays.
        var greedy = try sampler(SamplingOptions(repetitionPenalty: 2))
        #expect(greedy.next([2, 1.5, 0], history: [0])?.id == 1)
        #expect(greedy.next([-1, -1.5, -9], history: [0])?.id == 1)
        #expect(greedy.next([0, -0.5], history: [0])?.id == 0)
        // Once, however often the token is there: 4/2 = 2, not 1.
        #expect(greedy.next([4, 1.5], history: [0, 0, 0])?.id == 0)
        #expect(greedy.next([2, 1.5, 0], history: [-1, 3, .max, .min])?.id == 0)
        #expect(greedy.next([2, 1.5, .nan], history: [2])?.id == 0)
    }

    @Test func penaltyLooksAtTheWindow() throws {
        var greedy = try sampler(SamplingOptions(repetitionPenalty: 4, repetitionWindow: 2))
        #expect(greedy.next([3, 2, 1], history: [0, 1, 2])?.id == 0)
        #expect(greedy.next([3, 2, 1], history: [2, 0, 1])?.id == 2)
    }

    @Test func penaltyChangesTheDistribution() throws {
        let logits: [Float] = [1, -1, 0.5]
        let options = SamplingOptions(temperature: 0.8, repetitionPenalty: 1.5, seed: 9)
        // 1/1.5, -1·1.5, 0.5
        let penalized: [Float] = [1 / 1.5, -1.5, 0.5]
        let expected = SamplerReference.probabilities(penalized, SamplingOptions(temperature: 0.8))
        var sampler = try Sampler(options)
        var counts = [0, 0, 0]
        for _ in 0..<10_000 {
            let token = try sampler.choose(logits, history: [0, 1, 0])
            counts[Int(token.id)] += 1
        }
        #expect(SamplerReference.chiSquare(counts, expected) < 13.8, "2 degrees of freedom, p = 0.001")
    }

    // MARK: - Filters

    @Test func topKKeepsWhatEqualsTheLast() throws {
        #expect(Set(try draws([3, 1, 2, 2, 0], SamplingOptions(temperature: 1, topK: 2), count: 200)) == [0, 2, 3])
        #expect(Set(try draws([3, 1, 2, 2, 0], SamplingOptions(temperature: 9, topK: 9), count: 500)).count == 5)
    }

    @Test func topPKeepsTheLowerOfEquals() throws {
        #expect(Set(try draws([0, 0, 0, 0], SamplingOptions(temperature: 1, topP: 0.5), count: 200)) == [0, 1])
        #expect(Set(try draws([0, 0, 0, 1], SamplingOptions(temperature: 1, topP: 1e-6), count: 50)) == [3])
    }

    @Test func minPIsRelativeToTheMostProbable() throws {
        // e⁻¹ = 0.37, e⁻² = 0.14
        let ids = try draws([2, 1, 0], SamplingOptions(temperature: 1, minP: 0.2), count: 300)
        #expect(Set(ids) == [0, 1])
        #expect(Set(try draws([2, 2, 0], SamplingOptions(temperature: 1, minP: 1), count: 100)) == [0, 1])
    }

    @Test func randomLogitsAgainstSorting() throws {
        var random = SplitMix64(seed: 20)
        for index in 0..<1000 {
            let count = Int.random(in: 1...60, using: &random)
            let spread = Float.random(in: 0.1...8, using: &random)
            var logits = (0..<count).map { _ in Float.random(in: -spread...spread, using: &random) }
            if index % 5 == 0 { logits[Int.random(in: 0..<count, using: &random)] = -.infinity }
            guard logits.contains(where: { $0 > -.infinity }) else { continue }
            let options = SamplingOptions(
                temperature: Float.random(in: 0.05...3, using: &random),
                topK: Bool.random(using: &random) ? Int.random(in: 1...70, using: &random) : 0,
                topP: Bool.random(using: &random) ? Float.random(in: 0.01...1, using: &random) : 1,
                minP: Bool.random(using: &random) ? Float.random(in: 0...0.5, using: &random) : 0,
                seed: UInt64(index)
            )
            let expected = SamplerReference.probabilities(logits, options)
            let ids = Set(try draws(logits, options, count: 60))
            let possible = Set(expected.indices.filter { expected[$0] > 0 })
            // Missed 60 times with a probability of 0.7⁶⁰ = 5·10⁻¹⁰.
            let certain = Set(expected.indices.filter { expected[$0] > 0.3 })
            #expect(ids.isSubset(of: possible), "case \(index): \(options)")
            #expect(certain.isSubset(of: ids), "case \(index): \(options)")
        }
    }

    @Test(arguments: [
        SamplingOptions(temperature: 1, seed: 1),
        SamplingOptions(temperature: 0.7, topK: 5, seed: 2),
        SamplingOptions(temperature: 1.3, topP: 0.8, seed: 3),
        SamplingOptions(temperature: 1, minP: 0.1, seed: 4),
        SamplingOptions(temperature: 2, topK: 9, topP: 0.9, minP: 0.05, seed: 5),
    ])
    func distribution(_ options: SamplingOptions) throws {
        var random = SplitMix64(seed: 77)
        let logits = (0..<12).map { _ in Float.random(in: -2...2, using: &random) }
        let expected = SamplerReference.probabilities(logits, options)
        var counts = [Int](repeating: 0, count: logits.count)
        for id in try draws(logits, options, count: 20_000) { counts[id] += 1 }
        #expect(SamplerReference.chiSquare(counts, expected) < 31.3, "at most 11 degrees of freedom, p = 0.001")
    }

    @Test func wholeVocabulary() throws {
        var random = SplitMix64(seed: 5)
        let logits = (0..<151_674).map { _ in Float.random(in: -4...4, using: &random) }
        for options in [
            SamplingOptions(temperature: 0.3, topK: 20, topP: 0.9), SamplingOptions(temperature: 0.1, topP: 0.01),
        ] {
            let expected = SamplerReference.probabilities(logits, options)
            for id in try draws(logits, options, count: 5) { #expect(expected[id] > 0) }
        }
    }

    // MARK: - Seed and options

    @Test func sameSeedSameTokens() throws {
        let logits = (0..<50).map { Float($0 % 7) / 3 }
        let options = SamplingOptions(temperature: 1, topP: 0.95, seed: 11)
        #expect(try draws(logits, options, count: 100) == draws(logits, options, count: 100))
        var other = options
        other.seed = 12
        #expect(try draws(logits, options, count: 100) != draws(logits, other, count: 100))
    }

    /// The published numbers for the seed 1234567.
    @Test func generator() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() }
                == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        )
        for _ in 0..<1000 { #expect((0..<1).contains(random.nextFraction())) }
    }

    @Test(arguments: [
        (SamplingOptions(temperature: -0.1), "temperature"), (SamplingOptions(temperature: .nan), "temperature"),
        (SamplingOptions(temperature: .infinity), "temperature"), (SamplingOptions(topK: -1), "topK"),
        (SamplingOptions(topP: 0), "topP"), (SamplingOptions(topP: 1.01), "topP"),
        (SamplingOptions(topP: .nan), "topP"),
        (SamplingOptions(minP: -0.1), "minP"), (SamplingOptions(minP: 1.1), "minP"),
        (SamplingOptions(repetitionPenalty: 0), "repetitionPenalty"),
        (SamplingOptions(repetitionPenalty: .nan), "repetitionPenalty"),
        (SamplingOptions(repetitionWindow: 0), "repetitionWindow"),
    ])
    func refusedOptions(_ options: SamplingOptions, _ name: String) {
        let error = #expect(throws: GenerationError.self) { try Sampler(options) }
        #expect(error?.option == name)
        #expect(error?.description.hasPrefix("\(name) is ") == true)
        #expect(error?.allowed.isEmpty == false)
    }

    @Test func extremeOptionsAreAllowed() throws {
        let options = SamplingOptions(
            temperature: .leastNonzeroMagnitude,
            topK: .max,
            topP: .leastNonzeroMagnitude,
            minP: 1,
            repetitionPenalty: 100,
            repetitionWindow: .max,
            seed: .max
        )
        var sampler = try sampler(options)
        #expect(sampler.next([1, -3e38, 3e38], history: [1])?.id == 2)
    }
}
