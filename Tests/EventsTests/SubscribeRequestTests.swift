import Events
import TestSupport
import Testing

@Suite("Requests to subscribe")
struct SubscribeRequestTests {
    private func read(_ text: String) throws(RequestError) -> SubscribeRequest {
        try SubscribeRequest(line: Array(text.utf8))
    }

    private func problem(_ text: String) -> ErrorRecord? {
        do throws(RequestError) {
            _ = try read(text)
            return nil
        } catch {
            return error.record
        }
    }

    @Test("every field is read")
    func allFields() throws {
        let request = try read(
            #"{"op":"subscribe","request_id":7,"since":"ab-c-42","types":["gap","face.analysis"],"sources":["door"],"#
                + #""min_confidence":0.5,"on_overflow":"disconnect"}"# + "\n"
        )
        #expect(
            request
                == SubscribeRequest(
                    requestID: .number(7),
                    start: .after(Cursor(instanceID: "ab-c", seq: 42)),
                    filter: EventFilter(
                        types: ["gap", "face.analysis"],
                        sources: ["door"],
                        minimumConfidence: 0.5
                    ),
                    onOverflow: .disconnect
                )
        )
    }

    @Test("the least request is what a silent client gets, and unknown fields do not matter")
    func least() throws {
        #expect(try read(#"{"op":"subscribe"}"#) == SubscribeRequest())
        #expect(try read(#"{"op":"subscribe","since":null,"x":{"y":[1]}}"#) == SubscribeRequest())
        #expect(try read(#"{"op":"subscribe","request_id":"q"}"#).requestID == .text("q"))
    }

    @Test("a start is a word or a cursor; anything else is an unknown cursor, not an error")
    func starts() throws {
        let cases: [(String, SubscribeRequest.Start)] = [
            ("now", .now), ("oldest", .oldest), ("a-0", .after(Cursor(instanceID: "a", seq: 0))),
            ("", .unknownCursor), ("a-", .unknownCursor), ("-1", .unknownCursor), ("a-+1", .unknownCursor),
            ("a-99999999999999999999", .unknownCursor), ("a b-1", .unknownCursor), ("yesterday", .unknownCursor),
        ]
        for (text, start) in cases {
            #expect(try read(#"{"op":"subscribe","since":"\#(text)"}"#).start == start, "\(text)")
        }
    }

    @Test(
        "what is wrong is told with a code, the place and the request's id",
        arguments: [
            ("", "malformed_request", "", false), ("[]", "malformed_request", "", false),
            ("{", "malformed_request", "", false), ("{}", "malformed_request", "op", false),
            (#"{"op":7,"request_id":1}"#, "malformed_request", "op", false),
            (#"{"op":"subscribe","request_id":1.5}"#, "malformed_request", "request_id", false),
            (#"{"op":"subscribe","request_id":true}"#, "malformed_request", "request_id", false),
            (#"{"op":"purge","request_id":1}"#, "unknown_op", "subscribe", true),
            (#"{"op":"subscribe","request_id":1,"since":5}"#, "invalid_field", "since", true),
            (#"{"op":"subscribe","request_id":1,"types":"gap"}"#, "invalid_field", "types", true),
            (#"{"op":"subscribe","request_id":1,"types":["gap",1]}"#, "invalid_field", "types", true),
            (#"{"op":"subscribe","request_id":1,"types":["gap","gulf"]}"#, "invalid_field", "types.1", true),
            (#"{"op":"subscribe","request_id":1,"types":[]}"#, "invalid_field", "types", true),
            (#"{"op":"subscribe","request_id":1,"sources":[]}"#, "invalid_field", "sources", true),
            (#"{"op":"subscribe","request_id":1,"sources":{"door":1}}"#, "invalid_field", "sources", true),
            (#"{"op":"subscribe","request_id":1,"min_confidence":"0.5"}"#, "invalid_field", "min_confidence", true),
            (#"{"op":"subscribe","request_id":1,"min_confidence":1.5}"#, "invalid_field", "min_confidence", true),
            (#"{"op":"subscribe","request_id":1,"on_overflow":"wait"}"#, "invalid_field", "on_overflow", true),
        ]
    )
    func wrong(text: String, code: String, place: String, hasID: Bool) throws {
        let record = try #require(problem(text))
        #expect(record.code == code)
        #expect(record.message.contains(place), "\(record.message)")
        #expect(record.requestID == (hasID ? .number(1) : nil))
        #expect(!record.retryable)
    }

    @Test("a line may have 64 KiB and 16 levels")
    func limits() throws {
        let head = #"{"op":"subscribe","x":""#
        let room = SubscribeRequest.maximumLength - head.utf8.count - 2
        #expect(try read(head + String(repeating: "x", count: room) + #""}"#) == SubscribeRequest())
        #expect(problem(head + String(repeating: "x", count: room + 1) + #""}"#)?.code == "request_too_long")
        func nested(_ levels: Int) -> String {
            #"{"op":"subscribe","s":"[[[[[[[[[[[[[[[[[[\"[","x":"# + String(repeating: "[", count: levels)
                + String(repeating: "]", count: levels) + "}"
        }
        #expect(problem(nested(15)) == nil)
        #expect(problem(nested(16))?.message.contains("nested") == true)
        #expect(problem(nested(30_000))?.code == "malformed_request")
    }

    @Test("bytes that are no text are refused")
    func bytes() {
        for bytes: [UInt8] in [[0], [0xFF, 0xFE], Array(#"{"op":"subscribe"}"#.utf8) + [0], [0x7B, 0xC3, 0x28, 0x7D]] {
            #expect(throws: RequestError.self) { try SubscribeRequest(line: bytes) }
        }
    }

    @Test("mutated requests are read or refused, never trapped on", arguments: UInt64(1)...8)
    func mutated(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let good = Array(
            #"{"op":"subscribe","request_id":1,"since":"a-1","types":["gap"],"min_confidence":0.5}"#.utf8
        )
        let snippets = ["null", "1e999", "-1", "9223372036854775808", "\"\"", "[]", "{}", "[[[[", "\\ud800", "://"]
        for _ in 0..<500 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                default:
                    let snippet = snippets[Int.random(in: snippets.indices, using: &random)]
                    bytes.insert(contentsOf: snippet.utf8, at: place)
                }
            }
            do throws(RequestError) {
                _ = try SubscribeRequest(line: bytes)
            } catch {
                #expect(!error.record.message.isEmpty && !error.record.message.contains("://"), "seed \(seed)")
                #expect(error.record.message.count <= 4096)
            }
        }
    }

    @Test("a cursor reads what a line carries")
    func cursors() throws {
        var factory = EventFactory(instanceID: "a-b_C9", source: "door")
        let text = try #require(
            factory.make(.error(ErrorRecord(code: "c", message: "m", retryable: false))).envelope.cursor
        )
        #expect(Cursor(text) == Cursor(instanceID: "a-b_C9", seq: 1))
        #expect(Cursor(text)?.description == text)
        #expect(Cursor("a-\(Cursor.maximumSeq)")?.seq == Cursor.maximumSeq)
        #expect(Cursor("a-\(Cursor.maximumSeq + 1)") == nil)
        #expect(Cursor(String(repeating: "a", count: 65) + "-1") == nil)
    }

    @Test("a filter restricts by what it names")
    func filter() {
        let filter = EventFilter(types: ["gap", "error"], sources: ["door"], minimumConfidence: 0.5)
        #expect(filter.admits(type: "gap", source: "door", confidence: nil))
        #expect(filter.admits(type: "gap", source: "door", confidence: 0.5))
        #expect(!filter.admits(type: "gap", source: "door", confidence: 0.49))
        #expect(!filter.admits(type: "gap", source: "yard", confidence: nil))
        #expect(!filter.admits(type: "track.ended", source: "door", confidence: nil))
        #expect(filter.admits(type: "error", source: nil, confidence: nil))
        #expect(EventFilter.all.admits(type: "x", source: nil, confidence: 0))
    }
}
