import Foundation
import TestSupport
import Testing
import Video

@Suite("FFmpeg's words about a live source", .needsCamera, .serialized, .timeLimit(.minutes(2)))
struct LiveLogTests {
    @Test("each failure comes with its own source's lines, decoder threads included, once")
    func lines() async throws {
        let folder = try TemporaryFolder()
        try await folder.makeStream()
        // Damage makes the decoder speak, on threads of its own; the other source's server refuses.
        let damaged = try await Server.camera(folder, "--mode reset --count 60 --damage 0.3 --speed 4")
        let absent = try await Server.camera(folder, "--mode status --status 404")
        let mark = FFmpegLog.mark()
        let first = try LiveTape("rtsp://127.0.0.1:\(damaged.port)/x") { $0.reader.decoderThreads = 3 }
        let second = try LiveTape("rtsp://u:geheim@127.0.0.1:\(absent.port)/y")
        let refused = try #require(await second.next(.reconnecting))
        let broken = try #require(await first.next(.reconnecting))
        #expect(refused.log.contains { $0.contains("404") })
        #expect(!refused.log.contains { $0.hasPrefix("h264") })
        #expect(broken.log.contains { $0.hasPrefix("h264") })
        #expect(!broken.log.contains { $0.contains("404") })
        #expect(broken.log.count <= 200)
        #expect(!"\(refused)\(FFmpegLog.lines(since: mark))".contains("geheim"))
        // The next failure tells what is new only.
        let again = try #require(await second.next(.reconnecting))
        #expect(again.log.count == refused.log.count)
        try await first.end()
        try await second.end()
        // Readers that are not live have the process's lines, and none of these came there.
        #expect(!FFmpegLog.lines(since: mark).contains { $0.contains("404") || $0.hasPrefix("h264") })
    }
}
