internal import Imaging

/// What a face shows, not what the person feels: the vocabulary `facellm.expression/1`.
package enum Expression: String, Sendable, Hashable, CaseIterable {
    case neutral, happy, sad, surprised, fearful, disgusted, angry, contemptuous

    package var index: Int {
        switch self {
        case .neutral: 0
        case .happy: 1
        case .sad: 2
        case .surprised: 3
        case .fearful: 4
        case .disgusted: 5
        case .angry: 6
        case .contemptuous: 7
        }
    }

    /// A guess more than a finding: fearful and contemptuous had a handful of labelled examples, and most of those of
    /// disgust came from one film, so that its figures may tell of the film.
    package var isWeak: Bool { self == .fearful || self == .contemptuous || self == .disgusted }
}

/// Calibrated probabilities of the eight expressions; they add up to 1.
package struct ExpressionScores: Sendable, Hashable {
    package var values: [Float]

    package init(values: [Float]) {
        precondition(values.count == Expression.allCases.count, "8 expressions, not \(values.count)")
        self.values = values
    }

    /// Softmax.
    package init(logits: [Float]) {
        let highest = logits.max() ?? 0
        let powers = logits.map { Geometry.exp($0 - highest) }
        let total = powers.reduce(0, +)
        self.init(values: powers.map { $0 / total })
    }

    package subscript(_ expression: Expression) -> Float { values[expression.index] }

    /// The likeliest expression.
    package var best: Expression {
        Expression.allCases.max { self[$0] < self[$1] } ?? .neutral
    }

    /// `share` of `other`, the rest of `self`.
    package func mixed(with other: ExpressionScores, share: Float) -> ExpressionScores {
        ExpressionScores(values: zip(values, other.values).map { $0 + share * ($1 - $0) })
    }
}
