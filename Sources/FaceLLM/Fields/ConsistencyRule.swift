/// What must hold between the answers to two fields.
///
/// ```json
/// {"name": "hood_hides_earrings", "if": {"field": "headwear", "values": ["hood"], "probability": 0.6},
///  "then": {"field": "earrings", "not_applicable": true}, "decided_by": "condition"}
/// ```
package struct ConsistencyRule: Sendable, Hashable, Codable {
    /// Which answer gives way when the rule is broken.
    package enum Decision: String, Sendable, Hashable, Codable, CaseIterable {
        /// The less certain of the two: they contradict each other, and either may be wrong.
        case certainty
        /// That of `then`, however certain: what the condition tells cannot be seen, so its answer is no evidence.
        case condition
    }

    /// When the rule applies.
    package struct Condition: Sendable, Hashable, Codable {
        package let field: String
        /// Any of these values.
        package let values: [String]
        /// At least so probable, 0–1; 0 when absent.
        package let probability: Double?

        package enum CodingKeys: String, CodingKey, CaseIterable { case field, values, probability }

        package init(field: String, values: [String], probability: Double? = nil) {
            self.field = field
            self.values = values
            self.probability = probability
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(closed: CodingKeys.self)
            field = try container.decode(String.self, forKey: .field)
            values = try container.decode([String].self, forKey: .values)
            probability = try container.decodeIfPresent(Double.self, forKey: .probability)
        }

        func holds(_ value: String, _ probability: Double) -> Bool {
            values.contains(value) && probability >= self.probability ?? 0
        }
    }

    /// What must hold then: one of the values, or no answer at all.
    package struct Consequence: Sendable, Hashable, Codable {
        package let field: String
        /// The values that go with the condition; absent with `not_applicable`.
        package let values: [String]?
        /// Whether the field has no answer; false when absent.
        package let notApplicable: Bool?

        package enum CodingKeys: String, CodingKey, CaseIterable {
            case field, values
            case notApplicable = "not_applicable"
        }

        package init(field: String, values: [String]) {
            self.field = field
            self.values = values
            notApplicable = nil
        }

        package init(notApplicable field: String) {
            self.field = field
            values = nil
            notApplicable = true
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(closed: CodingKeys.self)
            field = try container.decode(String.self, forKey: .field)
            values = try container.decodeIfPresent([String].self, forKey: .values)
            notApplicable = try container.decodeIfPresent(Bool.self, forKey: .notApplicable)
        }

        func allows(_ value: String) -> Bool { values?.contains(value) ?? false }
    }

    /// Written like a field's name; `"bald_has_no_color"`.
    package let name: String
    package let condition: Condition
    package let consequence: Consequence
    /// `certainty` when absent.
    package let decidedBy: Decision?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case condition = "if"
        case consequence = "then"
        case decidedBy = "decided_by"
    }

    package init(_ name: String, if condition: Condition, then consequence: Consequence, decidedBy: Decision? = nil) {
        self.name = name
        self.condition = condition
        self.consequence = consequence
        self.decidedBy = decidedBy
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(closed: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        condition = try container.decode(Condition.self, forKey: .condition)
        consequence = try container.decode(Consequence.self, forKey: .consequence)
        decidedBy = try container.decodeIfPresent(Decision.self, forKey: .decidedBy)
    }

    var isDecidedByCondition: Bool { decidedBy == .condition }
}

extension ConsistencyRule {
    /// The rules between built-in fields.
    package static let builtIn: [ConsistencyRule] = [
        rule("bald_has_no_color", "hair_length", ["bald"], excludes: "hair_color"),
        rule("closed_eyes_do_not_look", "eyes", ["closed"], excludes: "gaze_direction"),
        rule("mask_hides_mouth", "face_mask", ["worn"], hides: "mouth"),
        rule("mask_hides_facial_hair", "face_mask", ["worn"], hides: "facial_hair"),
        rule("dark_lenses_hide_eyes", "glasses", ["sunglasses"], hides: "eyes"),
        rule("dark_lenses_hide_gaze", "glasses", ["sunglasses"], hides: "gaze_direction"),
        rule("headwear_hides_hair_color", "headwear", ["helmet", "headscarf"], hides: "hair_color"),
        rule("headwear_hides_hair_length", "headwear", ["hood", "helmet", "headscarf"], hides: "hair_length"),
    ]

    /// Two answers that cannot both be right.
    private static func rule(
        _ name: String,
        _ field: String,
        _ values: [String],
        excludes other: String
    ) -> ConsistencyRule {
        ConsistencyRule(name, if: Condition(field: field, values: values), then: Consequence(notApplicable: other))
    }

    /// An answer that, when rather certain, makes the other's subject invisible.
    private static func rule(
        _ name: String,
        _ field: String,
        _ values: [String],
        hides other: String
    ) -> ConsistencyRule {
        ConsistencyRule(
            name,
            if: Condition(field: field, values: values, probability: 0.6),
            then: Consequence(notApplicable: other),
            decidedBy: .condition
        )
    }
}
