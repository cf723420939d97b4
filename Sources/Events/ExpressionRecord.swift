/// The vocabulary `facellm.expression/1`: what a face shows, not what the person feels.
package enum ExpressionLabel: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
    case neutral
    case happy
    case sad
    case surprised
    case fearful
    case disgusted
    case angry
    case contemptuous
}

/// What kind of number a confidence is, because they do not compare.
package enum ConfidenceKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// A network's output after softmax; not calibrated.
    case softmax
    /// The probability of the answer's tokens among the allowed answers.
    case tokenProbability = "token_probability"
    /// There is no confidence.
    case none
}

/// The expression that a face shows: `expression`.
package struct ExpressionRecord: Sendable, Hashable, Codable {
    /// The most probable label; `"happy"`.
    package let label: ExpressionLabel
    /// Label → 0–1; labels that the method does not know are absent; `{"happy": 0.9134, "neutral": 0.0601}`.
    package let scores: [ExpressionLabel: Double]?
    /// What answered.
    package let method: Method
    /// Confidence in `label`, 0–1; absent when there is none; `0.9134`.
    package let confidence: Double?
    /// What kind of number `confidence` is; `"softmax"`.
    package let confidenceKind: ConfidenceKind
    /// True for a label that the method tells badly, a guess whatever its confidence; absent otherwise.
    package let weak: Bool?

    /// What an expression was read with.
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// A small network or a head over the measures of the mesh.
        case classifier
        /// The multimodal language model.
        case vlm
    }

    package enum CodingKeys: String, CodingKey {
        case label
        case scores
        case method
        case confidence
        case confidenceKind = "confidence_kind"
        case weak
    }

    /// Rounds the numbers; a confidence that is not finite is left out and its kind becomes `none`.
    package init(
        label: ExpressionLabel,
        scores: [ExpressionLabel: Double]? = nil,
        method: Method,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind,
        weak: Bool = false
    ) {
        self.label = label
        self.weak = weak ? true : nil
        self.scores = scores.map { NumberFormat.probability($0) }
        self.method = method
        self.confidence = confidenceKind == .none ? nil : NumberFormat.probability(confidence)
        self.confidenceKind = self.confidence == nil ? .none : confidenceKind
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        label = try container.decode(ExpressionLabel.self, forKey: .label)
        scores = try container.decodeKnownKeysIfPresent(forKey: .scores)
        method = try container.decode(Method.self, forKey: .method)
        confidence = try container.decodeIfPresent(Double.self, forKey: .confidence)
        confidenceKind = try container.decode(ConfidenceKind.self, forKey: .confidenceKind)
        weak = try container.decodeIfPresent(Bool.self, forKey: .weak)
    }
}
