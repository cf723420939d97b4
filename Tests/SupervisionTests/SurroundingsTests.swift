import Events
import Foundation
import FoundationNetworking
import Glibc
import Service
import TestSupport
import Testing

/// The built daemon among what surrounds it: a service manager, impatient people, a scraper of metrics.
@Suite("Daemon and its surroundings", .serialized, .needsInstallation, .needsCamera, .timeLimit(.minutes(4)))
struct SurroundingsTests {
    /// Odd enough that no rule for URLs fits it.
    private static let password = "hun@ter2:%40/?é hunter2"

    /// As an address must have it for a connection: with its reserved signs spelled out.
    private static let encodedPassword = "hun%40ter2%3A%2F%3F%C3%A9"

    private static let secretParts = ["hun@ter2", "hunter2", "hun%40ter2", "é"]

    private func expectNoSecret(_ text: String, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for part in Self.secretParts {
            #expect(!text.contains(part), "\(what) tells \(part)", sourceLocation: sourceLocation)
        }
    }

    @Test("under a service manager: its sockets, credential and folders are used, and it is told of every phase")
    func serviceManager() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        for name in ["run", "state", "credentials"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
        try folder.file("credentials/door-url", "rtsp://a:\(Self.encodedPassword)@127.0.0.1:\(camera.port)/stream\n")
        let cache = try Installation.cache.get().path
        let yaml = "sources: [{name: door, url_from: credential:door-url}]\nperception: {cache_directory: \(cache)}\n"
        let file = try folder.file("facellmd.yaml", yaml)
        let notices = try NoticeSocket(folder.path("notify"))
        let launcher = """
            import os, socket, sys
            for name in ("events", "control"):
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(f"{sys.argv[1]}/{name}.sock")
                listener.listen(8)
                number = 3 if name == "events" else 4
                if listener.fileno() != number: os.dup2(listener.fileno(), number)
                os.set_inheritable(number, True)
                listener.detach()
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="events:control")
            os.execv(sys.argv[2], sys.argv[2:])
            """
        var options = RunningCommand.Options()
        options.environment = try DaemonProcess.environment().merging([
            "NOTIFY_SOCKET": folder.path("notify"), "WATCHDOG_USEC": "600000",
            "CREDENTIALS_DIRECTORY": folder.path("credentials"), "STATE_DIRECTORY": folder.path("state"),
            "RUNTIME_DIRECTORY": folder.path("run"),
        ]) { $1 }
        let command = try RunningCommand(
            try #require(Server.python),
            ["-c", launcher, folder.path("run"), Installation.facellmd, "--config", file],
            options
        )
        // The first comes before the daemon accepts anybody: it waits in the socket that somebody else made.
        let control = ControlClient(path: folder.path("run/control.sock"), timeout: .seconds(60))
        while !FileManager.default.fileExists(atPath: folder.path("run/control.sock")) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await control.ask("status")["ready"] != nil)
        try await notices.wait(for: "READY=1")
        try await notices.wait(for: "STATUS=1 of 1 sources online")
        try await notices.wait(for: "WATCHDOG=1")
        try await notices.wait(for: "WATCHDOG=1")
        expectNoSecret(try await control.ask("status").description, "status")

        command.send(SIGHUP)
        let reloading = try await notices.wait(for: "RELOADING=1")
        #expect(reloading.contains("MONOTONIC_USEC="))
        try await notices.wait(for: "READY=1")

        command.send(SIGTERM)
        try await notices.wait(for: "STOPPING=1")
        let run = await command.finish()
        #expect(run.status == 143)
        expectNoSecret(run.standardError, "the log")
        #expect(folder.files.contains("state/journal.sqlite"))
        // They are not the daemon's to remove.
        for name in ["events", "control"] {
            #expect(FileManager.default.fileExists(atPath: folder.path("run/\(name).sock")))
        }
    }

    @Test("told to end a second time it ends at once, however long the rest would take", arguments: [SIGTERM, SIGINT])
    func impatience(signal: Int32) async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        // A pipe that is full and that nobody reads: the sink behind it cannot end.
        let pipe = folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDWR | O_NONBLOCK)
        try #require(reader >= 0)
        defer { close(reader) }
        // F_SETPIPE_SZ: less than one line with the points of a mesh.
        _ = fcntl(reader, 1031, 4096)
        let notices = try NoticeSocket(folder.path("notify"))
        let file = try DaemonProcess.configure(
            folder,
            sources: DaemonProcess.camera("door", port: camera.port) + "\n    observations: true\n    landmarks: true"
        )
        let yaml = try String(contentsOfFile: file, encoding: .utf8)
            .replacing("  - kind: stdout\n", with: "  - kind: stdout\n  - path: \(pipe)\n")
        try folder.file("facellmd.yaml", yaml)
        var options = RunningCommand.Options()
        options.environment = try DaemonProcess.environment().merging(["NOTIFY_SOCKET": folder.path("notify")]) { $1 }
        let command = try RunningCommand(
            Installation.facellmd,
            ["--config", file, "--state-dir", folder.path("state"), "--runtime-dir", folder.path("run")],
            options
        )
        _ = await command.line(containing: "face.observation")
        command.send(signal)
        try await notices.wait(for: "STOPPING=1")
        try await Task.sleep(for: .milliseconds(50))
        command.send(signal)
        let run = await command.finish()
        #expect(run.ending == .signalled(signal), "\(run.standardError)")
    }

    @Test("metrics and health of a daemon at work: figures that agree with its status, and no secret")
    func metrics() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let port = try Self.freePort()
        let hidden = "  - name: yard\n    url: \"rtsp://a:\(Self.password)@127.0.0.1:1/x?token=hunter2\""
        let daemon = try DaemonProcess(
            in: folder,
            sources: DaemonProcess.camera("door", port: camera.port) + "\n" + hidden,
            more: "http: {listen: \"127.0.0.1:\(port)\"}\n"
        )
        _ = try await daemon.event { $0.type == "track.started" }
        #expect(try await ask(port, "/healthz") == (200, "{\"alive\":true,\"reasons\":[]}\n"))
        #expect(try await ask(port, "/readyz") == (200, "{\"ready\":true,\"reasons\":[]}\n"))
        let text = try await ask(port, "/metrics").body
        #expect(text.hasSuffix("# EOF\n"))
        func value(_ line: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(line + " ") }, "\(line)")
            return try #require(line.split(separator: " ").last.flatMap { Double($0) })
        }
        #expect(try value("facellm_source_up{source=\"door\"}") == 1)
        #expect(try value("facellm_source_up{source=\"yard\"}") == 0)
        #expect(try value("facellm_tracks_started_total{source=\"door\"}") == 1)
        let (decoded, sampled) = (
            try value("facellm_frames_decoded_total{source=\"door\"}"),
            try value("facellm_frames_sampled_total{source=\"door\"}")
        )
        #expect(sampled >= 3 && decoded >= sampled)
        #expect(try value("facellm_events_published_total") >= 4)
        #expect(try value("facellm_subscribers") == 0)
        #expect(try value("facellm_resident_memory_bytes") > 1e7)
        let control = ControlClient(path: folder.path("run/control.sock"))
        let status = try await control.ask("status").description
        let again = try await ask(port, "/metrics").body

        daemon.command.send(SIGTERM)
        let run = await daemon.command.finish()
        let events = try run.text.split(separator: "\n").map { try EventDecoder().event($0.utf8) }
        let summary = try #require(events.summary)
        #expect(Double(summary.ledger.framesSampled) >= sampled)
        let journal = try folder.files.filter { $0.hasPrefix("state/") }.map {
            String(decoding: try Data(contentsOf: URL(filePath: folder.path($0))), as: UTF8.self)
        }
        for (text, what) in [
            (text, "/metrics"), (again, "/metrics"), (status, "status"), (run.text, "events"),
            (run.standardError, "the log"), (journal.joined(), "the journal"),
        ] { expectNoSecret(text, what) }
        for argument in ["--check-config", "--dump-config"] {
            let check = try DaemonProcess(in: folder, sources: hidden, arguments: [argument])
            let run = await check.command.finish()
            #expect(run.status == 0 && run.text.contains("yard"))
            expectNoSecret(run.text + run.standardError, argument)
        }
    }

    @Test("told to end while networks are being compiled it ends in order within 5 s")
    func endsWhileLoading() async throws {
        let folder = try TemporaryFolder()
        let sources = (1...6).map { "  - name: s\($0)\n    url: rtsp://127.0.0.1:1/\($0)" }.joined(separator: "\n")
        // Nothing is compiled yet in this one.
        let daemon = try DaemonProcess(
            in: folder,
            sources: sources,
            arguments: ["--set", "perception.cache_directory=\(folder.path("cache"))"]
        )
        while !FileManager.default.fileExists(atPath: folder.path("run/control.sock")) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let events = try await daemon.stop()
        #expect(events.summary?.exitReason == .terminated)
    }

    @Test("a frozen picture is a state that status and events tell, and nothing of it is looked at")
    func frozen() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.ffmpeg(
            "-f lavfi -i color=gray:s=640x480:r=25:d=4 -pix_fmt yuv420p -c:v libx264 -preset ultrafast -bf 0 -g 25 "
                + "-x264-params aud=1 -f h264",
            "video.h264"
        )
        let camera = try await Server.camera(folder)
        let daemon = try DaemonProcess(
            in: folder,
            sources: "  - name: door\n    url: rtsp://127.0.0.1:\(camera.port)/stream\n"
                + "    limits: {frozen_after_s: 1.5}"
        )
        _ = try await daemon.event { event in
            if case .sourceStatus(let status) = event.payload { status.status == .frozen } else { false }
        }
        let control = ControlClient(path: folder.path("run/control.sock"))
        func door() async throws -> JSONValue? {
            guard case .array(let sources)? = try await control.ask("sources.list")["sources"] else { return nil }
            return sources.first
        }
        #expect(try await door()?["status"] == .string("frozen"))
        #expect(try await door()?["reason"] == .string("picture_unchanged"))
        let sampled = try await door()?["ledger"]?["frames_sampled"]
        try await Task.sleep(for: .seconds(1))
        #expect(try await door()?["ledger"]?["frames_sampled"] == sampled)
        let events = try await daemon.stop()
        #expect(events.statuses.map(\.status) == [.connecting, .online, .frozen, .ended])
    }

    @Test("not ready while a model is missing, and it says which")
    func notReady() async throws {
        let folder = try TemporaryFolder()
        let port = try Self.freePort()
        let daemon = try DaemonProcess(
            in: folder,
            sources: "",
            more: "http: {listen: \"127.0.0.1:\(port)\"}\nengine: {model_directory: \(folder.path("nowhere"))}\n"
        )
        _ = try await daemon.event { $0.type == "error" }
        let control = ControlClient(path: folder.path("run/control.sock"))
        while (try? await control.ask("status"))?["ready"] != .bool(true) {
            try await Task.sleep(for: .milliseconds(20))
        }
        let ready = try await ask(port, "/readyz")
        #expect(ready.status == 503 && ready.body.contains("the describer cannot be opened"), "\(ready)")
        #expect(try await ask(port, "/healthz").status == 200)
        _ = try await daemon.stop()
    }

    @Test("two daemons on one state directory refuse each other without a journal, too")
    func withoutJournal() async throws {
        let folder = try TemporaryFolder()
        let first = try DaemonProcess(in: folder, sources: "", more: "journal: {enabled: false}\n")
        while !FileManager.default.fileExists(atPath: folder.path("state/owner.pid")) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let second = try DaemonProcess(in: folder, sources: "", more: "journal: {enabled: false}\n")
        let run = await second.command.finish()
        #expect(run.status == 1)
        #expect(run.standardError.contains("\(first.command.processID)"), "\(run.standardError)")
        first.command.send(SIGTERM)
        _ = await first.command.finish()
    }

    @Test("the journal is where the configuration says", arguments: ["sub/kept.sqlite", "kept.sqlite"])
    func journalPath(path: String) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state/sub"), withIntermediateDirectories: true)
        let daemon = try DaemonProcess(in: folder, sources: "", more: "journal: {path: \(path)}\n")
        let control = ControlClient(path: folder.path("run/control.sock"))
        while (try? await control.ask("status")) == nil { try await Task.sleep(for: .milliseconds(20)) }
        daemon.command.send(SIGTERM)
        #expect(await daemon.command.finish().status == 143)
        let files = folder.files.filter { $0.hasSuffix(".sqlite") }
        #expect(files == ["state/\(path)"])
    }

    // MARK: - Asking

    private func ask(_ port: Int, _ path: String) async throws -> (status: Int, body: String) {
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        let (data, response) = try await session.data(from: url)
        return (try #require(response as? HTTPURLResponse).statusCode, String(decoding: data, as: UTF8.self))
    }

    /// One that was free a moment ago.
    private static func freePort() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 ? getsockname(listener, $0, &length) : -1
            }
        }
        try #require(result == 0)
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// The socket on which a service manager is told how the daemon is.
private final class NoticeSocket {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0, "errno \(errno)")
    }

    deinit { close(descriptor) }

    /// Waits for a message that begins so; others before it are passed over.
    @discardableResult
    func wait(for beginning: String) async throws -> String {
        while true {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count <= 0 {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            let message = String(decoding: buffer[..<count], as: UTF8.self)
            if message.hasPrefix(beginning) { return message }
        }
    }
}
