/// A field as a user writes it in JSON.
///
/// ```json
/// {"name": "earrings", "stem": "The person wears", "options": [
///     {"value": "none", "phrase": "no earrings"}, {"value": "earrings"}]}
/// ```
///
/// Zero-shot: the model was not trained on the question, so a definition is to be tried on known faces first.
/// Privacy is a default, not a lock: built-in fields never ask for ethnicity, health, intent or identity; what users
/// define for themselves is not censored, and they answer for it.
package struct FieldDefinition: Sendable, Hashable, Codable {
    /// Lower-case letters, digits and `_`, beginning with a letter; at most 64 characters; `"earrings"`.
    package let name: String
    /// The user's turn; absent for the question that the built-in fields share.
    package let question: String?
    /// How the answer begins; absent for an answer that is only a phrase; `"The person wears"`.
    package let stem: String?
    /// 2 to 32 answers.
    package let options: [Option]
    /// The field is asked only when another has one of these values; absent for always.
    package let askedWhen: Condition?
    /// Whether this takes the place of the built-in field of the same name; false when absent.
    package let replaces: Bool?

    package struct Option: Sendable, Hashable, Codable {
        /// What is published: written like a name; `"none"`.
        package let value: String
        /// How the answer goes on after the stem; absent for the value with spaces; `"no earrings"`.
        package let phrase: String?

        package enum CodingKeys: String, CodingKey, CaseIterable { case value, phrase }

        package init(value: String, phrase: String? = nil) {
            self.value = value
            self.phrase = phrase
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(closed: CodingKeys.self)
            value = try container.decode(String.self, forKey: .value)
            phrase = try container.decodeIfPresent(String.self, forKey: .phrase)
        }
    }

    package struct Condition: Sendable, Hashable, Codable {
        /// The other field; `"eyes"`.
        package let field: String
        /// Of the other field; `["open"]`.
        package let values: [String]

        package enum CodingKeys: String, CodingKey, CaseIterable { case field, values }

        package init(field: String, values: [String]) {
            self.field = field
            self.values = values
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(closed: CodingKeys.self)
            field = try container.decode(String.self, forKey: .field)
            values = try container.decode([String].self, forKey: .values)
        }
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case name, question, stem, options
        case askedWhen = "asked_when"
        case replaces
    }

    package init(
        name: String,
        question: String? = nil,
        stem: String? = nil,
        options: [Option],
        askedWhen: Condition? = nil,
        replaces: Bool? = nil
    ) {
        self.name = name
        self.question = question
        self.stem = stem
        self.options = options
        self.askedWhen = askedWhen
        self.replaces = replaces
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(closed: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        question = try container.decodeIfPresent(String.self, forKey: .question)
        stem = try container.decodeIfPresent(String.self, forKey: .stem)
        options = try container.decode([Option].self, forKey: .options)
        askedWhen = try container.decodeIfPresent(Condition.self, forKey: .askedWhen)
        replaces = try container.decodeIfPresent(Bool.self, forKey: .replaces)
    }

    /// The field, when everything but its relation to other fields is in order.
    package func field() throws(FieldError) -> Field {
        try FieldText.checkName(name, of: name, key: "name")
        if let question { try FieldText.check(question, of: name, key: "question", longest: FieldText.longestQuestion) }
        if let stem { try FieldText.check(stem, of: name, key: "stem", longest: FieldText.longestStem) }
        guard FieldText.optionCounts.contains(options.count) else {
            throw FieldError(
                name,
                key: "options",
                expected: "\(FieldText.optionCounts.lowerBound) to \(FieldText.optionCounts.upperBound) options",
                found: "\(options.count)",
                remedy: "An open question needs an answer besides the expected one, for example \"none\"."
            )
        }
        var seenValues: Set<String> = [], seenPhrases: Set<String> = []
        var fieldOptions: [Field.Option] = []
        for (index, option) in options.enumerated() {
            let key = "options[\(index)]"
            try FieldText.checkName(option.value, of: name, key: "\(key).value")
            let made = Field.Option(option.value, option.phrase)
            try FieldText.check(made.phrase, of: name, key: "\(key).phrase", longest: FieldText.longestPhrase)
            try FieldText.checkNew(made.value, in: &seenValues, of: name, key: "\(key).value")
            try FieldText.checkNew(made.phrase, in: &seenPhrases, of: name, key: "\(key).phrase")
            fieldOptions.append(made)
        }
        return Field(
            name,
            question: question ?? Field.sharedQuestion,
            stem: stem ?? "",
            options: fieldOptions,
            condition: askedWhen.map { Field.Condition($0.field, $0.values) }
        )
    }
}
