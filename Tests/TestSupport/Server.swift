import Foundation
import Synchronization
package import Testing

/// A Python program of `Servers/` that listens on the loopback address until this object goes.
package final class Server: Sendable {
    /// Debian's: the one that has GStreamer's bindings.
    package static let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static let folder = Installation.package.appending(path: "Tests/TestSupport/Servers")

    private struct State: Sendable {
        var lines: [String] = []
        var waiting: CheckedContinuation<Int?, Never>?
    }

    package let port: Int
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

    package init(_ program: String, _ arguments: [String]) async throws {
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

    package func kill(_ signal: Int32) { Glibc.kill(process.processIdentifier, signal) }

    /// What it printed so far and begins with `words`.
    package func lines(beginningWith words: String) -> [String] {
        state.state.withLock { $0.lines.filter { $0.hasPrefix(words) } }
    }

    /// Connections accepted so far.
    package var connections: Int { state.state.withLock { $0.lines.count { $0.hasPrefix("connection ") } } }

    // MARK: - What there is to serve with

    /// The scripted camera, playing a file of the tests.
    package static func camera(_ folder: TemporaryFolder? = nil, _ options: String = "") async throws -> Server {
        let file = folder.map { ["--file", $0.path("video.h264")] } ?? []
        return try await Server("camera.py", file + options.split(separator: " ").map(String.init))
    }

    /// Whether GStreamer's packages are there, asked by importing them.
    package static let hasGStreamer: Bool = {
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
    package static var needsCamera: Self {
        .enabled(
            if: Server.python != nil && FFmpegCommand.path != nil,
            "python3 or ffmpeg is missing: no camera to play"
        )
    }

    package static var needsRTSPServer: Self {
        .enabled(
            if: Server.hasGStreamer && FFmpegCommand.path != nil,
            "GStreamer's RTSP server is not installed (scripts/setup --tests): no real server to test with"
        )
    }
}
