import Events
import Foundation
import Glibc
import Service
import TestSupport
import Testing

/// The built daemon told to end, stopped, reloaded and started twice at the wrong moments.
@Suite("Faults of the process", .serialized, .needsInstallation, .timeLimit(.minutes(4)))
struct ProcessFaultTests {
    // MARK: - The end

    @Test("told to end while a server that is connected says nothing of its stream")
    func endsWhileProbing() async throws {
        let folder = try TemporaryFolder()
        let server = try SilentServer()
        let source = "  - name: door\n    url: tcp://127.0.0.1:\(server.port)"
        let daemon = try DaemonProcess(in: folder, sources: source)
        _ = try await daemon.event { $0.type == "source.status" }
        while !server.hasConnection { try await Task.sleep(for: .milliseconds(5)) }
        let events = try await daemon.stop()
        #expect(events.statuses.map(\.status) == [.connecting, .ended])
    }

    @Test("told to end while a pipe that nobody writes to is being opened")
    func endsWhileOpening() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("video.fifo")
        try #require(mkfifo(path, 0o600) == 0)
        let daemon = try DaemonProcess(in: folder, sources: "  - name: door\n    url: \(path)")
        try await daemon.listens()
        while try await daemon.ask("status")["ready"] != .bool(true) { try await Task.sleep(for: .milliseconds(5)) }
        _ = try await daemon.stop()
    }

    @Test("told to end while FaceLLM describes a face, of a recording and of a camera", .needsCamera)
    func endsWhileDescribing() async throws {
        let folder = try TemporaryFolder()
        let model = folder.path("model")
        var options = RunningCommand.Options()
        options.environment = try DaemonProcess.environment()
        let making = ["models", "make-random", "--size", "tiny", model]
        let made = try await CommandLineRun.of(Installation.facellm, making, options)
        try #require(made.status == 0, "\(made.standardError)")
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let recording = try await DaemonProcess.chatter(folder)
        let seed: UInt64 = 3
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<4 {
            let daemon = try DaemonProcess(
                in: folder,
                sources: recording + "\n" + DaemonProcess.camera("yard", port: camera.port),
                more: """
                    engine:
                      model_directory: \(model)
                      refresh_interval_s: 1
                      change_spacing_s: 0
                      patience_s: 0.1

                    """
            )
            _ = try await daemon.event { $0.type == "face.analysis" }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...300, using: &chance)))
            let events = try await daemon.stop()
            #expect(events.analyses.allSatisfy { $0.analysis.status == .ok }, "seed \(seed)")
        }
    }

    @Test("told to end while lines are published to a pipe that nobody empties and to readers that do not read")
    func endsWhilePublishing() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder, more: "landmarks: true")
        let pipe = folder.path("stdout.fifo")
        try #require(mkfifo(pipe, 0o600) == 0)
        let ours = open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(ours) }
        let file = try DaemonProcess.configure(folder, sources: source)
        var options = RunningCommand.Options()
        options.environment = try DaemonProcess.environment()
        // The pipe becomes the daemon's standard output.
        let command = try RunningCommand(
            "/bin/sh",
            [
                "-c", "pipe=$1; shift; exec \"$@\" > \"$pipe\"", "sh", pipe, Installation.facellmd, "--config", file,
                "--state-dir", folder.path("state"), "--runtime-dir", folder.path("run"),
            ],
            options
        )
        while (try? RawClient(folder.path("run/control.sock"))) == nil {
            try #require(command.isRunning)
            try await Task.sleep(for: .milliseconds(10))
        }
        let socket = folder.path("run/events.sock")
        let deaf = try (0..<3).map { _ in try RawClient(socket) }
        let quick = try RawClient(socket)
        await quick.send("{\"op\":\"subscribe\",\"request_id\":1,\"since\":\"oldest\"}")
        // The pipe is full by then.
        var count = 0
        while count < 60, let line = try await quick.line() { count += line.contains("\"seq\":") ? 1 : 0 }
        let beginning = ContinuousClock.now
        command.send(SIGTERM)
        let rest = try await quick.lines()
        let run = await command.finish()
        #expect(ContinuousClock.now - beginning < .seconds(5))
        #expect(run.ending == .exited(143), "\(run.standardError)")
        #expect(rest.last?.contains("\"type\":\"run.summary\"") == true)
        let kept = try await DaemonProcess.journal(of: folder)
        #expect(kept.map(\.envelope.seq) == Array(1...kept.count))
        #expect(kept.summary?.ledger.violations(atEnd: true) == [])
        _ = deaf
    }

    // MARK: - Reloading

    @Test(
        "a file that is missing, half written or swapped by a link: nonsense changes nothing, and only what is new starts"
    )
    func reload() async throws {
        let folder = try TemporaryFolder()
        let door = try await DaemonProcess.chatter(folder)
        let yard = door.replacing("name: door", with: "name: yard")
        let daemon = try DaemonProcess(in: folder, sources: door)
        _ = try await daemon.event { $0.type == "track.started" }
        let file = folder.path("facellmd.yaml")
        func changes() async throws -> [String] {
            guard case .array(let lines)? = try await daemon.ask("reload")["changes"] else { return [] }
            return lines.compactMap { if case .string(let line) = $0 { line } else { nil } }
        }
        func sources() async throws -> [String] {
            guard case .array(let list)? = try await daemon.ask("sources.list")["sources"] else { return [] }
            return list.compactMap { if case .string(let name)? = $0["name"] { name } else { nil } }
        }
        func isRefused() async throws {
            let error = await #expect(throws: SocketError.self) { try await daemon.ask("reload") }
            #expect(error?.detail.hasPrefix("invalid_configuration") == true, "\(String(describing: error))")
            #expect(try await sources() == ["door"])
        }
        #expect(try await changes() == ["nothing changed"])

        let whole = try Data(contentsOf: URL(filePath: file))
        #expect(unlink(file) == 0)
        try await isRefused()

        // Cut within a word, as an editor leaves it between two writes.
        let text = String(decoding: whole, as: UTF8.self)
        for word in ["sinks", "perception", "sources", "observations"] {
            let place = try #require(text.range(of: word))
            _ = try folder.file("facellmd.yaml", String(text[..<text.index(place.lowerBound, offsetBy: 3)]))
            try await isRefused()
        }
        try folder.file("facellmd.yaml", whole)
        #expect(try await changes() == ["nothing changed"])

        // As a configuration that is mounted is swapped: by a link that is renamed over another.
        _ = try DaemonProcess.configure(folder, sources: "\(door)\n\(yard)", name: "next.yaml")
        try #require(symlink("next.yaml", folder.path("link")) == 0)
        try #require(Glibc.rename(folder.path("link"), file) == 0)
        #expect(try await changes().contains { $0.contains("yard") })
        #expect(try await sources() == ["door", "yard"])
        _ = try await daemon.event { $0.type == "track.started" && $0.envelope.source == "yard" }

        let events = try await daemon.stop()
        // The one that did not change was never opened anew.
        #expect(events.filter { $0.envelope.source == "door" }.statuses.map(\.status) == [.online, .ended])
        #expect(events.filter { $0.envelope.source == "yard" }.statuses.map(\.status) == [.online, .ended])
    }

    // MARK: - Suspension

    @Test("stopped for a while and continued, the stream goes on with a gap", .needsCamera)
    func suspended() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let source =
            "  - name: door\n    url: rtsp://127.0.0.1:\(camera.port)/stream\n"
            + "    limits: {stalled_after_s: 1, read_s: 3, reconnect_longest_s: 1}"
        let daemon = try DaemonProcess(in: folder, sources: source, seconds: 120)
        _ = try await daemon.event { $0.type == "track.started" }
        daemon.command.send(SIGSTOP)
        try await Task.sleep(for: .seconds(6))
        daemon.command.send(SIGCONT)
        _ = try await daemon.event { $0.type == "gap" }
        _ = try await daemon.event { $0.type == "track.started" }
        let events = try await daemon.stop()
        #expect(events.gaps.count == 1)
        #expect(Set(events.started.map(\.trackID)).count == events.started.count)
    }

    // MARK: - A second one

    @Test("a second daemon does not take the sockets of a living one, and takes those of a dead one")
    func secondInstance() async throws {
        let folder = try TemporaryFolder()
        let first = try DaemonProcess(in: folder, sources: "")
        try await first.listens()
        let reader = try await first.subscriber()
        // A state directory of its own; the later option counts.
        let other = ["--state-dir", folder.path("other")]
        let second = try DaemonProcess(in: folder, sources: "", arguments: other)
        let run = await second.command.finish()
        #expect(run.status == 1)
        #expect(run.standardError.contains("somebody listens there already"), "\(run.standardError)")
        #expect(try await first.ask("status")["subscribers"] == .number(1))

        first.command.send(SIGKILL)
        _ = await first.command.finish()
        #expect(try await reader.line() == nil)
        #expect(FileManager.default.fileExists(atPath: first.eventsSocket))
        let third = try DaemonProcess(in: folder, sources: "")
        try await third.listens()
        _ = try await third.subscriber()
        _ = try await third.stop()
        #expect(!FileManager.default.fileExists(atPath: third.eventsSocket))
        #expect(!FileManager.default.fileExists(atPath: third.controlSocket))
    }
}

/// A TCP server that takes connections and says nothing.
private final class SilentServer {
    let port: Int
    private let descriptor: Int32
    private var connection: Int32 = -1

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    var hasConnection: Bool {
        if connection < 0 { connection = accept(descriptor, nil, nil) }
        return connection >= 0
    }

    deinit {
        if connection >= 0 { close(connection) }
        close(descriptor)
    }
}
