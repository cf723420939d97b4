/// Brings the answers of several fields into agreement.
///
/// The fields are settled one after another, the most certain first (by its highest probability, then by name); a
/// field that hides another comes before it in any case. Each takes its most probable value that breaks no rule with
/// those settled before. So the more certain answer wins, chains of rules need no second look, every rule holds at the
/// end, and neither the order of the fields nor that of the rules matters.
package struct ConsistencyRules: Sendable, Hashable {
    /// By name.
    package let rules: [ConsistencyRule]

    /// More would not be understood by anybody.
    package static let mostRules = 256

    /// The answer to a field in agreement with the others.
    package struct Answer: Sendable, Hashable {
        package let field: String
        /// Nil when the field is not applicable.
        package let value: String?
        /// Among the values that remained possible, 0–1; nil without a value.
        package let probability: Double?
    }

    /// A value that gave way.
    package struct Resolution: Sendable, Hashable, CustomStringConvertible {
        package let field: String
        package let from: String
        /// Nil when the field became not applicable.
        package let to: String?
        /// The name of the rule.
        package let rule: String
        /// The field and the value that it gave way to.
        package let because: String
        package let becauseValue: String

        package var description: String {
            let result = to.map { "changed from \"\(from)\" to \"\($0)\"" } ?? "\"\(from)\" was taken as not applicable"
            return "\(field): \(result), because \(because) is \"\(becauseValue)\" (rule \(rule))."
        }
    }

    /// Rules for the fields of a catalogue.
    ///
    /// Built-in rules that speak of fields that are not asked, or of values that a replacement does not have, are
    /// left out; those of a user must fit.
    package init(
        _ own: [ConsistencyRule] = [],
        includesBuiltIn: Bool = true,
        for catalogue: FieldCatalogue = .builtIn
    ) throws(FieldError) {
        var names: Set<String> = []
        let builtIn = includesBuiltIn ? ConsistencyRule.builtIn.compactMap { $0.fitted(to: catalogue) } : []
        for rule in builtIn { names.insert(rule.name) }
        for rule in own {
            try rule.check(in: catalogue)
            try FieldText.checkNew(rule.name, in: &names, of: rule.name, key: "name")
        }
        let all = builtIn + own
        guard all.count <= Self.mostRules else {
            throw FieldError(
                "",
                key: "rules",
                expected: "at most \(Self.mostRules) rules",
                found: "\(all.count)",
                remedy: "Merge rules by naming several values."
            )
        }
        try Self.checkCircles(all)
        rules = all.sorted { $0.name < $1.name }
    }

    // MARK: - Resolving

    /// - Parameter scores: of the fields that were asked; those without values are left out. Of two of one name the
    ///   first counts.
    /// - Returns: an answer for each, in the order given, and what was changed, in the order in which it was settled.
    /// - Complexity: O(fields² + fields · values · rules).
    package func resolve(_ scores: [FieldScores]) -> (answers: [Answer], resolutions: [Resolution]) {
        let asked = scores.filter { $0.best != nil }
        let byName = Dictionary(asked.map { ($0.field, $0) }) { first, _ in first }
        var settled: [String: Answer] = [:]
        var resolutions: [Resolution] = []
        var waiting = byName.values.sorted {
            let a = $0.best?.probability ?? 0, b = $1.best?.probability ?? 0
            return a == b ? $0.field < $1.field : a > b
        }
        while !waiting.isEmpty {
            let names = Set(waiting.map(\.field))
            // Rules that hide do not go in circles, so there is always one; the first would do no harm either.
            let next = waiting.firstIndex { field in
                !rules.contains {
                    $0.isDecidedByCondition && $0.consequence.field == field.field
                        && names.contains($0.condition.field)
                }
            }
            let field = waiting.remove(at: next ?? 0)
            settled[field.field] = settle(field, among: settled, &resolutions)
        }
        var seen: Set<String> = []
        let answers = asked.compactMap { seen.insert($0.field).inserted ? settled[$0.field] : nil }
        return (answers, resolutions)
    }

    /// The most probable value that breaks no rule with the settled answers.
    private func settle(
        _ field: FieldScores,
        among settled: [String: Answer],
        _ resolutions: inout [Resolution]
    ) -> Answer {
        var possible = field
        var open: (from: String, conflict: Conflict)?
        func close(_ value: String?) {
            guard let (from, conflict) = open else { return }
            resolutions.append(
                Resolution(
                    field: field.field,
                    from: from,
                    to: value,
                    rule: conflict.rule,
                    because: conflict.field,
                    becauseValue: conflict.value
                )
            )
            open = nil
        }
        // Each turn removes at least the value in question.
        while let best = possible.best {
            close(best.value)
            let total = possible.values.reduce(0) { $0 + $1.probability }
            // Values that the model gave nothing are alike.
            let probability = total > 0 ? best.probability / total : 1 / Double(possible.values.count)
            guard let conflict = conflict(field.field, best.value, probability, settled) else {
                return Answer(field: field.field, value: best.value, probability: probability)
            }
            open = (best.value, conflict)
            possible = FieldScores(
                field.field,
                possible.values.filter { $0.value != best.value && conflict.leaves($0.value) }
            )
        }
        close(nil)
        return Answer(field: field.field, value: nil, probability: nil)
    }

    /// A settled answer that a value does not go with.
    private struct Conflict {
        let rule: String
        let field: String
        let value: String
        /// The values that the rule leaves; nil when it only forbids the value in question.
        let allowed: [String]?

        func leaves(_ value: String) -> Bool { allowed?.contains(value) ?? true }
    }

    private func conflict(
        _ field: String,
        _ value: String,
        _ probability: Double,
        _ settled: [String: Answer]
    ) -> Conflict? {
        for rule in rules {
            let condition = rule.condition, consequence = rule.consequence
            if consequence.field == field, let other = settled[condition.field], let otherValue = other.value,
                condition.holds(otherValue, other.probability ?? 0), !consequence.allows(value)
            {
                let allowed = consequence.values ?? []
                return Conflict(rule: rule.name, field: condition.field, value: otherValue, allowed: allowed)
            }
            if condition.field == field, condition.holds(value, probability),
                let other = settled[consequence.field], let otherValue = other.value, !consequence.allows(otherValue)
            {
                return Conflict(rule: rule.name, field: consequence.field, value: otherValue, allowed: nil)
            }
        }
        return nil
    }
}
