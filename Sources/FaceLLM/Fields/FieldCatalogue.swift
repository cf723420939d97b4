/// The fields that can be asked, in the order in which their answers are published.
package struct FieldCatalogue: Sendable, Hashable {
    package let fields: [Field]
    /// The fields in rounds: those of a round depend on answers of earlier rounds only.
    ///
    /// A round is one pass of the model; without conditions there is one.
    package let rounds: [[Field]]

    /// More would not be answered in useful time.
    package static let mostFields = 64

    /// The caller answers for the fields: their names are distinct and they have no conditions.
    init(checked fields: [Field]) {
        self.fields = fields
        rounds = fields.isEmpty ? [] : [fields]
    }

    /// The built-in fields with those of a user: replaced ones in the place of the old, new ones at the end.
    package init(_ definitions: [FieldDefinition], over base: FieldCatalogue = .builtIn) throws(FieldError) {
        var fields = base.fields
        var defined: Set<String> = []
        for definition in definitions {
            let field = try definition.field()
            guard defined.insert(field.name).inserted else {
                throw FieldError(
                    field.name,
                    key: "name",
                    expected: "a name that no other definition has",
                    found: "\"\(field.name)\" again",
                    remedy: "Rename or remove one of the two."
                )
            }
            let place = base.fields.firstIndex { $0.name == field.name }
            try Self.checkReserved(definition, replaced: place.map { base.fields[$0] })
            if let place { fields[place] = field } else { fields.append(field) }
        }
        guard fields.count <= Self.mostFields else {
            throw FieldError(
                "",
                key: "fields",
                expected: "at most \(Self.mostFields) fields with the built-in ones",
                found: "\(fields.count)",
                remedy: "Each field costs time for every face; leave some out."
            )
        }
        self.fields = fields
        rounds = try Self.rounds(fields)
    }

    private init(fields: [Field]) throws(FieldError) {
        self.fields = fields
        rounds = try Self.rounds(fields)
    }

    package subscript(_ name: String) -> Field? { fields.first { $0.name == name } }

    /// Only the named fields; a field with a condition needs the one that it depends on.
    package func selecting(_ names: Set<String>) throws(FieldError) -> FieldCatalogue {
        if let unknown = names.sorted().first(where: { self[$0] == nil }) {
            throw FieldError(
                unknown,
                expected: "one of \(fields.map(\.name).joined(separator: ", "))",
                found: FieldText.quoted(unknown),
                remedy: "Correct the name or define the field."
            )
        }
        return try FieldCatalogue(fields: fields.filter { names.contains($0.name) })
    }

    // MARK: - Checks

    private static func checkReserved(_ definition: FieldDefinition, replaced: Field?) throws(FieldError) {
        let name = definition.name
        if reservedNames.contains(name) {
            throw FieldError(
                name,
                key: "name",
                expected: "a name that no other stage publishes",
                found: "\"\(name)\"",
                remedy: "Choose another name."
            )
        }
        let replaces = definition.replaces ?? false
        guard let replaced else {
            if !replaces { return }
            throw FieldError(
                name,
                key: "replaces",
                expected: "the name of a built-in field to replace",
                found: "\"\(name)\", which is not built in",
                remedy: "Leave \"replaces\" out or correct the name."
            )
        }
        guard replaces else {
            throw FieldError(
                name,
                key: "name",
                expected: "a name that no built-in field has",
                found: "\"\(name)\"",
                remedy: "Choose another name, or set \"replaces\": true to take the built-in field's place."
            )
        }
        guard closedVocabularies.contains(name) else { return }
        for (index, option) in definition.options.enumerated() where !replaced.values.contains(option.value) {
            throw FieldError(
                name,
                key: "options[\(index)].value",
                expected: "one of the published values \(replaced.values.joined(separator: ", "))",
                found: "\"\(option.value)\"",
                remedy: "Reword the phrase and keep the value, or define a field of another name."
            )
        }
    }

    /// Fields whose conditions name fields and values that exist and do not go round in a circle.
    private static func rounds(_ fields: [Field]) throws(FieldError) -> [[Field]] {
        for field in fields {
            guard let condition = field.condition else { continue }
            try check(condition, of: field.name, key: "asked_when", in: fields)
        }
        var rounds: [[Field]] = []
        var placed: Set<String> = []
        var remaining = fields
        while !remaining.isEmpty {
            let ready = remaining.filter { $0.condition.map { placed.contains($0.field) } ?? true }
            guard !ready.isEmpty else {
                throw FieldError(
                    remaining[0].name,
                    key: "asked_when.field",
                    expected: "a field that is asked before",
                    found: remaining.map(\.name).joined(separator: ", ") + " waiting for each other",
                    remedy: "Remove one of the conditions."
                )
            }
            rounds.append(ready)
            placed.formUnion(ready.map(\.name))
            remaining.removeAll { placed.contains($0.name) }
        }
        return rounds
    }

    /// Refuses a condition on fields or values that do not exist.
    static func check(
        _ condition: Field.Condition,
        of subject: String,
        key: String,
        in fields: [Field]
    ) throws(FieldError) {
        guard let other = fields.first(where: { $0.name == condition.field }) else {
            throw FieldError(
                subject,
                key: "\(key).field",
                expected: "the name of a field that is asked",
                found: FieldText.quoted(condition.field),
                remedy: "Correct the name, or ask that field too."
            )
        }
        guard !condition.values.isEmpty else {
            throw FieldError(
                subject,
                key: "\(key).values",
                expected: "at least one value",
                found: "none",
                remedy: "Name values of \"\(other.name)\"."
            )
        }
        if let unknown = condition.values.first(where: { !other.values.contains($0) }) {
            throw FieldError(
                subject,
                key: "\(key).values",
                expected: "values of \"\(other.name)\": \(other.values.joined(separator: ", "))",
                found: FieldText.quoted(unknown),
                remedy: "Correct or remove the value."
            )
        }
    }
}
