import Events
import Foundation
import TestSupport
import Testing

@Suite("The reference of events")
struct EventReferenceTests {
    private static let page = Installation.package.appending(path: "Documentation/events.md")
    private static let examples = Installation.package.appending(path: "Documentation/examples/events.jsonl")

    private func schema() throws -> OrderedJSON {
        try OrderedJSON(Data(contentsOf: Installation.package.appending(path: "Config/events.schema.json")))
    }

    private func exampleLines() throws -> [Data] {
        try Data(contentsOf: Self.examples).split(separator: UInt8(ascii: "\n")).map { Data($0) }
    }

    private func reference() throws -> EventReference {
        EventReference(schema: try schema(), examples: try exampleLines().map { try OrderedJSON($0) })
    }

    /// With `FACELLM_WRITE_DOCUMENTS=1` it is written instead.
    @Test("the page is what the schema says")
    func pageIsUpToDate() throws {
        let text = try reference().markdown
        if ProcessInfo.processInfo.environment["FACELLM_WRITE_DOCUMENTS"] == "1" {
            try Data(text.utf8).write(to: Self.page)
        }
        #expect(
            try String(contentsOf: Self.page, encoding: .utf8) == text,
            "Documentation/events.md is old: run FACELLM_WRITE_DOCUMENTS=1 swift test --filter EventReferenceTests"
        )
    }

    @Test("each type has one example, and the program reads each as what it says")
    func examplesOfEachType() throws {
        let reference = try reference()
        let types = reference.examples.compactMap { $0["type"]?.string }
        #expect(types.count == reference.examples.count && types.sorted() == reference.types.sorted())
        #expect(Set(reference.types) == Set(EventType.allCases.map(\.rawValue)).union(["hello", "heartbeat", "reply"]))
        for line in try exampleLines() {
            let type = try OrderedJSON(line)["type"]?.string ?? ""
            if EventType(rawValue: type) == nil {
                #expect(try JSONDecoder().decode(ConnectionLine.self, from: line).type == type)
            } else {
                #expect(try JSONDecoder().decode(Event.self, from: line).type == type)
            }
        }
    }

    @Test("every property says what it means, and those that need not be there say when they are not")
    func everyPropertyIsDescribed() throws {
        let schema = try schema()
        let reference = EventReference(schema: schema, examples: [])
        var count = 0
        func check(_ object: OrderedJSON, _ path: String) {
            let required = (object["required"]?.items ?? []).compactMap(\.string)
            let hasCommonRule = object["description"]?.string?.contains("A name is absent ") == true
            for (name, property) in object["properties"]?.members ?? [] {
                count += 1
                let words = reference.description(of: property) ?? ""
                #expect(words.hasSuffix(".") && words.count > 5, "\(path).\(name) is not described")
                let isExplained = required.contains(name) || hasCommonRule || words.contains(" Absent ")
                #expect(isExplained || path.isEmpty, "\(path).\(name): when is it absent?")
                if property["$ref"] == nil { check(property, "\(path).\(name)") }
                if let items = property["items"], items["$ref"] == nil { check(items, "\(path).\(name)[]") }
            }
            if let entries = object["additionalProperties"], entries["$ref"] == nil { check(entries, "\(path){}") }
        }
        check(schema, "")
        for (name, definition) in schema["$defs"]?.members ?? [] {
            #expect(definition["description"] != nil, "\(name) is not described")
            check(definition, name)
        }
        #expect(count > 150)
    }

    @Test("the page's sums are those of the program")
    func equations() throws {
        let names = try #require(schema()["$defs"]?["ledger"]?["properties"]).members.map(\.key)
        var counters = Dictionary(uniqueKeysWithValues: zip(names, 1...))
        for (total, parts) in EventReference.equations {
            counters[total] = parts.reduce(0) { $0 + (counters[$1] ?? 0) }
        }
        counters["tracks_ended"] = counters["tracks_started"]
        func violations(_ counters: [String: Int]) throws -> [String] {
            try JSONDecoder().decode(Ledger.self, from: JSONEncoder().encode(counters)).violations()
        }
        #expect(try violations(counters) == [])
        for (total, parts) in EventReference.equations {
            for name in [total] + parts {
                var broken = counters
                broken[name, default: 0] += 1
                #expect(try violations(broken).count == 1, "\(name)")
            }
        }
    }

    @Test("the page tells every reason for a gap of delivery")
    func reasons() {
        for reason in LostLines.Reason.allCases {
            #expect(EventReference.subscribing.contains("| `\(reason.rawValue)` |"))
        }
    }
}
