import Events
import TestSupport
import Testing

@Suite("Reading damaged lines")
struct FuzzTests {
    let decoder = EventDecoder()

    @Test("a line cut anywhere before its last brace is refused", arguments: try Samples.lines())
    func truncated(line: EventLine) {
        for length in 0..<(line.bytes.count - 1) {
            #expect(throws: EventError.self) { try decoder.event(line.bytes.prefix(length)) }
        }
    }

    @Test("mutated lines are read or refused, never trapped on", arguments: UInt64(1)...8)
    func mutated(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let lines = try Samples.lines().map(\.bytes)
        let snippets = [
            "null", "1e999", "-1", "9223372036854775808", "\"\"", "[]", "{}", "[[[[", "\\ud800", "NaN", "\u{0}",
        ]
        for _ in 0..<500 {
            var bytes = lines[Int.random(in: lines.indices, using: &random)]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                case 2:
                    let snippet = snippets[Int.random(in: snippets.indices, using: &random)]
                    bytes.insert(contentsOf: snippet.utf8, at: place)
                default:
                    let end = Int.random(in: place...min(place + 40, bytes.count), using: &random)
                    bytes.removeSubrange(place..<end)
                }
            }
            guard let event = try? decoder.event(bytes) else { continue }
            // What was read must be safe to use: adding and checking a ledger does not trap either.
            if case .runSummary(let summary) = event.payload {
                _ = (summary.ledger + summary.ledger).violations(atEnd: true)
            }
            _ = try? EventEncoder().line(event)
        }
    }

    @Test("values of the wrong kind are refused")
    func wrongKinds() {
        let lines = [
            "", "null", "[]", "{", #"{"type":1,"schema":"s"}"#, #"{"type":"gap"}"#,
            #"{"schema":"s","type":"gap","scope":"moon","reason":"r"}"#,
            #"{"schema":"s","type":"gap","scope":"media","reason":"r","lost":1e30}"#,
            #"{"schema":"s","type":"gap","scope":"media","reason":"r","seq":1.5}"#,
            #"{"schema":"s","type":"gap","scope":"media","reason":"r","time":"today"}"#,
            String(repeating: "[", count: 10_000), String(repeating: #"{"a":"#, count: 10_000),
        ]
        for line in lines {
            #expect(throws: EventError.self, "\(line.prefix(80))") { try decoder.event(Array(line.utf8)) }
        }
    }
}
