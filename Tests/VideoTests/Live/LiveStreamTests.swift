import Foundation
import TestSupport
import Testing
import Video

@Suite("Live sources of a real RTSP server", .needsRTSPServer, .serialized, .timeLimit(.minutes(3)))
struct LiveStreamTests {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        try await folder.makeStream("testsrc2=s=320x240:r=25:d=4")
    }

    private func server(_ options: String = "") async throws -> Server {
        try await Server(
            "rtsp-server.py",
            [folder.path("video.h264")] + options.split(separator: " ").map(String.init)
        )
    }

    @Test("pictures with the server's own time", arguments: [RTSPTransport.tcp, .udp])
    func play(transport: RTSPTransport) async throws {
        let server = try await server()
        let tape = try LiveTape("rtsp://127.0.0.1:\(server.port)/stream") { $0.reader.transport = transport }
        let online = try #require(await tape.next(.online))
        #expect(online.info.map { $0.width == 320 && $0.height == 240 && $0.codec == "h264" } == true)
        let frame = try #require(await tape.next { $0.frame?.wallTime?.source == .senderReport }?.frame)
        let time = try #require(frame.wallTime)
        #expect(abs(Date().timeIntervalSince1970 - time.seconds) < 3)
        #expect(time.uncertainty < 3)
        let early = tape.frames.filter { $0.wallTime?.source == .arrival }.compactMap(\.wallTime)
        #expect(!early.isEmpty)
        // Arrival and the report agree on when the stream's time began, within what arrival promises.
        let first = try #require(tape.frames.first)
        let start = time.seconds - frame.mediaTime
        let estimate = try #require(first.wallTime)
        #expect(abs(estimate.seconds - first.mediaTime - start) <= estimate.uncertainty)
        try await tape.end()
        #expect(tape.statuses.map(\.state) == [.connecting, .online, .ended])
    }

    @Test("killed and started again: reconnected each time, with one gap and one epoch each")
    func restarts() async throws {
        let rounds = ProcessInfo.processInfo.environment["FACELLM_LONG_TESTS"] == nil ? 3 : 10
        var server = try await server()
        let port = server.port
        let tape = try LiveTape("rtsp://127.0.0.1:\(port)/stream")
        _ = await tape.nextFrames(5)
        for round in 1...rounds {
            server.kill(SIGKILL)
            #expect(await tape.next(.reconnecting) != nil)
            server = try await self.server("--port \(port)")
            _ = await tape.nextFrames(5)
            #expect(tape.gaps.count == round)
            #expect(tape.epochs.count == round)
            #expect(tape.frames.last?.epoch == round)
        }
        try await tape.end()
        #expect(tape.source.statistics.gaps == rounds)
    }

    @Test("a server that is stopped and goes on: stalled, then the same connection")
    func suspended() async throws {
        let server = try await server()
        let tape = try LiveTape("rtsp://127.0.0.1:\(server.port)/stream") {
            $0.stallAfter = 0.5
            $0.reader.deadlines.read = 30
        }
        _ = await tape.nextFrames(5)
        server.kill(SIGSTOP)
        #expect(await tape.next(.stalled)?.reason == .noPictures)
        server.kill(SIGCONT)
        #expect(await tape.next(.online) != nil)
        _ = await tape.nextFrames(5)
        #expect(tape.gaps.map(\.reason) == [.noPictures])
        #expect(tape.source.statistics.connections == 1)
        try await tape.end()
    }

    @Test("passwords are asked for and told nobody")
    func password() async throws {
        let server = try await server("--user admin --password ge@heim:x")
        let wrong = try LiveTape("rtsp://admin:falsch@127.0.0.1:\(server.port)/stream")
        #expect(await wrong.next(.reconnecting)?.reason == .unauthorized)
        try await wrong.end()
        let right = try LiveTape("rtsp://admin:ge%40heim%3Ax@127.0.0.1:\(server.port)/stream")
        #expect(await right.nextFrames(1).count == 1)
        try await right.end()
        #expect(!"\(wrong.events)".contains("falsch"))
        #expect(!"\(right.events)".contains("heim"))
    }
}
