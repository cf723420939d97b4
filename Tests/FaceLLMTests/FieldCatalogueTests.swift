import FaceLLM
import Testing

@Suite struct FieldCatalogueTests {
    @Test func builtInFields() {
        let catalogue = FieldCatalogue.builtIn
        #expect(
            catalogue.fields.map(\.name) == [
                "expression", "eyes", "mouth", "gaze_direction", "glasses", "facial_hair", "headwear", "face_mask",
                "hair_color", "hair_length", "occlusion", "lighting",
            ]
        )
        #expect(
            catalogue["expression"]?.values
                == ["neutral", "happy", "sad", "surprised", "fearful", "disgusted", "angry", "contemptuous"]
        )
        #expect(catalogue["eyes"]?.values == ["open", "closed", "mixed"])
        #expect(catalogue["mouth"]?.values == ["closed", "open", "wide_open"])
        #expect(catalogue.rounds == [catalogue.fields])
        #expect(Set(catalogue.fields.map(\.question)) == ["Describe the face image based on visual information."])
    }

    /// The built-in fields keep the rules that users' have to keep.
    @Test func builtInFieldsAreWellFormed() throws {
        for field in FieldCatalogue.builtIn.fields {
            let options = field.options.map { FieldDefinition.Option(value: $0.value, phrase: $0.phrase) }
            let definition = FieldDefinition(name: field.name, stem: field.stem, options: options)
            #expect(try definition.field() == field)
        }
    }

    /// Nothing that events.md promises never to ask.
    @Test func builtInFieldsAreNotAboutThePersonsNature() {
        let words = ["ethnic", "race", "health", "ill", "intent", "identity", "who", "gender", "age", "religion"]
        for field in FieldCatalogue.builtIn.fields {
            let text = ([field.name, field.stem, field.question] + field.options.map(\.phrase)).joined(separator: " ")
            let asked = Set(text.lowercased().split { !$0.isLetter }.map(String.init))
            #expect(asked.isDisjoint(with: words), "\(field.name)")
        }
    }

    private static func definition(
        _ name: String,
        after other: (String, [String])? = nil,
        replaces: Bool? = nil,
        values: [String] = ["a", "b"]
    ) -> FieldDefinition {
        FieldDefinition(
            name: name,
            options: values.map { FieldDefinition.Option(value: $0) },
            askedWhen: other.map { FieldDefinition.Condition(field: $0.0, values: $0.1) },
            replaces: replaces
        )
    }

    @Test func newFieldsComeLastAndReplacedOnesKeepTheirPlace() throws {
        let own = [
            Self.definition("earrings"), Self.definition("glasses", replaces: true, values: ["none", "monocle"]),
        ]
        let catalogue = try FieldCatalogue(own)
        #expect(catalogue.fields.count == 13)
        #expect(catalogue.fields.last?.name == "earrings")
        #expect(catalogue.fields[4].values == ["none", "monocle"])
        #expect(catalogue.fields[4].answer(catalogue.fields[4].options[1]) == "monocle")
    }

    @Test func conditionsMakeRounds() throws {
        let own = [
            Self.definition("third", after: ("second", ["b"])), Self.definition("second", after: ("eyes", ["open"])),
        ]
        let catalogue = try FieldCatalogue(own)
        #expect(catalogue.rounds.map(\.count) == [12, 1, 1])
        #expect(catalogue.rounds.dropFirst().map { $0[0].name } == ["second", "third"])
        let second = try #require(catalogue["second"])
        #expect(second.isAsked(after: ["eyes": "open"]))
        #expect(!second.isAsked(after: ["eyes": "closed"]))
        #expect(!second.isAsked(after: [:]))
        #expect(FieldCatalogue.builtIn.fields[0].isAsked(after: [:]))
    }

    @Test func relationsThatCannotBeAreRefused() throws {
        func refusal(_ definitions: [FieldDefinition]) -> FieldError? {
            #expect(throws: FieldError.self) { try FieldCatalogue(definitions) }
        }
        let circle = [Self.definition("x", after: ("y", ["a"])), Self.definition("y", after: ("x", ["a"]))]
        #expect(refusal(circle)?.found == "x, y waiting for each other")
        #expect(refusal([Self.definition("x", after: ("x", ["a"]))])?.subject == "x")
        #expect(refusal([Self.definition("x", after: ("nose", ["a"]))])?.key == "asked_when.field")
        #expect(refusal([Self.definition("x", after: ("eyes", ["red"]))])?.key == "asked_when.values")
        #expect(refusal([Self.definition("x", after: ("eyes", []))])?.key == "asked_when.values")
        #expect(refusal([Self.definition("x"), Self.definition("x")])?.key == "name")
        #expect(refusal([Self.definition("eyes")])?.remedy.contains("\"replaces\": true") == true)
        #expect(refusal([Self.definition("x", replaces: true)])?.key == "replaces")
        #expect(refusal([Self.definition("apparent_gender", replaces: true)])?.key == "name")
        let feelings = Self.definition("expression", replaces: true, values: ["happy", "hangry"])
        #expect(refusal([feelings])?.key == "options[1].value")
        #expect(refusal((0..<53).map { Self.definition("f\($0)") })?.key == "fields")
        #expect(try FieldCatalogue((0..<52).map { Self.definition("f\($0)") }).fields.count == 64)
    }

    @Test func selecting() throws {
        let catalogue = try FieldCatalogue([Self.definition("x", after: ("eyes", ["open"]))])
        #expect(try catalogue.selecting(["x", "eyes"]).rounds.map { $0.map(\.name) } == [["eyes"], ["x"]])
        #expect(try catalogue.selecting([]).rounds.isEmpty)
        #expect(throws: FieldError.self) { try catalogue.selecting(["nose"]) }
        let error = #expect(throws: FieldError.self) { try catalogue.selecting(["x"]) }
        #expect(error?.key == "asked_when.field")
    }
}
