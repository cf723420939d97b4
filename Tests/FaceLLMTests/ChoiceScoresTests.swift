import FaceLLM
import Foundation
import TestSupport
import Testing

@Suite struct ChoiceScoresTests {
    private typealias Option = ChoiceScores.Option

    private static func isClose(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 }
    }

    @Test func meanOfTheTokensOrTheirSum() throws {
        // 0.5 for one token; 0.5 and 0.125 for two: 0.0625 in all, 0.25 on average.
        let options = [Option(logProbability: log(0.5), tokens: 1), Option(logProbability: log(0.0625), tokens: 2)]
        let mean = try ChoiceScores(options)
        #expect(Self.isClose(mean.probabilities, [2 / 3.0, 1 / 3.0]))
        let sum = try ChoiceScores(options, normalization: .sum)
        #expect(Self.isClose(sum.probabilities, [8 / 9.0, 1 / 9.0]))
        #expect(abs(sum.margin - 7 / 9.0) < 1e-12)
    }

    @Test func calibrationTakesTheModelsPreferenceAway() throws {
        // The model says the first with 0.6, but with 0.75 whatever it sees.
        let options = [Option(logProbability: log(0.6), tokens: 1), Option(logProbability: log(0.4), tokens: 1)]
        let baseline = [Option(logProbability: log(0.75), tokens: 1), Option(logProbability: log(0.25), tokens: 1)]
        let plain = try ChoiceScores(options)
        #expect(plain.best == 0)
        let calibrated = try ChoiceScores(options, baseline: baseline)
        #expect(calibrated.best == 1)
        #expect(Self.isClose(calibrated.probabilities, [0.8 / 2.4, 1.6 / 2.4]))
        let same = try ChoiceScores(options, baseline: options)
        #expect(Self.isClose(same.probabilities, [0.5, 0.5]))
        #expect(same.ranking == [0, 1])
    }

    @Test func temperatureFlattensAndSharpens() throws {
        let options = [0.7, 0.2, 0.1].map { Option(logProbability: log($0), tokens: 1) }
        let one = try ChoiceScores(options)
        #expect(Self.isClose(one.probabilities, [0.7, 0.2, 0.1]))
        #expect(abs(one.entropy - 0.801_818_552_543_337) < 1e-12)
        let half = try ChoiceScores(options, temperature: 0.5)
        #expect(Self.isClose(half.probabilities, [0.49 / 0.54, 0.04 / 0.54, 0.01 / 0.54]))
        let flat = try ChoiceScores(options, temperature: 100)
        #expect(flat.entropy > one.entropy && flat.entropy <= log(3))
        #expect(flat.ranking == [0, 1, 2])
    }

    @Test func oneOptionIsCertain() throws {
        let only = try ChoiceScores([Option(logProbability: -50, tokens: 3)])
        #expect(only.probabilities == [1] && only.margin == 1 && only.entropy == 0 && only.best == 0)
    }

    /// Whatever numbers come out of a model, probabilities come out of here.
    @Test func neverNotANumber() throws {
        let strange: [Double] = [
            .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, 1e-9, -1e-300, -745,
            -3,
        ]
        var generator = SeededGenerator(seed: 7)
        func options(_ count: Int) -> [Option] {
            (0..<count).map { _ in
                Option(
                    logProbability: strange.randomElement(using: &generator) ?? 0,
                    tokens: Int.random(in: -1...4, using: &generator)
                )
            }
        }
        for turn in 0..<1000 {
            let count = 1 + turn % 9
            let scores = try ChoiceScores(
                options(count),
                baseline: turn.isMultiple(of: 2) ? options(count) : nil,
                normalization: turn.isMultiple(of: 3) ? .sum : .meanPerToken,
                temperature: [0.01, 1, 100][turn % 3]
            )
            #expect(scores.probabilities.allSatisfy { $0 >= 0 && $0 <= 1 }, "turn \(turn)")
            #expect(abs(scores.probabilities.reduce(0, +) - 1) < 1e-9, "turn \(turn)")
            #expect(scores.ranking.sorted() == Array(0..<count), "turn \(turn)")
            #expect(scores.entropy >= 0 && scores.entropy <= log(Double(count)) + 1e-9, "turn \(turn)")
            #expect(scores.margin >= 0 && scores.margin <= 1, "turn \(turn)")
        }
    }

    @Test func impossibleOptionsLose() throws {
        for bad in [-Double.infinity, .nan, .infinity] {
            let options = [Option(logProbability: bad, tokens: 1), Option(logProbability: -20, tokens: 1)]
            let scores = try ChoiceScores(options)
            #expect(scores.best == 1 && scores.probability > 0.999)
        }
        let none = try ChoiceScores([Double.nan, -.infinity].map { Option(logProbability: $0, tokens: 1) })
        #expect(none.probabilities == [0.5, 0.5])
    }

    @Test func mistakesAreNamed() {
        let option = Option(logProbability: -1, tokens: 1)
        #expect(throws: ChoiceError.optionCount(options: 0, baselines: nil)) { try ChoiceScores([]) }
        #expect(throws: ChoiceError.optionCount(options: 1, baselines: 2)) {
            try ChoiceScores([option], baseline: [option, option])
        }
        for temperature in [0, -1, 101, Double.infinity] {
            #expect(throws: ChoiceError.temperature(temperature)) {
                try ChoiceScores([option], temperature: temperature)
            }
        }
        #expect(throws: ChoiceError.self) { try ChoiceScores([option], temperature: .nan) }
    }
}
