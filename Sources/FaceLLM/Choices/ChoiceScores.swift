internal import Glibc

/// How probable each of some answers is, given that one of them is right.
///
/// Answers of more tokens have a lower probability for their length alone, so the mean log-probability of a token is
/// compared unless asked otherwise. The model prefers some words whatever it sees; with a baseline, the scores of the
/// same answers for an image without content, that preference is taken away (contextual calibration, Zhao et al.
/// 2021: probabilities are divided by those of the baseline).
package struct ChoiceScores: Sendable, Hashable {
    /// What the model gave for an answer.
    package struct Option: Sendable, Hashable {
        /// The sum over the scored tokens, natural logarithm.
        package let logProbability: Double
        /// The number of scored tokens.
        package let tokens: Int

        package init(logProbability: Double, tokens: Int) {
            self.logProbability = logProbability
            self.tokens = tokens
        }
    }

    package enum Normalization: String, Sendable, Hashable {
        /// The mean log-probability of a token.
        case meanPerToken = "mean_per_token"
        /// The log-probability of the whole answer.
        case sum
    }

    package static let temperatures = 0.01...100.0

    /// In the order of the options; they add up to 1.
    package let probabilities: [Double]
    /// The options by falling probability, among equals in their order.
    package let ranking: [Int]

    /// - Parameters:
    ///   - baseline: the same options for an image without content; nil leaves the scores uncalibrated.
    ///   - temperature: above 1 flattens, below sharpens.
    package init(
        _ options: [Option],
        baseline: [Option]? = nil,
        normalization: Normalization = .meanPerToken,
        temperature: Double = 1
    ) throws(ChoiceError) {
        guard !options.isEmpty, baseline == nil || baseline?.count == options.count else {
            throw .optionCount(options: options.count, baselines: baseline?.count)
        }
        guard Self.temperatures.contains(temperature) else { throw .temperature(temperature) }
        var scores = options.map { Self.score($0, normalization) }
        if let baseline {
            for (index, option) in baseline.enumerated() { scores[index] -= Self.score(option, normalization) }
        }
        let highest = scores.max() ?? 0
        let weights = scores.map { exp(($0 - highest) / temperature) }
        let total = weights.reduce(0, +)
        let probabilities = weights.map { $0 / total }
        self.probabilities = probabilities
        ranking = probabilities.indices.sorted {
            probabilities[$0] == probabilities[$1] ? $0 < $1 : probabilities[$0] > probabilities[$1]
        }
    }

    /// The most probable option.
    package var best: Int { ranking[0] }
    /// Of the best option.
    package var probability: Double { probabilities[best] }
    /// How much more probable the best option is than the second, 0–1; 1 for the only option.
    package var margin: Double { ranking.count > 1 ? probability - probabilities[ranking[1]] : 1 }
    /// In nats: 0 when certain, the logarithm of the number of options when all are alike.
    package var entropy: Double {
        max(0, -probabilities.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) })
    }

    /// The mean log-probability of a token that stands for impossible, and for what is not a number.
    ///
    /// Finite, so that differences and sums of scores are numbers.
    private static let impossible = -100.0

    private static func score(_ option: Option, _ normalization: Normalization) -> Double {
        let tokens = Double(max(1, option.tokens))
        let mean = option.logProbability / tokens
        // False for what is not a number; a little above zero is rounding.
        let bounded = mean >= impossible && mean < .infinity ? min(0, mean) : impossible
        return normalization == .sum ? bounded * tokens : bounded
    }
}
