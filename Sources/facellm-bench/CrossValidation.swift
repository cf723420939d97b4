import Faces
import Imaging

/// Splits into folds, and what predictions on the left-out folds are worth.
struct CrossValidation {
    static let folds = 5
    /// The six classes that have enough examples to be measured.
    static let measured: [Expression] = [.angry, .disgusted, .happy, .sad, .surprised, .neutral]

    /// The fold of each row: every class shuffled and dealt in turn.
    static func split(_ labels: [Expression], seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        var fold = [Int](repeating: 0, count: labels.count)
        var next = 0
        for expression in Expression.allCases {
            for row in labels.indices.filter({ labels[$0] == expression }).shuffled(using: &generator) {
                fold[row] = next % folds
                next += 1
            }
        }
        return fold
    }

    /// The same with all photographs of a person in one fold: the largest groups first, each into the fold that is
    /// smallest for the label most of them have.
    static func split(_ labels: [Expression], persons: [String], seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        let groups = Dictionary(grouping: labels.indices) { persons[$0] }
        let order = groups.keys.sorted().shuffled(using: &generator)
            .sorted { (groups[$0]?.count ?? 0) > (groups[$1]?.count ?? 0) }
        var fold = [Int](repeating: 0, count: labels.count)
        var counts = [[Double]](repeating: [Double](repeating: 0, count: Expression.allCases.count), count: folds)
        var totals = [Double](repeating: 0, count: Expression.allCases.count)
        for label in labels { totals[label.index] += 1 }
        for person in order {
            guard let rows = groups[person] else { continue }
            // How full a fold would be, in shares of each class that the person has.
            func load(_ k: Int) -> Double {
                rows.reduce(0) { $0 + counts[k][labels[$1].index] / max(1, totals[labels[$1].index]) }
                    + 1e-6 * counts[k].reduce(0, +)
            }
            let target = (0..<folds).min { load($0) < load($1) } ?? 0
            for row in rows {
                fold[row] = target
                counts[target][labels[row].index] += 1
            }
        }
        return fold
    }

    /// What was found on rows that the heads had not seen.
    struct Result {
        var recalls: [(expression: Expression, recall: Double, count: Int)]
        var meanRecall: Double
        var accuracy: Double
        /// Expected calibration error of the top label among the six, ten bins of equal width.
        var calibrationError: Double
    }

    static func evaluate(_ scores: [ExpressionScores], _ labels: [Expression]) -> Result {
        var hits: [Expression: Int] = [:], counts: [Expression: Int] = [:]
        var bins = [(confidence: Double, hits: Double, count: Double)](repeating: (0, 0, 0), count: 10)
        for (score, label) in zip(scores, labels) where measured.contains(label) {
            let total = measured.reduce(Float(0)) { $0 + score[$1] }
            guard let best = measured.max(by: { score[$0] < score[$1] }), total > 0 else { continue }
            let confidence = Double(score[best] / total)
            counts[label, default: 0] += 1
            if best == label { hits[label, default: 0] += 1 }
            let bin = min(9, Int(confidence * 10))
            bins[bin].confidence += confidence
            bins[bin].hits += best == label ? 1 : 0
            bins[bin].count += 1
        }
        let recalls = measured.map { expression in
            let count = counts[expression] ?? 0
            return (expression, count > 0 ? Double(hits[expression] ?? 0) / Double(count) : 0, count)
        }
        let present = recalls.filter { $0.2 > 0 }
        let all = Double(max(1, counts.values.reduce(0, +)))
        return Result(
            recalls: recalls,
            meanRecall: present.reduce(0) { $0 + $1.1 } / Double(max(1, present.count)),
            accuracy: Double(hits.values.reduce(0, +)) / all,
            calibrationError: bins.reduce(0) { $0 + abs($1.confidence - $1.hits) / all }
        )
    }
}
