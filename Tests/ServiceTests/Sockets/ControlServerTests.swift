import Events
import Foundation
import Service
import TestSupport
import Testing

@Suite("The control socket", .timeLimit(.minutes(1)))
struct ControlServerTests {
    private let folder: SocketsFolder
    private var path: String { folder("control.sock") }

    init() throws { folder = try SocketsFolder() }

    private func server(
        _ handler: any ControlHandler,
        _ change: (inout ControlServer.Settings) -> Void = { _ in }
    ) async throws -> ControlServer {
        var settings = ControlServer.Settings(listener: .path(SocketPath(path)))
        change(&settings)
        let server = ControlServer(settings: settings, handler: handler, logger: .quiet)
        try await server.start()
        return server
    }

    @Test("every command is understood, one after the other on one connection")
    func commands() async throws {
        let handler = FakeHandler()
        let server = try await server(handler)
        let client = try RawClient(path)
        let requests: [(String, ControlCommand)] = [
            (#""op":"status""#, .status), (#""op":"reload""#, .reload), (#""op":"sources.list""#, .sourcesList),
            (
                #""op":"sources.add","source":{"name":"door","url":"rtsp://h/1","sample_fps":5,"describe":false}"#,
                .sourcesAdd(JSONText: #"{"describe":false,"name":"door","sample_fps":5,"url":"rtsp://h/1"}"#)
            ),
            (#""op":"sources.remove","source":"door""#, .sourcesRemove("door")),
            (#""op":"pause""#, .pause(nil)), (#""op":"pause","source":"door""#, .pause("door")),
            (#""op":"resume","source":null"#, .resume(nil)),
            (#""op":"purge","source":"door""#, .purge(before: nil, source: "door")),
            (
                #""op":"purge","before":"2026-03-01T09:30:00.250Z""#,
                .purge(before: Date(timeIntervalSince1970: 1_772_357_400.25), source: nil)
            ),
        ]
        // All at once: the answers come in order.
        await client.send(requests.enumerated().map { #"{\#($1.0),"request_id":\#($0)}"# }.joined(separator: "\n"))
        for index in requests.indices {
            let line = try await client.line()
            #expect(field("request_id", of: line, as: Int.self) == index && isDone(line) == true)
        }
        #expect(handler.seen == requests.map(\.1))
        await server.stop()
        #expect(try await client.line() == nil)
    }

    @Test("what the handler says comes back under the request's own mark")
    func answers() async throws {
        let server = try await server(
            FakeHandler { command in
                command == .status ? .ok(json: #"{"ready":true}"#) : .failed(code: "no", message: "a \"bad\"\nday")
            }
        )
        let client = try RawClient(path)
        await client.send(#"{"op":"status","request_id":"x\"y"}"#)
        #expect(try await client.line() == #"{"ok":true,"request_id":"x\"y","result":{"ready":true}}"#)
        await client.send(#"{"op":"reload"}"#)
        #expect(
            try await client.line()
                == #"{"error":{"code":"no","message":"a \"bad\"\nday"},"ok":false,"request_id":null}"#
        )
        await server.stop()
    }

    @Test("what is no request is answered so, and the next one is served")
    func badRequests() async throws {
        let handler = FakeHandler()
        let server = try await server(handler)
        let client = try RawClient(path)
        let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
        let cases: [([UInt8], String)] = [
            (Array("no json".utf8), "malformed_request"), (Array("[1]".utf8), "malformed_request"),
            ([0x7b, 0x00, 0x7d], "malformed_request"), ([0x22, 0xff, 0xfe, 0x22], "malformed_request"),
            (Array(deep.utf8), "malformed_request"), (Array("{}".utf8), "malformed_request"),
            (Array(#"{"op":"destroy"}"#.utf8), "unknown_op"),
            (Array(#"{"op":"pause","source":7}"#.utf8), "invalid_field"),
            (Array(#"{"op":"purge"}"#.utf8), "invalid_field"),
            (Array(#"{"op":"purge","before":"yesterday"}"#.utf8), "invalid_field"),
            (Array(#"{"op":"sources.add","source":"door"}"#.utf8), "invalid_field"),
            (Array(#"{"op":"sources.remove"}"#.utf8), "invalid_field"),
            (Array(#"{"op":"status","request_id":1.5}"#.utf8), "invalid_field"),
        ]
        for (bytes, code) in cases {
            await client.send(bytes + [0x0a])
            let line = try #require(try await client.line())
            #expect(line.contains(#""code":"\#(code)""#) && isDone(line) == false, "\(line)")
        }
        #expect(handler.seen.isEmpty)
        await client.send(#"{"op":"status","request_id":1}"#)
        #expect(isDone(try await client.line()) == true)
        await server.stop()
    }

    @Test("a line without end ends the connection")
    func longLine() async throws {
        let server = try await server(FakeHandler())
        let client = try RawClient(path)
        async let sending: Void = client.send([UInt8](repeating: UInt8(ascii: " "), count: 1 << 20))
        let line = try await client.line()
        #expect(line?.contains("request_too_long") == true)
        #expect(try await client.line() == nil)
        await sending
        await server.stop()
    }

    @Test("whoever says nothing is let go of")
    func idle() async throws {
        let server = try await server(FakeHandler()) { $0.idleLimit = .milliseconds(20) }
        let client = try RawClient(path)
        #expect(try await client.line() == nil)
        await server.stop()
    }

    @Test("the client has the result, the daemon's refusal, or a failure with its remedy")
    func client() async throws {
        let client = ControlClient(path: path)
        let absent = await #expect(throws: SocketError.self) { try await client.ask("status") }
        #expect(absent?.kind == .noDaemon && absent?.description.contains("facellmd") == true)

        let large = String(repeating: "x", count: 300_000)
        let server = try await server(
            FakeHandler { command in
                command == .status
                    ? .ok(json: #"{"words":"\#(large)"}"#) : .failed(code: "unknown_source", message: "no source yard")
            }
        )
        #expect(try await client.ask("status")["words"] == .string(large))
        let refused = await #expect(throws: SocketError.self) {
            try await client.ask("pause", ["source": .string("yard")])
        }
        #expect(refused?.kind == .refused && refused?.detail == "unknown_source: no source yard")
        await server.stop()

        let closed = try await self.server(FakeHandler()) { $0.admits = { _ in false } }
        let forbidden = await #expect(throws: SocketError.self) { try await client.ask("status") }
        #expect(forbidden?.detail.hasPrefix("not_allowed") == true)
        await closed.stop()
    }

    @Test("a daemon that does not answer is given up")
    func silent() async throws {
        let silence = AsyncStream<Void>.makeStream()
        struct Silent: ControlHandler {
            let stream: AsyncStream<Void>
            func handle(_ command: ControlCommand, peer: PeerCredentials) async -> ControlResult {
                for await _ in stream {}
                return .ok(json: "{}")
            }
        }
        let server = try await server(Silent(stream: silence.stream))
        let error = await #expect(throws: SocketError.self) {
            try await ControlClient(path: path, timeout: .milliseconds(50)).ask("status")
        }
        #expect(error?.kind == .timedOut)
        silence.continuation.finish()
        await server.stop()
    }
}
