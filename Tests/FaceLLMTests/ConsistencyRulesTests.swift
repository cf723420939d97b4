import FaceLLM
import TestSupport
import Testing

@Suite struct ConsistencyRulesTests {
    private typealias Rule = ConsistencyRule

    private static func scores(_ field: String, _ values: KeyValuePairs<String, Double>) -> FieldScores {
        FieldScores(field, values.map { FieldScores.Value($0.key, $0.value) })
    }

    /// Values by field; "-" is not applicable.
    private static func values(_ answers: [ConsistencyRules.Answer]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: answers.map { ($0.field, $0.value ?? "-") })
    }

    @Test func agreeingAnswersStay() throws {
        let rules = try ConsistencyRules()
        let (answers, resolutions) = rules.resolve([
            Self.scores("eyes", ["open": 0.9, "closed": 0.1]),
            Self.scores("gaze_direction", ["at_camera": 0.6, "left": 0.4]),
        ])
        #expect(answers.map(\.field) == ["eyes", "gaze_direction"])
        #expect(answers.map(\.value) == ["open", "at_camera"])
        #expect(answers.map(\.probability) == [0.9, 0.6])
        #expect(resolutions.isEmpty)
    }

    @Test func theMoreCertainAnswerWins() throws {
        let rules = try ConsistencyRules()
        let bald = rules.resolve([
            Self.scores("hair_color", ["black": 0.5, "brown": 0.5]),
            Self.scores("hair_length", ["bald": 0.8, "short": 0.2]),
        ])
        #expect(Self.values(bald.answers) == ["hair_color": "-", "hair_length": "bald"])
        #expect(bald.answers[0].probability == nil)
        #expect(
            bald.resolutions.map(\.description) == [
                "hair_color: \"black\" was taken as not applicable, because hair_length is \"bald\" "
                    + "(rule bald_has_no_color)."
            ]
        )
        let haired = rules.resolve([
            Self.scores("hair_length", ["bald": 0.5, "short": 0.3, "long": 0.2]),
            Self.scores("hair_color", ["black": 0.9, "brown": 0.1]),
        ])
        #expect(Self.values(haired.answers) == ["hair_color": "black", "hair_length": "short"])
        #expect(abs((haired.answers[0].probability ?? 0) - 0.6) < 1e-12)
        #expect(
            haired.resolutions.map(\.description) == [
                "hair_length: changed from \"bald\" to \"short\", because hair_color is \"black\" "
                    + "(rule bald_has_no_color)."
            ]
        )
    }

    /// Eyes behind dark lenses are not seen, however sure the model is that they are open.
    @Test func whatIsHiddenIsNoEvidence() throws {
        let rules = try ConsistencyRules()
        let eyes = Self.scores("eyes", ["open": 0.99, "closed": 0.01])
        let dark = rules.resolve([eyes, Self.scores("glasses", ["sunglasses": 0.7, "none": 0.3])])
        #expect(Self.values(dark.answers) == ["eyes": "-", "glasses": "sunglasses"])
        // Below the probability that the rule asks for.
        let unsure = rules.resolve([eyes, Self.scores("glasses", ["sunglasses": 0.55, "none": 0.45])])
        #expect(Self.values(unsure.answers) == ["eyes": "open", "glasses": "sunglasses"])
        let mask = rules.resolve([
            Self.scores("mouth", ["open": 1]), Self.scores("facial_hair", ["beard": 1]),
            Self.scores("face_mask", ["worn": 0.8, "none": 0.2]),
        ])
        #expect(Self.values(mask.answers) == ["mouth": "-", "facial_hair": "-", "face_mask": "worn"])
        let helmet = rules.resolve([
            Self.scores("hair_length", ["bald": 0.9, "long": 0.1]), Self.scores("hair_color", ["red": 1]),
            Self.scores("headwear", ["helmet": 0.8, "none": 0.2]),
        ])
        #expect(Self.values(helmet.answers) == ["hair_length": "-", "hair_color": "-", "headwear": "helmet"])
    }

    /// Fields a to e of the values p, q and r.
    private static func rules(_ rules: [Rule]) throws -> ConsistencyRules {
        let options = ["p", "q", "r"].map { FieldDefinition.Option(value: $0) }
        let catalogue = try FieldCatalogue(
            ["a", "b", "c", "d", "e"].map { FieldDefinition(name: $0, options: options) }
        )
        return try ConsistencyRules(rules, includesBuiltIn: false, for: catalogue)
    }

    private static func rule(_ name: String, _ a: String, _ av: [String], _ b: String, _ bv: [String]) -> Rule {
        Rule(name, if: Rule.Condition(field: a, values: av), then: Rule.Consequence(field: b, values: bv))
    }

    /// A change that makes the next: a is certain, b gives way to a, then c to b's new value.
    @Test func chains() throws {
        let rules = try Self.rules(
            [Self.rule("r1", "a", ["p"], "b", ["q"]), Self.rule("r2", "b", ["q"], "c", ["r"])]
        )
        let (answers, resolutions) = rules.resolve([
            Self.scores("c", ["p": 0.6, "q": 0.3, "r": 0.1]), Self.scores("b", ["p": 0.8, "q": 0.1, "r": 0.1]),
            Self.scores("a", ["p": 0.9, "q": 0.1]),
        ])
        #expect(Self.values(answers) == ["a": "p", "b": "q", "c": "r"])
        #expect(answers.map(\.probability) == [1, 1, 0.9])
        #expect(resolutions.map { "\($0.field) \($0.from) \($0.to ?? "-") \($0.rule)" } == ["b p q r1", "c p r r2"])
    }

    /// Two rules take a field's values one after the other, until none is left.
    @Test func severalRulesOnOneField() throws {
        let rules = try Self.rules(
            [Self.rule("r1", "a", ["p"], "c", ["q", "r"]), Self.rule("r2", "b", ["p"], "c", ["p"])]
        )
        let (answers, resolutions) = rules.resolve([
            Self.scores("a", ["p": 1]), Self.scores("b", ["p": 0.9, "q": 0.1]),
            Self.scores("c", ["p": 0.5, "q": 0.3, "r": 0.2]),
        ])
        #expect(Self.values(answers) == ["a": "p", "b": "p", "c": "-"])
        #expect(
            resolutions.map { "\($0.from) \($0.to ?? "-") \($0.rule) \($0.because)" } == ["p q r1 a", "q - r2 b"]
        )
    }

    @Test func theConsequenceCanTakeTheConditionAway() throws {
        let rules = try Self.rules([Self.rule("r1", "a", ["p", "q"], "b", ["q"])])
        let (answers, resolutions) = rules.resolve([
            Self.scores("a", ["p": 0.5, "q": 0.3, "r": 0.2]), Self.scores("b", ["p": 0.9, "q": 0.1]),
        ])
        #expect(Self.values(answers) == ["a": "r", "b": "p"])
        #expect(answers[0].probability == 1)
        #expect(resolutions.map(\.from) == ["p", "q"])
    }

    @Test func valuesWithoutProbabilityAreAlike() throws {
        let rules = try Self.rules([Self.rule("r1", "a", ["p"], "b", ["q", "r"])])
        let answers = rules.resolve([
            Self.scores("a", ["p": 1]), Self.scores("b", ["p": .nan, "q": 0, "r": 0]), FieldScores("c", []),
        ]).answers
        #expect(answers.map(\.field) == ["a", "b"])
        #expect(answers[1].value == "q" && answers[1].probability == 0.5)
    }

    /// Random answers and rules: all rules hold at the end, values come from the field, and the order is of no matter.
    @Test func randomRules() throws {
        let fields = ["a", "b", "c", "d", "e"], values = ["p", "q", "r"]
        var resolved = 0
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            func some() -> [String] {
                values.shuffled(using: &generator).prefix(Int.random(in: 1...2, using: &generator)).sorted()
            }
            let rules = (0..<Int.random(in: 1...12, using: &generator)).map { index -> Rule in
                let pair = fields.shuffled(using: &generator)
                // Fields hide later ones only, so there is no circle.
                let hides = pair[0] < pair[1] && Bool.random(using: &generator)
                return Rule(
                    "r\(index)",
                    if: Rule.Condition(
                        field: pair[0],
                        values: some(),
                        probability: Double.random(in: 0...0.8, using: &generator)
                    ),
                    then: Bool.random(using: &generator)
                        ? Rule.Consequence(notApplicable: pair[1]) : Rule.Consequence(field: pair[1], values: some()),
                    decidedBy: hides ? .condition : nil
                )
            }
            let scores = fields.map { field -> FieldScores in
                let weights = values.map { _ in Double.random(in: 0...1, using: &generator) }
                let total = weights.reduce(0, +)
                return FieldScores(field, zip(values, weights).map { FieldScores.Value($0, $1 / total) })
            }
            let (answers, resolutions) = try Self.rules(rules).resolve(scores)
            resolved += resolutions.count
            #expect(answers.map(\.field) == fields, "seed \(seed)")
            let byField = Dictionary(uniqueKeysWithValues: answers.map { ($0.field, $0) })
            for rule in rules {
                guard let a = byField[rule.condition.field], let b = byField[rule.consequence.field],
                    let value = a.value, let probability = a.probability,
                    rule.condition.values.contains(value), probability >= rule.condition.probability ?? 0
                else { continue }
                #expect(b.value.map { rule.consequence.values?.contains($0) ?? false } ?? true, "seed \(seed) \(rule)")
            }
            let changed = Set(resolutions.map(\.field))
            for (answer, before) in zip(answers, scores) {
                #expect((answer.value == before.best?.value) != changed.contains(answer.field), "seed \(seed)")
            }
            let shuffled = try Self.rules(rules.shuffled(using: &generator))
                .resolve(scores.shuffled(using: &generator))
            #expect(Set(shuffled.answers) == Set(answers), "seed \(seed)")
            #expect(shuffled.resolutions == resolutions, "seed \(seed)")
        }
        #expect(resolved > 300)
    }

    @Test func faultyRulesAreRefused() throws {
        func refusal(_ rules: Rule...) -> FieldError? {
            #expect(throws: FieldError.self) { try ConsistencyRules(rules) }
        }
        let eyes = Rule.Condition(field: "eyes", values: ["closed"])
        let mouth = Rule.Consequence(notApplicable: "mouth")
        #expect(refusal(Rule("A b", if: eyes, then: mouth))?.key == "name")
        #expect(refusal(Rule("bald_has_no_color", if: eyes, then: mouth))?.key == "name")
        #expect(refusal(Rule("x", if: eyes, then: mouth), Rule("x", if: eyes, then: mouth))?.key == "name")
        #expect(refusal(Rule("x", if: Rule.Condition(field: "ears", values: ["a"]), then: mouth))?.key == "if.field")
        #expect(refusal(Rule("x", if: Rule.Condition(field: "eyes", values: []), then: mouth))?.key == "if.values")
        let unsure = Rule.Condition(field: "eyes", values: ["open"], probability: 1.5)
        #expect(refusal(Rule("x", if: unsure, then: mouth))?.key == "if.probability")
        #expect(refusal(Rule("x", if: eyes, then: Rule.Consequence(notApplicable: "ear")))?.key == "then.field")
        #expect(refusal(Rule("x", if: eyes, then: Rule.Consequence(field: "mouth", values: [])))?.key == "then.values")
        #expect(refusal(Rule("x", if: eyes, then: Rule.Consequence(notApplicable: "eyes")))?.key == "then.field")
        let circle = [("eyes", "mouth"), ("mouth", "glasses"), ("glasses", "eyes")].enumerated().map { index, pair in
            Rule(
                "c\(index)",
                if: Rule.Condition(field: pair.0, values: [pair.0 == "glasses" ? "none" : "open"]),
                then: Rule.Consequence(notApplicable: pair.1),
                decidedBy: .condition
            )
        }
        let error = refusal(circle[0], circle[1], circle[2])
        // The built-in rule leads from glasses to eyes as the last one does.
        #expect(error?.subject == "c2" && error?.found == "dark_lenses_hide_eyes, c0, c1, c2")
    }

    @Test(arguments: [
        (#"{"field": "mouth"}"#, "then"), (#"{"field": "mouth", "values": ["open"], "not_applicable": true}"#, "then"),
        (#"{"field": "mouth", "is": "open"}"#, "then.is"), (#"{"values": ["open"]}"#, "then.field"),
    ])
    func faultyConsequencesInJSON(consequence: String, key: String) {
        let json = #"{"rules": [{"name": "x", "if": {"field": "eyes", "values": ["open"]}, "then": \#(consequence)}]}"#
        let error = #expect(throws: FieldError.self) { try UserFields(json: utf8(json)).resolved() }
        #expect(error?.key == key)
        #expect(error?.subject.contains("x") == true)
    }

    /// A replaced field keeps the rules whose values it still has.
    @Test func builtInRulesFollowReplacedFields() throws {
        let hair = FieldDefinition(
            name: "hair_length",
            options: ["short", "long"].map { FieldDefinition.Option(value: $0) },
            replaces: true
        )
        let names = try ConsistencyRules(for: FieldCatalogue([hair])).rules.map(\.name)
        #expect(!names.contains("bald_has_no_color") && names.contains("headwear_hides_hair_length"))
        #expect(names.count == Rule.builtIn.count - 1 && names == names.sorted())
        #expect(try ConsistencyRules().rules.count == Rule.builtIn.count)
    }
}
