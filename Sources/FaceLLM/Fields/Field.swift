/// A closed question on a face: the model chooses one of the options by their probability.
///
/// The options are scored as continuations of one answer, "The eyes are" + "open", so nothing is generated and the
/// answer is always one of the values.
package struct Field: Sendable, Hashable {
    /// A value and the words that stand for it.
    package struct Option: Sendable, Hashable, ExpressibleByStringLiteral {
        /// What is published; a lower-case word.
        package let value: String
        /// What the model would write after the stem and a space.
        package let phrase: String

        package init(_ value: String, _ phrase: String? = nil) {
            self.value = value
            self.phrase = phrase ?? String(value.map { $0 == "_" ? " " : $0 })
        }

        /// A value that is worded as it is called.
        package init(stringLiteral value: String) { self.init(value) }
    }

    /// Certain values of a field.
    package struct Condition: Sendable, Hashable {
        package let field: String
        package let values: [String]

        package init(_ field: String, _ values: [String]) {
            self.field = field
            self.values = values
        }
    }

    /// The question of the published script, which all fields share unless they have their own.
    package static let sharedQuestion = FaceQuestion.release.text

    /// What the answer is published as; a lower-case word.
    package let name: String
    /// The user's turn.
    package let question: String
    /// How the answer begins; may be empty.
    package let stem: String
    package let options: [Option]
    /// When the field is asked; nil for always.
    package let condition: Condition?

    package init(
        _ name: String,
        question: String = Self.sharedQuestion,
        stem: String,
        options: [Option],
        condition: Condition? = nil
    ) {
        self.name = name
        self.question = question
        self.stem = stem
        self.options = options
        self.condition = condition
    }

    package var values: [String] { options.map(\.value) }

    /// The answer that an option makes.
    package func answer(_ option: Option) -> String { stem.isEmpty ? option.phrase : "\(stem) \(option.phrase)" }

    /// Whether the field is to be asked when the fields asked before have these answers.
    package func isAsked(after answers: [String: String]) -> Bool {
        guard let condition else { return true }
        guard let answer = answers[condition.field] else { return false }
        return condition.values.contains(answer)
    }
}

/// How probable each value of a field is.
package struct FieldScores: Sendable, Hashable {
    package struct Value: Sendable, Hashable {
        package let value: String
        /// 0–1; those of a field add up to 1.
        package let probability: Double

        package init(_ value: String, _ probability: Double) {
            self.value = value
            self.probability = probability.isFinite ? max(0, min(1, probability)) : 0
        }
    }

    package let field: String
    package let values: [Value]

    package init(_ field: String, _ values: [Value]) {
        self.field = field
        self.values = values
    }

    /// - Parameter scores: of the field's options, in their order.
    package init(_ field: Field, _ scores: ChoiceScores) {
        self.init(field.name, zip(field.values, scores.probabilities).map { Value($0, $1) })
    }

    /// The most probable value, among equals the first; nil without values.
    package var best: Value? {
        values.reduce(nil) { best, value in best.map { value.probability > $0.probability } ?? true ? value : best }
    }
}
