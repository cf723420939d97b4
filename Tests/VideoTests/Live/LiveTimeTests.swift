import Foundation
import TestSupport
import Testing
import Video

@Suite("Time and form of live sources", .needsCamera, .serialized, .timeLimit(.minutes(4)))
struct LiveTimeTests {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        try await folder.makeStream()
    }

    private func tape(
        _ options: String,
        _ change: (inout LiveSource.Options) -> Void = { _ in }
    ) async throws -> (LiveTape, Server) {
        let camera = try await Server.camera(folder, options)
        return (try LiveTape("rtsp://127.0.0.1:\(camera.port)/x", change), camera)
    }

    @Test("the clock of RTP passes the end of 32 bits", arguments: ["", "--reports 0"])
    func wrap(reports: String) async throws {
        // Three seconds before the end.
        let (tape, camera) = try await tape("--first-timestamp \(4_294_967_296 - 3 * 90_000) --speed 2 \(reports)")
        let frames = await tape.nextFrames(150)
        withExtendedLifetime(camera) {}
        #expect(tape.epochs.isEmpty)
        let steps = zip(frames, frames.dropFirst()).map { $1.mediaTime - $0.mediaTime }
        // FFmpeg gives the first packet no time, so it shares the second's.
        let odd = steps.enumerated().dropFirst().filter { abs($1 - 0.04) > 0.001 }.map { "step \($0): \($1) s" }
        #expect(odd.isEmpty)
        try await tape.end()
    }

    @Test("a camera's clock that jumps by an hour is a new epoch", arguments: [3600, -3600])
    func jump(seconds: Int) async throws {
        let (tape, camera) = try await tape("--count 75 --jump \(seconds)")
        let frames = await tape.nextFrames(120)
        withExtendedLifetime(camera) {}
        // FFmpeg takes a step back for the end of 32 bits and makes it a jump ahead.
        #expect(tape.epochs == [.timestampsJumpedAhead])
        #expect(frames.map(\.epoch) == frames.indices.map { $0 < frames.count - 45 ? 0 : 1 })
        let steps = zip(frames, frames.dropFirst()).map { $1.mediaTime - $0.mediaTime }
        #expect(steps.allSatisfy { $0 >= 0 && $0 < 0.5 })
        #expect(tape.gaps.isEmpty)
        try await tape.end()
    }

    @Test("pictures that share a timestamp come all, in order", arguments: [2, 5])
    func duplicates(count: Int) async throws {
        let (tape, camera) = try await tape("--repeat \(count) --speed 2")
        let frames = await tape.nextFrames(100)
        withExtendedLifetime(camera) {}
        #expect(tape.epochs.isEmpty && tape.gaps.isEmpty)
        #expect(Set(frames.map(\.mediaTime)).count <= 100 / count + 2)
        #expect(abs((frames.last?.mediaTime ?? 0) - 4) < 0.3)
        try await tape.end()
    }

    @Test("whose clock a picture's time comes from")
    func reports() async throws {
        let (none, camera) = try await tape("")
        #expect(await none.nextFrames(60).allSatisfy { $0.wallTime?.source == .arrival })
        let (late, second) = try await tape("--reports 2")
        #expect(await late.next { $0.frame?.wallTime?.source == .senderReport } != nil)
        #expect(late.frames.first?.wallTime?.source == .arrival)
        let (wrong, third) = try await tape("--reports 0 --clock 7200")
        let frames = await wrong.nextFrames(60)
        #expect(frames.contains { $0.wallTime?.source == .offset })
        for time in frames.compactMap(\.wallTime) {
            #expect(abs(time.seconds - Date().timeIntervalSince1970) < 30)
            #expect(time.source != .senderReport)
        }
        withExtendedLifetime([camera, second, third]) {}
        for tape in [none, late, wrong] { try await tape.end() }
    }

    @Test("120 pictures a second are sampled at the rate that was asked for")
    func fast() async throws {
        try await folder.makeStream("testsrc2=s=160x120:r=120:d=4", "-g 120")
        let (tape, camera) = try await tape("--fps 120") { $0.reader.sampling = .rate(5) }
        let frames = await tape.nextFrames(16)
        withExtendedLifetime(camera) {}
        let steps = zip(frames, frames.dropFirst()).map { $1.mediaTime - $0.mediaTime }
        #expect(steps.allSatisfy { abs($0 - 0.2) < 0.02 }, "\(steps)")
        try await tape.end()
    }

    @Test("a frozen picture is told and not handed on")
    func frozen() async throws {
        try await folder.makeStream("color=gray:s=160x120:r=25:d=4")
        let (tape, camera) = try await tape("") { $0.frozenAfter = 1 }
        #expect(await tape.next(.frozen)?.reason == .pictureUnchanged)
        withExtendedLifetime(camera) {}
        while tape.source.statistics.framesWithheld < 20 { try await Task.sleep(for: .milliseconds(20)) }
        let count = tape.frames.count
        try await tape.end()
        #expect(tape.frames.count == count)
        #expect(tape.source.statistics.freezes == 1)
    }

    @Test("a file stands in for a camera: at its own pace, and then it ends")
    func file() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=1.5 -c:v libx264 video.mp4")
        var options = LiveSource.Options(reader: .init(input: .file(folder.path("video.mp4")), sampling: .rate(10)))
        options.reader.queueDepth = 2
        let start = ContinuousClock.now
        let tape = LiveTape(try LiveSource(options))
        #expect(await tape.next(.ended)?.reason == .endOfStream)
        #expect(ContinuousClock.now - start > .seconds(1))
        #expect(tape.statuses.map(\.state) == [.connecting, .online, .ended])
        try await tape.end()
    }

    @Test("pictures that come in bursts are handed on in time, and a late source is not hurried after")
    func pacing() {
        var pacing = Pacing()
        #expect(pacing.due(10, at: 100) == 100)
        #expect(pacing.due(10.2, at: 100.01) == 100.2)
        #expect(abs(pacing.due(16, at: 100.02) - 106) < 1e-9)
        #expect(pacing.due(16.2, at: 106.5) == 106.5)
        #expect(pacing.due(16.4, at: 120) == 120)
        #expect(abs(pacing.due(16.6, at: 120) - 120.2) < 1e-9)
    }

    @Test("a moving picture is not taken for a frozen one")
    func moving() async throws {
        let (tape, camera) = try await tape("") { $0.frozenAfter = 0.3 }
        _ = await tape.nextFrames(75)
        withExtendedLifetime(camera) {}
        #expect(!tape.statuses.contains { $0.state == .frozen })
        try await tape.end()
    }

    @Test("another size in the middle is a new epoch of the same connection")
    func size() async throws {
        try await folder.makeStream("testsrc2=s=320x180:r=25:d=3")
        try FileManager.default.moveItem(atPath: folder.path("video.h264"), toPath: folder.path("a.h264"))
        try await folder.makeStream("testsrc2=s=180x320:r=25:d=3")
        let both = try ["a.h264", "video.h264"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path($0))) }
        try (both[0] + both[1]).write(to: URL(fileURLWithPath: folder.path("video.h264")))
        let (tape, camera) = try await tape("--speed 2")
        #expect(await tape.next { if case .epoch = $0 { true } else { false } } != nil)
        _ = await tape.nextFrames(10)
        withExtendedLifetime(camera) {}
        #expect(tape.epochs.first == .sizeChanged)
        #expect(tape.frames.allSatisfy { ($0.epoch == 0) == ($0.width == 320) })
        try await tape.end()
    }

    @Test(
        "packets that get lost, damaged or out of order never end it",
        arguments: ["loss", "damage", "reorder"].flatMap { fault in
            ["0.001", "0.01", "0.05", "0.2"].map { "--\(fault) \($0)" }
        },
        [RTSPTransport.tcp, .udp]
    )
    func damage(options: String, transport: RTSPTransport) async throws {
        let (tape, camera) = try await tape("--speed 4 \(options)") { $0.reader.transport = transport }
        let frames = await tape.nextFrames(100)
        #expect(frames.count == 100)
        withExtendedLifetime(camera) {}
        try await tape.end()
        let video = tape.source.statistics.video
        if options == "--loss 0.2" {
            #expect(video.framesCorrupt + video.decodeErrors + video.packetsCorrupt > 0)
            // Whole pictures still come between the damaged ones.
            #expect(frames.contains { !$0.isCorrupt })
        }
    }
}
