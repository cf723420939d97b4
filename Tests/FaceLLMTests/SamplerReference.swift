import FaceLLM
import Foundation
import Testing

func logarithm(_ value: Double) -> Double { log(value) }

extension Sampler {
    /// The macros of the tests do not take spans.
    mutating func next(_ logits: [Float], history: [TokenID] = []) -> SampledToken? {
        next(logits.span, history: history)
    }

    mutating func choose(_ logits: [Float], history: [TokenID] = []) throws -> SampledToken {
        let token = next(logits.span, history: history)
        return try #require(token)
    }
}

/// The filters one after the other on a sorted list, as plainly as can be.
enum SamplerReference {
    /// What each token's probability is after temperature, top-k, top-p and min-p.
    static func probabilities(_ logits: [Float], _ options: SamplingOptions) -> [Double] {
        let scores = logits.map { Double($0) / Double(options.temperature) }
        var order = scores.indices.filter { scores[$0] > -.infinity }
        order.sort { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
        if options.topK > 0, options.topK < order.count {
            let last = scores[order[options.topK - 1]]
            order = order.filter { scores[$0] >= last }
        }
        var probabilities = softmax(scores, order)
        var before = 0.0
        order = order.filter { id in
            defer { before += probabilities[id] }
            return before < Double(options.topP) || options.topP == 1
        }
        probabilities = softmax(scores, order)
        let largest = order.first.map { probabilities[$0] } ?? 0
        order = order.filter { probabilities[$0] >= Double(options.minP) * largest }
        return softmax(scores, order)
    }

    private static func softmax(_ scores: [Double], _ kept: [Int]) -> [Double] {
        var result = [Double](repeating: 0, count: scores.count)
        guard let first = kept.first else { return result }
        for id in kept { result[id] = exp(scores[id] - scores[first]) }
        let sum = result.reduce(0, +)
        return result.map { $0 / sum }
    }

    /// Pearson's statistic; infinite when something impossible happened.
    static func chiSquare(_ counts: [Int], _ expected: [Double]) -> Double {
        let total = Double(counts.reduce(0, +))
        var sum = 0.0
        for (count, probability) in zip(counts, expected) {
            if probability == 0 {
                if count > 0 { return .infinity }
            } else {
                let difference = Double(count) - total * probability
                sum += difference * difference / (total * probability)
            }
        }
        return sum
    }
}
