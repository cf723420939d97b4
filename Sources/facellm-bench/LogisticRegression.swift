import Faces
import Foundation

/// Multinomial logistic regression with an L2 penalty, fitted by L-BFGS (Nocedal and Wright, Numerical Optimization,
/// algorithm 7.5) in double precision from zero: the same rows give the same head.
struct LogisticRegression {
    /// Penalty on the weights, divided by the number of rows; it also sets how sure the probabilities are.
    var penalty = 0.6
    /// Classes of fewer photographs than this weigh less than the others in all.
    var smallestClass = 50.0
    var iterations = 200

    private static let classes = Expression.allCases.count
    private static let biasPenalty = 1e-4
    private static let history = 10
    private static let tolerance = 1e-5

    /// - Parameters:
    ///   - rows: features of photographs as they are.
    ///   - degraded: the same photographs with less detail, so that blur is no mark of a label.
    func fit(rows: [[Float]], degraded: [[Float]], labels: [Expression]) throws -> ExpressionHead {
        let width = rows[0].count, classes = Self.classes
        var mean = [Double](repeating: 0, count: width)
        for row in rows { for (index, value) in row.enumerated() { mean[index] += Double(value) / Double(rows.count) } }
        var spread = 0.0
        for row in rows {
            for (index, value) in row.enumerated() {
                let d = Double(value) - mean[index]
                spread += d * d / Double(rows.count)
            }
        }
        let scale = spread.squareRoot()
        let inputs = (rows + degraded).map { row in row.enumerated().map { (Double($1) - mean[$0]) / scale } }
        let targets = (labels + labels).map(\.index)

        var counts = [Double](repeating: 0, count: classes)
        for label in labels { counts[label.index] += 1 }
        var weights = targets.map { 1 / max(counts[$0], smallestClass) }
        let total = weights.reduce(0, +)
        weights = weights.map { $0 / total }

        let solution = minimise(inputs, targets, weights, width: width)
        // Centring and scaling go into the head.
        var head = [Float](repeating: 0, count: classes * width)
        var bias = [Float](repeating: 0, count: classes)
        for k in 0..<classes {
            var offset = solution[width][k]
            for index in 0..<width {
                let weight = solution[index][k] / scale
                head[k * width + index] = Float(weight)
                offset -= weight * mean[index]
            }
            bias[k] = Float(offset)
        }
        return try ExpressionHead(weights: head, bias: bias)
    }

    /// One vector of eight per feature, and the biases last.
    private typealias Parameters = [SIMD8<Double>]

    private func minimise(
        _ inputs: [[Double]],
        _ targets: [Int],
        _ weights: [Double],
        width: Int
    ) -> Parameters {
        let lambda = penalty / Double(inputs.count)

        func evaluate(_ x: Parameters) -> (Double, Parameters) {
            var gradient = Parameters(repeating: .zero, count: width + 1)
            var loss = 0.0
            for (row, input) in inputs.enumerated() {
                var logits = x[width]
                for index in 0..<width { logits += input[index] * x[index] }
                let highest = logits.max()
                var p = SIMD8<Double>.zero
                for k in 0..<8 { p[k] = exp(logits[k] - highest) }
                p /= p.sum()
                loss -= weights[row] * log(max(p[targets[row]], 1e-300))
                p[targets[row]] -= 1
                p *= weights[row]
                for index in 0..<width { gradient[index] += input[index] * p }
                gradient[width] += p
            }
            for index in 0..<width {
                loss += lambda / 2 * (x[index] * x[index]).sum()
                gradient[index] += lambda * x[index]
            }
            loss += Self.biasPenalty / 2 * (x[width] * x[width]).sum()
            gradient[width] += Self.biasPenalty * x[width]
            return (loss, gradient)
        }
        func dot(_ a: Parameters, _ b: Parameters) -> Double {
            var sum = SIMD8<Double>.zero
            for index in a.indices { sum += a[index] * b[index] }
            return sum.sum()
        }
        func moved(_ a: Parameters, _ b: Parameters, by step: Double) -> Parameters {
            var result = a
            for index in result.indices { result[index] += step * b[index] }
            return result
        }

        var x = Parameters(repeating: .zero, count: width + 1)
        var (value, gradient) = evaluate(x)
        var pairs: [(s: Parameters, y: Parameters)] = []
        for _ in 0..<iterations {
            let steepest = gradient.map { max($0.max(), -$0.min()) }.max() ?? 0
            if steepest < Self.tolerance { break }
            var direction = gradient
            var alphas: [Double] = []
            for pair in pairs.reversed() {
                let alpha = dot(pair.s, direction) / dot(pair.s, pair.y)
                alphas.append(alpha)
                direction = moved(direction, pair.y, by: -alpha)
            }
            if let last = pairs.last {
                let gamma = dot(last.s, last.y) / dot(last.y, last.y)
                direction = direction.map { gamma * $0 }
            }
            for (pair, alpha) in zip(pairs, alphas.reversed()) {
                direction = moved(direction, pair.s, by: alpha - dot(pair.y, direction) / dot(pair.s, pair.y))
            }
            direction = direction.map { -$0 }
            var slope = dot(gradient, direction)
            if slope >= 0 {
                direction = gradient.map { -$0 }
                slope = -dot(gradient, gradient)
                pairs = []
            }
            let absolute = gradient.reduce(0) { sum, row in sum + row.replacing(with: -row, where: row .< 0).sum() }
            var step = pairs.isEmpty ? min(1, 1 / absolute) : 1
            var next = moved(x, direction, by: step)
            var (nextValue, nextGradient) = evaluate(next)
            while nextValue > value + 1e-4 * step * slope, step > 1e-12 {
                step /= 2
                next = moved(x, direction, by: step)
                (nextValue, nextGradient) = evaluate(next)
            }
            let s = direction.map { step * $0 }
            let y = moved(nextGradient, gradient, by: -1)
            (x, value, gradient) = (next, nextValue, nextGradient)
            if dot(s, y) > 1e-12 * (dot(s, s) * dot(y, y)).squareRoot() {
                pairs = (pairs + [(s, y)]).suffix(Self.history)
            }
            if step <= 1e-12 { break }
        }
        return x
    }
}
