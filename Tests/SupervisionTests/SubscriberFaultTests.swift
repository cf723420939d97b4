import Events
import Foundation
import Glibc
import Service
import Synchronization
import TestSupport
import Testing

/// Readers of the built daemon that are as readers in the field are: killed, deaf, slow, many, rude.
@Suite("Faults of readers", .serialized, .needsInstallation, .timeLimit(.minutes(5)))
struct SubscriberFaultTests {
    @Test("a subscriber killed at random a hundred times and resumed by cursor misses nothing and sees nothing twice")
    func killedSubscriber() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let daemon = try DaemonProcess(in: folder, sources: source, seconds: 240)
        try await daemon.listens()
        let seed: UInt64 = 20_261_123
        var chance = SeededGenerator(seed: seed)
        var received = Received()
        func subscribe() throws -> RunningCommand {
            var options = RunningCommand.Options(seconds: 120)
            options.environment = try DaemonProcess.environment()
            let since = ["--since", received.cursor ?? "oldest"]
            return try RunningCommand(
                Installation.facellm,
                ["subscribe", "--socket", daemon.eventsSocket] + since,
                options
            )
        }
        for round in 1...100 {
            let reader = try subscribe()
            var rest = Int.random(in: 0...10, using: &chance)
            if rest > 0 {
                for await _ in reader.lines {
                    rest -= 1
                    if rest == 0 { break }
                }
            }
            // Before the connection, before the reply, in the middle of the replay, or among live lines.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &chance)))
            reader.send(SIGKILL)
            let run = await reader.finish()
            #expect(run.ending == .signalled(SIGKILL), "round \(round), seed \(seed): \(run.standardError)")
            try received.take(output: run.text)
        }
        let last = try subscribe()
        // Its reader is connected as soon as it has something.
        for await _ in last.lines { break }
        let events = try await daemon.stop()
        #expect(await last.line(containing: "\"type\":\"run.summary\"") != nil)
        last.send(SIGINT)
        try received.take(output: await last.finish().text)
        #expect(received.seqs == Array(1...events.count), "seed \(seed)")
        #expect(received.gaps.isEmpty && received.errors.isEmpty, "seed \(seed)")
    }

    @Test("500 that are idle, one that never reads, one that takes a byte a second, some that go: others lose nothing")
    func crowd() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder, more: "landmarks: true")
        let daemon = try DaemonProcess(
            in: folder,
            sources: source,
            more: "sockets:\n  events: {write_deadline_s: 2}\n",
            seconds: 240
        )
        try await daemon.listens()
        let quick = try await daemon.subscriber("\"since\":\"oldest\"")
        let reading = Task {
            var received = Received()
            for line in try await quick.lines() { try received.take(line) }
            return received
        }
        var idle: [RawClient] = []
        for _ in 0..<500 { idle.append(try await daemon.subscriber("\"sources\":[\"nothing\"]")) }
        let deaf = try await daemon.subscriber("")
        let trickle = try await daemon.subscriber("")
        // Closed with lines unread, which resets the connection.
        for _ in 0..<20 { try await daemon.subscriber("\"since\":\"oldest\"").close() }
        let halfClosed = try await daemon.subscriber("\"since\":\"oldest\"")
        halfClosed.closeWriting()
        #expect(try await halfClosed.line()?.contains("\"seq\":1,") == true)
        halfClosed.close()

        async let cutOff: Void = deaf.waitForClose()
        while try await !trickle.bytes(atMost: 1).isEmpty {
            try await Task.sleep(for: .seconds(1))
            // It is closed while what the kernel holds for it can still be read.
            if trickle.isHungUp { break }
        }
        try await cutOff
        while try await daemon.ask("status")["subscribers"] != .number(501) {
            try await Task.sleep(for: .milliseconds(50))
        }
        let events = try await daemon.stop()
        let received = try await reading.value
        #expect(received.seqs == Array(1...events.count))
        #expect(received.gaps.isEmpty && received.errors.isEmpty)
        for client in idle {
            for line in try await client.lines() { #expect(line.contains("\"type\":\"heartbeat\"")) }
        }
    }

    @Test("a reader that pauses is told how many lines it lost, or is let go of with a reason, as it asked")
    func slow() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder, more: "landmarks: true")
        let daemon = try DaemonProcess(
            in: folder,
            sources: source,
            more: "sockets:\n  events: {queue_bytes: 65536, write_deadline_s: 120}\n",
            seconds: 120
        )
        try await daemon.listens()
        let patient = try await daemon.subscriber("\"since\":\"oldest\"")
        let hasty = try await daemon.subscriber("\"since\":\"oldest\",\"on_overflow\":\"disconnect\"")
        // More than the kernel, the write under way and the queue hold together.
        var seen = 0
        _ = try await daemon.event { event in
            seen += event.type == "face.observation" ? 1 : 0
            return seen == 100
        }
        var cut = Received()
        for line in try await hasty.lines() { try cut.take(line) }
        #expect(cut.errors == ["slow_consumer"] && cut.gaps.isEmpty)
        #expect(cut.seqs == Array(1...cut.seqs.count))
        let reading = Task {
            var received = Received()
            for line in try await patient.lines() { try received.take(line) }
            return received
        }
        let events = try await daemon.stop()
        let received = try await reading.value
        #expect(received.lost > 0 && received.gaps.allSatisfy { $0.reason == "slow_consumer" })
        #expect(received.seqs.count + received.lost == events.count)
        #expect(received.seqs == received.seqs.sorted() && Set(received.seqs).count == received.seqs.count)
    }

    @Test("ten thousand connections that come and go leave nothing behind")
    func connects() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let daemon = try DaemonProcess(in: folder, sources: source, seconds: 240)
        try await daemon.listens()
        let quick = try await daemon.subscriber("\"since\":\"oldest\"")
        let reading = Task {
            var received = Received()
            for line in try await quick.lines() { try received.take(line) }
            return received
        }
        let process = daemon.command.processID
        let before = try ProcessFigures.descriptors(process)
        let (events, control) = (daemon.eventsSocket, daemon.controlSocket)
        try await off {
            for number in 0..<10_000 {
                // Linux holds back whoever connects while the queue of the socket is full.
                let client = try RawClient(number % 10 == 0 ? control : events)
                client.close()
            }
        }
        while try await daemon.ask("status")["subscribers"] != .number(1) {
            try await Task.sleep(for: .milliseconds(50))
        }
        // A few for files that the daemon opened meanwhile, and for whoever asked last.
        while try ProcessFigures.descriptors(process) > before + 20 { try await Task.sleep(for: .milliseconds(50)) }
        let all = try await daemon.stop()
        #expect(try await reading.value.seqs == Array(1...all.count))
    }

    @Test(
        "without descriptors the daemon neither spins nor lets go of anybody, and serves who waited afterwards",
        .enabled(if: Installation.executable("prlimit") != nil, "there is no prlimit command")
    )
    func descriptorLimit() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(
            in: folder,
            sources: "",
            more: "sockets:\n  events: {heartbeat_interval_s: 0.2}\n",
            seconds: 120
        )
        try await daemon.listens()
        let first = try await daemon.subscriber()
        let process = daemon.command.processID
        // Descriptors are numbers below the limit, and few of those below the highest are free.
        let open = try ProcessFigures.descriptors(process)
        try await ProcessFigures.limitDescriptors(process, to: open + 8)
        var waiting: [RawClient] = []
        for _ in 0..<60 { waiting.append(try RawClient(daemon.eventsSocket)) }
        let before = try ProcessFigures.processorSeconds(process)
        let beginning = ContinuousClock.now
        // Who is connected hears from it all the same; of the journal, too, if that cannot open its files.
        var heartbeats = 0
        while heartbeats < 10 {
            let line = try #require(try await first.line())
            heartbeats += line.contains("\"type\":\"heartbeat\"") ? 1 : 0
        }
        let elapsed = (ContinuousClock.now - beginning) / .seconds(1)
        let spent = try ProcessFigures.processorSeconds(process) - before
        #expect(spent < max(1, elapsed) / 2, "\(spent) s of processor time in \(elapsed) s")
        #expect(try ProcessFigures.descriptors(process) <= open + 8)
        try await ProcessFigures.limitDescriptors(process, to: 4096)
        for client in waiting { #expect(try await client.line()?.contains("\"type\":\"hello\"") == true) }
        _ = try await daemon.stop()
    }

    @Test("nonsense on either socket is answered or ends the connection, and leaves nothing behind")
    func badCommands() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(in: folder, sources: "", seconds: 120)
        try await daemon.listens()
        let deep = Array((String(repeating: "[", count: 20_000) + "\n").utf8)
        let nonsense: [[UInt8]] = [
            Array("{\"op\":\"subscr".utf8), Array("no json\n".utf8), [0x7b, 0x00, 0x7d, 0x0a],
            Array("{\"op\":\"".utf8) + [0xff, 0xfe] + Array("\"}\n".utf8), deep,
            [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20), Array("{\"op\":\"purge\"}\n".utf8),
        ]
        func round() async throws {
            for path in [daemon.eventsSocket, daemon.controlSocket] {
                for bytes in nonsense {
                    let client = try RawClient(path)
                    async let sending: Void = client.send(bytes)
                    if bytes.last != UInt8(ascii: "\n") {
                        await sending
                        client.closeWriting()
                    }
                    var hasError = false
                    while !hasError, let line = try await client.line() { hasError = line.contains("\"error\"") }
                    #expect(hasError, "\(bytes.prefix(20)) to \(path)")
                    await sending
                }
            }
        }
        let process = daemon.command.processID
        for _ in 0..<3 { try await round() }
        let before = try ProcessFigures.residentBytes(process)
        for _ in 0..<20 { try await round() }
        // What was sent is ten times as much.
        #expect(try ProcessFigures.residentBytes(process) - before < 8 << 20)
        #expect(try await daemon.ask("status")["ready"] == .bool(true))
        _ = try await daemon.stop()
    }

    @Test(
        "another user is kept out by the files' modes, and by name where the mode lets everybody in",
        .needsCamera,
        .enabled(if: Installation.isRoot && Installation.setpriv != nil, "needs root and setpriv")
    )
    func otherUser() async throws {
        let folder = try TemporaryFolder()
        let setpriv = try #require(Installation.setpriv)
        let python = try #require(Server.python)
        // What another user may read, wherever the tests were built.
        let program = folder.path("client.py")
        try folder.file(
            "client.py",
            """
            import json, socket, sys
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(sys.argv[1])
            except OSError as error:
                sys.exit(print(error.strerror))
            try:
                connection.sendall(b'{"op":"status","request_id":1}\\n' if "control" in sys.argv[1] else b"\\n")
            except OSError:
                pass  # Who is sent away finds the reason in what can be read.
            line = json.loads(connection.makefile().readline())
            error = line.get("error") or line
            print(error.get("code") or line.get("type"))
            """
        )
        func answer(user: Int, _ socket: String) async throws -> String {
            let arguments = ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", python, program, socket]
            return try await CommandLineRun.of(setpriv, arguments).text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let closed = try DaemonProcess(in: folder, sources: "")
        try await closed.listens()
        for path in [closed.eventsSocket, closed.controlSocket] {
            var status = stat()
            #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o660)
            #expect(try await answer(user: 65_534, path) == "Permission denied")
        }
        _ = try await closed.stop()

        let open = "{mode: \"0666\", allowed_users: [\"65533\"]}"
        let named = try DaemonProcess(
            in: folder,
            sources: "",
            more: "sockets:\n  events: \(open)\n  control: \(open)\n"
        )
        try await named.listens()
        #expect(try await answer(user: 65_534, named.eventsSocket) == "not_allowed")
        #expect(try await answer(user: 65_534, named.controlSocket) == "not_allowed")
        #expect(try await answer(user: 65_533, named.eventsSocket) == "hello")
        named.command.send(SIGTERM)
        let run = await named.command.finish()
        #expect(run.standardError.contains("user 65534 may not use this socket"), "\(run.standardError)")
    }
}
