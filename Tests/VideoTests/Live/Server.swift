import Foundation
import Synchronization
import Testing
import Video

/// A Python program of `Servers/` that listens on the loopback address until this object goes.
final class Server: Sendable {
    /// Debian's: the one that has GStreamer's bindings.
    static let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Servers")

    private struct State: Sendable {
        var lines: [String] = []
        var waiting: CheckedContinuation<Int?, Never>?
    }

    let port: Int
    private let process: Process
    private let input: Foundation.Pipe
    private let state: Log

    private final class Log: Sendable {
        let state = Mutex(State())

        func add(_ line: String) {
            let waiting = state.withLock { state in
                state.lines.append(line)
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume(returning: line.hasPrefix("port ") ? Int(line.dropFirst(5)) : nil)
        }

        func end() { state.withLock { $0.waiting.take() }?.resume(returning: nil) }
    }

    init(_ program: String, _ arguments: [String]) async throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [Self.folder.appendingPathComponent(program).path] + arguments
        input = Foundation.Pipe()
        let output = Foundation.Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let log = Log()
        state = log
        let (process, handle) = (process, output.fileHandleForReading)
        let port: Int? = await withCheckedContinuation { (done: CheckedContinuation<Int?, Never>) in
            log.state.withLock { $0.waiting = done }
            Thread {
                guard (try? process.run()) != nil else { return log.end() }
                var text = ""
                while case let data = handle.availableData, !data.isEmpty {
                    text += String(decoding: data, as: UTF8.self)
                    while let end = text.firstIndex(of: "\n") {
                        log.add(String(text[..<end]))
                        text = String(text[text.index(after: end)...])
                    }
                }
                log.end()
            }.start()
        }
        self.port = try #require(port, "\(program) did not start")
    }

    deinit { kill(SIGKILL) }

    func kill(_ signal: Int32) { Glibc.kill(process.processIdentifier, signal) }

    /// Connections accepted so far.
    var connections: Int { state.state.withLock { $0.lines.count { $0.hasPrefix("connection ") } } }

    // MARK: - What there is to serve with

    /// The scripted camera, playing a file of the tests.
    static func camera(_ folder: TemporaryFolder? = nil, _ options: String = "") async throws -> Server {
        let file = folder.map { ["--file", $0.path("video.h264")] } ?? []
        return try await Server("camera.py", file + options.split(separator: " ").map(String.init))
    }

    /// Whether GStreamer's packages are there, asked by importing them.
    static let hasGStreamer: Bool = {
        guard let python else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [folder.appendingPathComponent("rtsp-server.py").path, "/dev/null"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}

extension Trait where Self == ConditionTrait {
    static var needsCamera: Self {
        .enabled(
            if: Server.python != nil && FFmpegCommand.isInstalled,
            "python3 or ffmpeg is missing: no camera to play"
        )
    }

    static var needsRTSPServer: Self {
        .enabled(
            if: Server.hasGStreamer && FFmpegCommand.isInstalled,
            "GStreamer's RTSP server is not installed (scripts/setup --tests): no real server to test with"
        )
    }
}

extension TemporaryFolder {
    /// `video.h264`, as the servers want it.
    func makeStream(_ source: String = "testsrc2=s=160x120:r=25:d=4", _ options: String = "-g 25") async throws {
        try await ffmpeg(
            "-f lavfi -i \(source) -c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p \(options) -x264-params aud=1 "
                + "-f h264 video.h264"
        )
    }
}

/// A live source and all that it told so far.
final class LiveTape {
    let source: LiveSource
    private var iterator: LiveSource.Events.AsyncIterator
    private(set) var events: [LiveEvent] = []

    init(_ source: LiveSource) {
        self.source = source
        iterator = source.events.makeAsyncIterator()
        source.start()
    }

    /// With deadlines that suit a test.
    convenience init(_ url: String, _ change: (inout LiveSource.Options) -> Void = { _ in }) throws {
        var options = LiveSource.Options(reader: .init(input: .url(url), sampling: .everyFrame))
        options.reader.decoderThreads = 1
        options.reader.queueDepth = 200
        options.pace.first = 0.05
        options.pace.longest = 0.2
        options.reader.deadlines.connect = 5
        options.reader.deadlines.probe = 8
        options.reader.deadlines.firstFrame = 5
        options.reader.deadlines.read = 5
        options.stallAfter = 1
        change(&options)
        self.init(try LiveSource(options))
    }

    deinit { source.stop() }

    /// Goes on to the first event that `condition` likes; nil if the source ended before.
    @discardableResult
    func next(_ condition: (LiveEvent) -> Bool) async -> LiveEvent? {
        while let event = await iterator.next() {
            events.append(event)
            if condition(event) { return event }
        }
        return nil
    }

    @discardableResult
    func next(_ state: LiveState, _ reason: LiveReason? = nil) async -> LiveStatus? {
        await next { $0.status.map { $0.state == state && (reason == nil || $0.reason == reason) } ?? false }?.status
    }

    func nextFrames(_ count: Int) async -> [VideoFrame] {
        var frames: [VideoFrame] = []
        while frames.count < count, let frame = await next({ $0.frame != nil })?.frame { frames.append(frame) }
        return frames
    }

    /// After `stop`: the rest, and until no reader's thread is left.
    func end() async throws {
        source.stop()
        await next { _ in false }
        while source.statistics.readersRunning > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let video = source.statistics.video
        #expect(video.framesDecoded == video.framesSampled + video.framesUnsampled)
        #expect(video.framesSampled == frames.count)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.mediaTime <= $1.mediaTime && $0.epoch <= $1.epoch })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.index < $1.index })
    }

    /// What was told so far.
    func forget() { events = [] }

    var frames: [VideoFrame] { events.compactMap(\.frame) }
    var statuses: [LiveStatus] { events.compactMap(\.status) }
    var gaps: [LiveGap] { events.compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
    var epochs: [EpochReason] { events.compactMap { if case .epoch(_, let reason) = $0 { reason } else { nil } } }
}
