import Foundation
import TestSupport
import Testing
import Video

@Suite("Live sources that fail", .needsCamera, .serialized, .timeLimit(.minutes(3)))
struct LiveFaultTests {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        try await folder.makeStream()
    }

    /// Seconds that stopping takes, until the reader's thread has returned.
    private func stopping(_ tape: LiveTape) async throws -> Duration {
        let start = ContinuousClock.now
        try await tape.end()
        return ContinuousClock.now - start
    }

    @Test("a host that drops packets, and one that never answers", arguments: ["silent", "mute"])
    func noAnswer(mode: String) async throws {
        let camera = try await Server.camera(nil, "--mode \(mode)")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") { $0.reader.deadlines.connect = 0.4 }
        let status = try #require(await tape.next(.reconnecting))
        #expect(status.reason == .connectTimeout)
        #expect(await tape.next(.reconnecting)?.attempt == 3)
        #expect(tape.statuses.map(\.state) == [.connecting, .reconnecting, .reconnecting])
        // In the middle of an attempt.
        while tape.source.statistics.connections < 3 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(try await stopping(tape) < .seconds(1))
    }

    @Test("a promise to play, and no media")
    func noMedia() async throws {
        let camera = try await Server.camera(folder, "--mode no-media")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") { $0.reader.deadlines.probe = 0.5 }
        #expect(await tape.next(.stalled)?.reason == .probeTimeout)
        #expect(await tape.next(.reconnecting)?.detail?.contains("sent nothing usable in time (probe)") == true)
        #expect(await tape.next(.stalled) != nil)
        #expect(tape.frames.isEmpty && tape.gaps.isEmpty)
        #expect(try await stopping(tape) < .seconds(1))
    }

    @Test("packets, and never a picture: the deadline of the first frame")
    func noFirstFrame() async throws {
        try await folder.makeStream("testsrc2=s=160x120:r=25:d=40", "-g 1000 -x264-params aud=1:intra-refresh=0")
        // All that comes is predicted from a picture that does not.
        let camera = try await Server.camera(folder, "--from 100 --speed 4")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") {
            $0.reader.deadlines.firstFrame = 0.5
            $0.reader.sampling = .keyframes
        }
        let status = try #require(await tape.next(.stalled))
        #expect(status.reason == .firstFrameTimeout)
        #expect(tape.frames.isEmpty)
        try await tape.end()
    }

    @Test("pictures, and then silence: given up at the deadline of reading")
    func silence() async throws {
        let camera = try await Server.camera(folder, "--mode freeze --count 60")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") {
            $0.reader.deadlines.read = 0.5
            $0.stallAfter = 0.2
        }
        #expect(await tape.next(.stalled)?.reason == .noPictures)
        #expect(await tape.next(.reconnecting)?.reason == .readTimeout)
        try await tape.end()
    }

    @Test("a freeze with an open connection: stalled, one gap, the same connection goes on")
    func freeze() async throws {
        let camera = try await Server.camera(folder, "--mode freeze --count 50 --silence 1.5")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") { $0.stallAfter = 0.5 }
        #expect(await tape.next(.stalled)?.reason == .noPictures)
        let gap = try #require(await tape.next { if case .gap = $0 { true } else { false } })
        guard case .gap(let gap) = gap else { return }
        #expect(gap.reason == .noPictures && gap.lostSeconds > 1.2 && gap.lostSeconds < 5)
        #expect(gap.from.mediaTime < gap.to.mediaTime)
        _ = await tape.nextFrames(10)
        #expect(tape.statuses.map(\.state) == [.connecting, .online, .stalled, .online])
        #expect(camera.connections == 1)
        #expect(tape.gaps.count == 1)
        #expect(tape.epochs.isEmpty)
        try await tape.end()
    }

    @Test("a reset in the middle of a group of pictures", arguments: ["reset", "end"])
    func reset(mode: String) async throws {
        let camera = try await Server.camera(folder, "--mode \(mode) --count 60 --faults 2")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x")
        for attempt in 1...2 {
            #expect(await tape.next(.online) != nil)
            let status = try #require(await tape.next(.reconnecting))
            #expect(status.attempt == attempt + 1)
            #expect([.connectionLost, .endOfStream].contains(status.reason))
        }
        _ = await tape.nextFrames(10)
        #expect(tape.epochs == [.reconnected, .reconnected])
        #expect(tape.gaps.count == 2)
        #expect(tape.frames.last?.epoch == 2)
        #expect(tape.gaps.allSatisfy { $0.to.mediaTime - $0.from.mediaTime > 0 && $0.lostSeconds > 0 })
        try await tape.end()
    }

    @Test("a wrong password and a wrong path: slow, and nothing secret told", arguments: [401, 404])
    func refused(status: Int) async throws {
        let camera = try await Server.camera(
            folder,
            status == 401 ? "--password admin:other" : "--mode status --status \(status)"
        )
        let url = "rtsp://admin:geh%40im:x@127.0.0.1:\(camera.port)/x?token=geh"
        let tape = try LiveTape(url) {
            $0.pace.longest = 3600
        }
        let told = try #require(await tape.next(.reconnecting))
        #expect(told.reason == (status == 401 ? .unauthorized : .notFound))
        #expect(told.detail?.isEmpty == false)
        try await tape.end()
        #expect(camera.connections <= 2)
        #expect(tape.source.statistics.connections == 1)
        #expect(!"\(tape.events)".contains("geh"))
    }

    @Test("the right password, with characters that URLs have to escape")
    func password() async throws {
        let camera = try await Server.camera(folder, "--password admin:ge@h/e:i%m")
        let tape = try LiveTape("rtsp://admin:ge%40h%2Fe%3Ai%25m@127.0.0.1:\(camera.port)/x")
        #expect(await tape.nextFrames(1).count == 1)
        try await tape.end()
        #expect(!"\(tape.events)".contains("ge%40"))
    }

    @Test("paused, nothing is read; resumed, one gap")
    func pause() async throws {
        let camera = try await Server.camera(folder, "--mode play")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x")
        _ = await tape.nextFrames(3)
        tape.source.pause()
        #expect(await tape.next(.paused) != nil)
        while tape.source.statistics.readersRunning > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let decoded = tape.source.statistics.video.framesDecoded
        tape.source.pause()
        #expect(tape.source.statistics.video.framesDecoded == decoded)
        tape.source.resume()
        _ = await tape.nextFrames(3)
        #expect(tape.gaps.map(\.reason) == [.paused])
        #expect(tape.epochs == [.reconnected])
        try await tape.end()
    }

    @Test("cameras of this machine that are none")
    func device() async throws {
        func status(_ input: VideoInput) async throws -> LiveStatus? {
            let tape = LiveTape(try LiveSource(.init(reader: .init(input: input))))
            return await tape.next { [.reconnecting, .failed].contains($0.status?.state) }?.status
        }
        #expect(try await status(VideoInput(argument: "/dev/video-none"))?.reason == .notFound)
        // A device without pictures: FFmpeg's library of devices is there and says so.
        let null = try #require(try await status(VideoInput(argument: "v4l2:/dev/null")))
        #expect(null.state == .reconnecting && null.reason == .connectionFailed)
        #expect(null.log.contains { $0.hasPrefix("video4linux2") })
        #expect(try await status(.device(folder.path("video.h264")))?.reason == .unsupported)
    }
}
