extension ConsistencyRule {
    /// Refuses a rule that does not go with the fields.
    func check(in catalogue: FieldCatalogue) throws(FieldError) {
        try FieldText.checkName(name, of: name, key: "name")
        let ifAny = Field.Condition(condition.field, condition.values)
        try FieldCatalogue.check(ifAny, of: name, key: "if", in: catalogue.fields)
        if let probability = condition.probability, !(0...1).contains(probability) {
            throw FieldError(
                name,
                key: "if.probability",
                expected: "a number from 0 to 1",
                found: "\(probability)",
                remedy: "Leave it out for \"whenever it is the answer\"."
            )
        }
        guard (consequence.values != nil) != (consequence.notApplicable ?? false) else {
            throw FieldError(
                name,
                key: "then",
                expected: "either \"values\" or \"not_applicable\": true",
                found: consequence.values == nil ? "neither" : "both",
                remedy: "Say which values go with the condition, or that the field has no answer then."
            )
        }
        // A rule without values needs its field to exist all the same.
        let values = consequence.values ?? catalogue[consequence.field]?.values ?? []
        let thenAny = Field.Condition(consequence.field, values)
        try FieldCatalogue.check(thenAny, of: name, key: "then", in: catalogue.fields)
        guard condition.field != consequence.field else {
            throw FieldError(
                name,
                key: "then.field",
                expected: "another field than that of the condition",
                found: "\"\(consequence.field)\"",
                remedy: "A field's values exclude each other by themselves."
            )
        }
    }

    /// The rule without the values that the fields of a catalogue do not have; nil when nothing is left of it.
    func fitted(to catalogue: FieldCatalogue) -> ConsistencyRule? {
        guard let first = catalogue[condition.field], let second = catalogue[consequence.field] else { return nil }
        let values = condition.values.filter { first.values.contains($0) }
        let allowed = consequence.values.map { $0.filter { second.values.contains($0) } }
        guard !values.isEmpty, allowed?.isEmpty != true else { return nil }
        return ConsistencyRule(
            name,
            if: Condition(field: condition.field, values: values, probability: condition.probability),
            then: allowed.map { Consequence(field: consequence.field, values: $0) }
                ?? Consequence(notApplicable: consequence.field),
            decidedBy: decidedBy
        )
    }
}

extension ConsistencyRules {
    /// Refuses rules by which fields hide each other in a circle: none of them could be settled first.
    static func checkCircles(_ rules: [ConsistencyRule]) throws(FieldError) {
        var hiding = rules.filter(\.isDecidedByCondition)
        // Rules that no other leads to, or that lead to no other, cannot be part of a circle.
        while true {
            let hidden = Set(hiding.map(\.consequence.field)), hides = Set(hiding.map(\.condition.field))
            let rest = hiding.filter { hidden.contains($0.condition.field) && hides.contains($0.consequence.field) }
            if rest.count == hiding.count { break }
            hiding = rest
        }
        guard let rule = hiding.last else { return }
        throw FieldError(
            rule.name,
            key: "decided_by",
            expected: "fields that do not hide each other in a circle",
            found: hiding.map(\.name).joined(separator: ", "),
            remedy: "Let \"certainty\" decide one of these rules."
        )
    }
}
