import Events
import Foundation
import Glibc
import Service
import TestSupport
import Testing

@Suite("The events socket", .timeLimit(.minutes(2)))
struct EventsServerTests {
    @Test("whoever only reads gets hello and what is published from then on")
    func live() async throws {
        let fixture = try await EventsFixture()
        try fixture.publish(1...5)
        let client = try await fixture.client()
        try fixture.publish(6...8)
        await fixture.finish()
        let lines = try await client.lines()
        #expect(lines.map { seq(of: $0) } == [6, 7, 8])
        #expect(fixture.server.subscribers.isEmpty)
    }

    @Test("a request is answered and gets the lines behind a cursor, filtered, then live ones")
    func request() async throws {
        let fixture = try await EventsFixture()
        try fixture.publish(1...10)
        try fixture.publish(11...12, source: "yard")
        let client = try await fixture.client(asking: #""since":"one-8","sources":["door"]"#)
        try fixture.publish(13...14)
        await fixture.finish(with: ErrorRecord(code: "shutting_down", message: "the daemon ends", retryable: true))
        var tally = Tally()
        for line in try await client.lines() { try tally.take(line) }
        #expect(tally.seqs == [9, 10, 13, 14] && tally.errors == ["shutting_down"])
    }

    @Test("a request that comes late replaces the stream; its reply is the border")
    func lateRequest() async throws {
        let fixture = try await EventsFixture { $0.requestGrace = .zero }
        let client = try await fixture.client()
        try fixture.publish(1...3)
        #expect(seq(of: try await client.line()) == 1)
        await client.send(#"{"op":"subscribe","request_id":"a","since":"oldest"}"#)
        var line = try await client.line()
        while let other = line, type(of: other) != "reply" { line = try await client.line() }
        #expect(field("request_id", of: line) == "a")
        await fixture.finish()
        #expect(try await client.lines().map { seq(of: $0) } == [1, 2, 3])
    }

    @Test("a client that closes its side goes on reading, with a request and without", arguments: [true, false])
    func halfClosed(asks: Bool) async throws {
        let fixture = try await EventsFixture()
        try fixture.publish(1...2)
        let client = try await fixture.client()
        // Without its line break, as `printf … | socat` would send it.
        if asks { await client.send(Array(#"{"op":"subscribe","request_id":1,"since":"oldest"}"#.utf8)) }
        client.closeWriting()
        if asks { #expect(type(of: try await client.line()) == "reply") }
        try fixture.publish(3...4)
        await fixture.finish()
        #expect(try await client.lines().map { seq(of: $0) } == (asks ? [1, 2, 3, 4] : [3, 4]))
    }

    @Test("heartbeats come between the lines")
    func heartbeats() async throws {
        let fixture = try await EventsFixture { $0.heartbeatInterval = .milliseconds(5) }
        let client = try await fixture.client()
        for _ in 0..<3 { #expect(type(of: try await client.line()) == "heartbeat") }
        await fixture.finish()
    }

    @Test("a bad request is told why and the connection ends")
    func badRequests() async throws {
        let fixture = try await EventsFixture()
        let deep = String(repeating: "[", count: 20_000)
        let cases: [(bytes: [UInt8], code: String)] = [
            (Array("{\"op\":\"subscr".utf8), "malformed_request"),
            (Array("no json\n".utf8), "malformed_request"),
            ([0x7b, 0x00, 0x7d, 0x0a], "malformed_request"),
            (Array("{\"op\":\"".utf8) + [0xff, 0xfe] + Array("\"}\n".utf8), "malformed_request"),
            (Array("{\"op\":\"subscribe\",\"x\":\(deep)}\n".utf8), "malformed_request"),
            (Array("{\"op\":\"pause\"}\n".utf8), "unknown_op"),
            (Array("{\"op\":\"subscribe\",\"types\":[\"none\"]}\n".utf8), "invalid_field"),
            ([UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20), "request_too_long"),
            (Array("{\"op\":\"subscribe\"}\n{\"op\":\"subscribe\"}\n".utf8), "unexpected_request"),
        ]
        for (bytes, code) in cases {
            let client = try await fixture.client()
            await client.send(bytes)
            client.closeWriting()
            let lines = try await client.lines()
            #expect(lines.compactMap { field("code", of: $0) } == [code], "\(bytes.prefix(40)): \(lines)")
        }
        // The server is well after all that.
        let client = try await fixture.client()
        try fixture.publish(1...1)
        #expect(seq(of: try await client.line()) == 1)
        await fixture.finish()
    }

    @Test("somebody who may not is told so")
    func refused() async throws {
        let fixture = try await EventsFixture { $0.admits = { _ in false } }
        let lines = try await RawClient(fixture.path).lines()
        #expect(lines.count == 1 && field("code", of: lines.first) == "not_allowed")
        #expect(try EventDecoder().event(try #require(lines.first).utf8).type == "error")
        await fixture.finish()
    }

    @Test("one connection more than allowed is told so, and there is room again when one ends")
    func limit() async throws {
        let fixture = try await EventsFixture { $0.maximumConnections = 2 }
        let first = try await fixture.client()
        let second = try await fixture.client()
        let lines = try await RawClient(fixture.path).lines()
        #expect(lines.map { field("code", of: $0) } == ["too_many_connections"])
        first.close()
        // The server learns of it in its own time; meanwhile it refuses.
        var third: String?
        repeat { third = try await RawClient(fixture.path).line() } while type(of: third) == "error"
        #expect(type(of: third) == "hello")
        second.close()
        await fixture.finish()
    }

    @Test("a reader killed at random a hundred times and resumed by cursor misses nothing and sees nothing twice")
    func resume() async throws {
        let seed: UInt64 = 20_260_301
        var random = SeededGenerator(seed: seed)
        let fixture = try await EventsFixture()
        let total = 4000
        async let publishing: Void = {
            for value in 1...total {
                try fixture.bus.publish(number(value, padding: value % 700), source: "door")
                if value % 20 == 0 { await Task.yield() }
            }
        }()
        var tally = Tally()
        for _ in 0..<100 {
            let client = try await fixture.client(asking: "\"since\":\"\(tally.cursor)\"")
            for _ in 0..<Int.random(in: 0...25, using: &random) where tally.seqs.count < total {
                try tally.take(try #require(try await client.line()))
            }
            client.close()
        }
        try await publishing
        let last = try await fixture.client(asking: "\"since\":\"\(tally.cursor)\"")
        while tally.seqs.count < total { try tally.take(try #require(try await last.line())) }
        #expect(tally.seqs == Array(1...total) && tally.gaps.isEmpty, "seed \(seed)")
        await fixture.finish()
    }

    @Test("idle readers by the hundred, one that never reads, one that takes a byte at a time: others lose nothing")
    func badReaders() async throws {
        let fixture = try await EventsFixture {
            $0.queueBytes = 1 << 20
            $0.writeDeadline = .milliseconds(500)
        }
        var idle: [RawClient] = []
        for _ in 0..<500 { idle.append(try await fixture.client(asking: #""sources":["nothing"]"#)) }
        let deaf = try await fixture.client(asking: "")
        let trickle = try await fixture.client(asking: "")
        let quick = try await fixture.client(asking: "")
        #expect(fixture.server.subscribers.count == 503)

        let total = 3000
        async let read: Tally = {
            var tally = Tally()
            while tally.seqs.count < total, let line = try await quick.line() { try tally.take(line) }
            return tally
        }()
        var bytes: [UInt8] = []
        for value in 1...total {
            try fixture.bus.publish(number(value, padding: 1000), source: "door")
            if value % 100 == 0 { bytes += try await trickle.bytes(atMost: 1) }
            await Task.yield()
        }
        let tally = try await read
        #expect(tally.seqs == Array(1...total) && tally.gaps.isEmpty)
        #expect(bytes.first == UInt8(ascii: "{"))

        // Whoever does not read is cut off; what it had is whole lines but for the last.
        try await deaf.waitForClose()
        try await trickle.waitForClose()
        fixture.bus.finish()
        for client in idle { #expect(try await client.line() == nil) }
        await fixture.server.stop()
    }

    @Test("a slow reader is told which lines it lost")
    func slow() async throws {
        let fixture = try await EventsFixture { $0.queueBytes = 20_000 }
        let client = try await fixture.client(asking: "")
        let total = 3000
        try fixture.publish(1...total, padding: 1000)
        fixture.bus.finish()
        async let stopping: Void = fixture.server.stop()
        var tally = Tally()
        for line in try await client.lines() { try tally.take(line) }
        await stopping
        #expect(tally.seqs.count + tally.lost == total && tally.lost > 0)
        #expect(tally.gaps.allSatisfy { $0.reason == "slow_consumer" } && tally.seqs == tally.seqs.sorted())
    }
}
