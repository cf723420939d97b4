import FaceLLM
import Foundation
import TestSupport
import Testing

@Suite struct FieldDefinitionTests {
    static let example = """
        {"fields": [
            {"name": "earrings", "question": "Which jewellery is there?", "stem": "The person wears",
             "options": [{"value": "none", "phrase": "no earrings"}, {"value": "ear_rings"}],
             "asked_when": {"field": "headwear", "values": ["none", "cap"]}},
            {"name": "glasses", "options": [{"value": "none"}, {"value": "monocle"}], "replaces": true}],
         "rules": [{"name": "hood_hides_earrings",
            "if": {"field": "headwear", "values": ["hood"], "probability": 0.6},
            "then": {"field": "earrings", "not_applicable": true}, "decided_by": "condition"},
            {"name": "happy_means_open", "if": {"field": "expression", "values": ["happy"]},
            "then": {"field": "mouth", "values": ["open", "wide_open"]}}],
         "built_in_rules": false}
        """

    private static func read(_ json: String) throws(FieldError) -> UserFields { try UserFields(json: utf8(json)) }

    @Test func exampleReads() throws {
        let user = try Self.read(Self.example)
        let (catalogue, rules) = try user.resolved()
        let earrings = try #require(catalogue["earrings"])
        #expect(earrings.question == "Which jewellery is there?")
        #expect(
            earrings.options.map(earrings.answer) == ["The person wears no earrings", "The person wears ear rings"]
        )
        #expect(earrings.condition == Field.Condition("headwear", ["none", "cap"]))
        #expect(catalogue["glasses"]?.question == Field.sharedQuestion)
        #expect(rules.rules.map(\.name) == ["happy_means_open", "hood_hides_earrings"])
        let written = try JSONEncoder().encode(user)
        #expect(try UserFields(json: Array(written)) == user)
        #expect(try Self.read("{}").resolved().catalogue == .builtIn)
    }

    private static func field(_ members: String) -> String { #"{"fields": [{\#(members)}]}"# }
    private static let two = #""options": [{"value": "a"}, {"value": "b"}]"#

    /// JSON, and the subject and key that its error names.
    private static let refused: [(json: String, subject: String, key: String)] = [
        ("", "", ""),
        ("[]", "", ""),
        ("{\"felds\": []}", "", "felds"),
        (field(two), "fields[0]", "name"),
        (field(#""name": "x""#), #"fields[0] "x""#, "options"),
        (field(#""name": "x", "colour": 1, \#(two)"#), #"fields[0] "x""#, "colour"),
        (field(#""name": "x", "options": [{"value": "a", "text": "b"}]"#), #"fields[0] "x""#, "options[0].text"),
        (field(#""name": "x", "options": [{"value": "a"}, {"value": 3}]"#), #"fields[0] "x""#, "options[1].value"),
        (field(#""name": "x", "asked_when": {"field": "eyes"}, \#(two)"#), #"fields[0] "x""#, "asked_when.values"),
        (field(#""name": "x", "replaces": "yes", \#(two)"#), #"fields[0] "x""#, "replaces"),
        (field(#""name": "", \#(two)"#), "", "name"),
        (field(#""name": "Ear", \#(two)"#), "Ear", "name"),
        (
            field(#""name": "\#(String(repeating: "x", count: 65))", \#(two)"#), String(repeating: "x", count: 65),
            "name"
        ),
        (field(#""name": "x", "options": [{"value": "a"}]"#), "x", "options"),
        (field(#""name": "x", "options": [{"value": "a"}, {"value": "b c"}]"#), "x", "options[1].value"),
        (field(#""name": "x", "options": [{"value": "a"}, {"value": "a", "phrase": "b"}]"#), "x", "options[1].value"),
        (
            field(#""name": "x", "options": [{"value": "a"}, {"value": "b", "phrase": "a"}]"#), "x",
            "options[1].phrase"
        ),
        (field(#""name": "x", "options": [{"value": "a"}, {"value": "b", "phrase": ""}]"#), "x", "options[1].phrase"),
        (
            field(#""name": "x", "options": [{"value": "a"}, {"value": "b", "phrase": " b"}]"#), "x",
            "options[1].phrase"
        ),
        (field(#""name": "x", "stem": "a\nb", \#(two)"#), "x", "stem"),
        (field(#""name": "x", "stem": "a\#u{2028}b", \#(two)"#), "x", "stem"),
        (field(#""name": "x", "stem": "\#(String(repeating: "a", count: 201))", \#(two)"#), "x", "stem"),
        (field(#""name": "x", "question": " ", \#(two)"#), "x", "question"),
        (field(#""name": "eyes", \#(two)"#), "eyes", "name"),
    ]

    @Test(arguments: refused.indices) func faultsAreNamed(index: Int) throws {
        let (json, subject, key) = Self.refused[index]
        let error = #expect(throws: FieldError.self) { try Self.read(json).resolved() }
        #expect(error?.subject == subject)
        #expect(error?.key == key)
        #expect(error?.remedy.isEmpty == false && error?.found.isEmpty == false)
        #expect(error?.description.contains("expected") == true)
    }

    @Test func errorsHaveNoControlCharacters() {
        let json = Self.field("\"na\\u001bme\": 1")
        let error = #expect(throws: FieldError.self) { try Self.read(json) }
        #expect(error?.description.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
    }

    @Test func largeFilesAreRefused() {
        let error = #expect(throws: FieldError.self) {
            try UserFields(json: Array(repeating: 0x20, count: 1 << 20 + 1))
        }
        #expect(error?.found == "\(1 << 20 + 1)")
    }

    /// Reads a file and answers its fields.
    private static func use(_ json: [UInt8]) throws(FieldError) {
        let (catalogue, rules) = try UserFields(json: json).resolved()
        let scores = catalogue.fields.map { field in
            FieldScores(field.name, field.values.map { FieldScores.Value($0, 1 / Double(field.values.count)) })
        }
        #expect(rules.resolve(scores).answers.map(\.field) == catalogue.fields.map(\.name))
    }

    /// Bytes changed, removed, repeated and cut: a value or an error, and a value that works.
    @Test func mutations() throws {
        let original = utf8(Self.example)
        var generator = SeededGenerator(seed: 2021)
        let pieces = [#"""#, "{", "}", "[", "]", ",", ":", "null", "true", "-1e999", "\\u0000", "\\ud800", "eyes", "x"]
        var accepted = 0, refused = 0
        for turn in 0..<2000 {
            var bytes = original
            for _ in 0...Int.random(in: 0...1, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: utf8(pieces.randomElement(using: &generator) ?? ""), at: place)
                case 3:
                    let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
                    bytes.insert(contentsOf: bytes[place..<end], at: place)
                default:
                    if Bool.random(using: &generator) { bytes.removeSubrange(max(1, place)...) }
                    bytes[bytes.count / 2] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                }
            }
            do {
                try Self.use(bytes)
                accepted += 1
            } catch {
                refused += 1
                #expect(!error.expected.isEmpty && !error.found.isEmpty && !error.remedy.isEmpty, "turn \(turn)")
            }
        }
        #expect(accepted > 50 && refused > 500, "\(accepted) accepted, \(refused) refused")
    }

    @Test func deepNestingIsRefused() {
        let json = #"{"fields": "# + String(repeating: "[", count: 100_000)
        #expect(throws: FieldError.self) { try Self.read(json) }
    }
}
