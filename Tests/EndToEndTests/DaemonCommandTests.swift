import Events
import Foundation
import Logging
import Service
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// The commands that talk to a daemon, against its sockets with made-up answers behind them.
    @Suite("Talking to the daemon")
    struct DaemonCommandTests {
        private let folder: TemporaryFolder
        private let events: String
        private let control: String

        init() throws {
            folder = try TemporaryFolder()
            events = folder.path("events.sock")
            control = folder.path("control.sock")
        }

        private func eventsServer(_ bus: EventBus) async throws -> EventsServer {
            let server = EventsServer(
                bus: bus,
                settings: EventsServer.Settings(listener: .path(SocketPath(events))),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                hello: { Hello(versions: ["facellm": "0.1.0"], sources: ["door"]) },
                heartbeat: { Heartbeat(ledger: Ledger()) }
            )
            try await server.start()
            return server
        }

        private func controlServer(_ handler: any ControlHandler) async throws -> ControlServer {
            let server = ControlServer(
                settings: ControlServer.Settings(listener: .path(SocketPath(control))),
                handler: handler,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            try await server.start()
            return server
        }

        private func gap(_ number: Int) -> Event.Payload { .gap(.media(reason: "reconnect", lost: number)) }

        @Test("subscribe prints lines of JSON in a pipe, goes on after a restart of the daemon, and ends with 130")
        func subscribe() async throws {
            let bus = EventBus(instanceID: "one", store: ShortStore())
            try bus.publish(gap(1), source: "door")
            let first = try await eventsServer(bus)
            let command = try Facellm.start(["subscribe", "--socket", events, "--since", "oldest"])
            #expect(await command.line(containing: "\"seq\":1") != nil)
            await first.stop()
            try bus.publish(gap(2), source: "door")
            let second = try await eventsServer(bus)
            #expect(await command.line(containing: "\"seq\":2") != nil)
            command.send(SIGINT)
            let run = await command.finish()
            #expect(run.ending == .exited(130) && run.standardError.contains("connecting again"))
            let lines = run.text.split(separator: "\n")
            #expect(try lines.map { try EventDecoder().event($0.utf8).envelope.seq } == [1, 2])
            await second.stop()
        }

        @Test("subscribe ends quietly when its reader has enough")
        func brokenPipe() async throws {
            let bus = EventBus(instanceID: "one", store: ShortStore())
            for number in 1...20_000 { try bus.publish(gap(number), source: "door") }
            let server = try await eventsServer(bus)
            let command = try Facellm.start(
                ["subscribe", "--socket", events, "--since", "oldest"],
                .init(output: .closed(afterLines: 3))
            )
            let run = await command.finish()
            #expect(run.ending == .exited(0) && run.standardError == "")
            await server.stop()
        }

        @Test("without a daemon every command ends with 1 and says how to start one")
        func noDaemon() async throws {
            for arguments in [["subscribe"], ["status"], ["sources"], ["pause", "door"], ["reload"]] {
                let run = try await Facellm.start(arguments + ["--socket", folder.path("absent.sock")]).finish()
                #expect(run.ending == .exited(1), "\(arguments)")
                #expect(run.standardError.contains("systemctl start facellmd") && run.text == "")
            }
            // The folder that was looked into is named.
            let run = try await Facellm.run("status", environment: ["RUNTIME_DIRECTORY": folder.path("none")])
            #expect(run.standardError.contains(folder.path("none/control.sock")))
        }

        @Test("status is a table for people, or the answer as it is")
        func status() async throws {
            let server = try await controlServer(Script())
            let run = try await Facellm.run("status", "--socket", control)
            #expect(run.ending == .exited(0), "\(run.standardError)")
            #expect(run.text.contains("facellmd · 0.1.0 · ready · up 1 h 1 min · 312 MB"))
            let rows = run.text.split(separator: "\n").suffix(3).map {
                $0.split(separator: " ").prefix(4).joined(separator: " ")
            }
            #expect(
                rows == ["SOURCE STATUS FPS LAG", "door online 5.0 0.21", "yard (added) reconnecting #3"],
                "\(run.text)"
            )
            let json = try await Facellm.run("status", "--json", "--socket", control)
            let object = try JSONSerialization.jsonObject(with: json.standardOutput) as? [String: Any]
            #expect((object?["sources"] as? [Any])?.count == 2)
            await server.stop()
        }

        /// Markup, ends of lines, and sequences that clear a screen, colour it or set its title, in seven and eight bits.
        private static let evil = "<b>\"door\"</b>\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}\r\n\u{2028}\u{8}end"

        /// Nothing of it may reach a terminal but ends of lines.
        private func expectHarmless(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let found = text.unicodeScalars.filter { scalar in
                scalar != "\n"
                    && (scalar.properties.generalCategory == .control
                        || "\u{202E}\u{2028}".unicodeScalars.contains(scalar))
            }
            #expect(found.isEmpty, "\(found.map(\.value))", sourceLocation: sourceLocation)
        }

        @Test("names and reasons that hold escape sequences are words in every table and every line")
        func injection() async throws {
            let encoder = JSONEncoder()
            let evil = String(decoding: try encoder.encode(Self.evil), as: UTF8.self)
            let status = """
                {"version":\(evil),"ready":true,"uptime_s":1,"memory_mb":1,
                 "describer":{"status":"failed","model":\(evil),"precision":\(evil),"reason":\(evil)},
                 "journal":{"file_bytes":1,"oldest":\(evil),"failure":\(evil)},
                 "sources":[{"name":\(evil),"status":\(evil),"reason":\(evil),"last_frame_at":\(evil)}],
                 "changes":[\(evil)],"note":\(evil)}
                """.split(separator: "\n").joined()
            let server = try await controlServer(Script(answer: status))
            for arguments in [["status"], ["sources"], ["reload"], ["sources", "remove", "door"]] {
                let run = try await Facellm.start(arguments + ["--socket", control]).finish()
                #expect(run.ending == .exited(0), "\(run.standardError)")
                expectHarmless(run.text)
                if arguments != ["reload"] { #expect(run.text.contains("<b>\"door\"</b> [2J"), "\(run.text)") }
            }
            await server.stop()

            let bus = EventBus(instanceID: "one", store: ShortStore())
            try bus.publish(.gap(.media(reason: Self.evil)), source: Self.evil)
            try bus.publish(
                .error(ErrorRecord(code: Self.evil, message: Self.evil, retryable: true)),
                source: Self.evil
            )
            try bus.publish(.sourceStatus(SourceStatus(status: .failed, reason: Self.evil)), source: Self.evil)
            let events = try await eventsServer(bus)
            // On a terminal it tells people; util-linux's script is one.
            let words = "\(Installation.facellm) subscribe --socket \(self.events) --since oldest"
            var options = RunningCommand.Options()
            options.environment = try Facellm.environment()
            let command = try RunningCommand(
                try #require(Installation.executable("script")),
                ["-qefc", words, "/dev/null"],
                options
            )
            #expect(await command.line(containing: "source failed") != nil)
            command.send(SIGTERM)
            let run = await command.finish()
            let lines = run.text.split(separator: "\r\n").filter { $0.contains("<b>") }
            #expect(lines.count == 3, "\(run.text)")
            for line in lines { expectHarmless(String(line)) }
            await events.stop()

            // The name of a file, in a message.
            let missing = try await Facellm.run(
                "report",
                folder.path("\u{1B}[31m\u{9B}2J.jsonl"),
                "-o",
                folder.path("a.html")
            )
            #expect(missing.ending == .exited(3) && missing.standardError.contains("No such file"))
            expectHarmless(missing.standardError)
        }

        @Test("orders arrive as they were given, and a refusal is told with status 1")
        func orders() async throws {
            let script = Script()
            let server = try await controlServer(script)
            let runs: [[String]] = [
                ["sources", "add", "door", "rtsp://h/1", "--set", "sample_fps=5", "--set", "transport=udp"],
                ["sources", "add", "yard", "--url-from", "credential:yard"],
                ["sources", "remove", "door"], ["pause"], ["pause", "door"], ["resume", "door"], ["reload"],
                ["purge", "--before", "2026-03-01T09:30:00Z", "--source", "door"],
            ]
            for arguments in runs {
                let run = try await Facellm.start(arguments + ["--socket", control]).finish()
                #expect(run.ending == .exited(0), "\(arguments): \(run.standardError)")
                switch arguments.first {
                case "purge": #expect(run.text == "deleted 3 lines\n")
                case "reload": #expect(run.text == "sinks: changed\nneeds a restart: journal.path\n")
                case "sources" where arguments[1] == "remove":
                    #expect(run.text == "removed door; it stands in the configuration\n")
                default: break
                }
            }
            #expect(
                script.seen == [
                    .sourcesAdd(JSONText: #"{"name":"door","sample_fps":5,"transport":"udp","url":"rtsp://h/1"}"#),
                    .sourcesAdd(JSONText: #"{"name":"yard","url_from":"credential:yard"}"#),
                    .sourcesRemove("door"), .pause(nil), .pause("door"), .resume("door"), .reload,
                    .purge(before: Date(timeIntervalSince1970: 1_772_357_400), source: "door"),
                ]
            )
            let refused = try await Facellm.run("sources", "remove", "nobody", "--socket", control)
            #expect(refused.ending == .exited(1) && refused.standardError.contains("no source is called nobody"))
            for arguments in [["purge"], ["sources", "add", "x"], ["purge", "--before", "soon"]] {
                #expect(try await Facellm.start(arguments).finish().ending == .exited(2), "\(arguments)")
            }
            await server.stop()
        }
    }
}

/// A store in memory.
private final class ShortStore: EventStore {
    private let events = Mutex<[PublishedEvent]>([])

    func append(_ event: PublishedEvent) { events.withLock { $0.append(event) } }

    func read(
        from position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) async -> ReplayPage {
        let first: Int = if case .after(let cursor) = position { cursor.seq } else { 0 }
        let found = events.withLock { Array($0.dropFirst(first).prefix((end?.seq ?? .max) - first).prefix(100)) }
        guard let last = found.last else { return ReplayPage(position: position, isAtEnd: true) }
        return ReplayPage(
            items: found.filter(filter.admits).map(ReplayPage.Item.event),
            position: .after(last.cursor),
            isAtEnd: found.count < 100
        )
    }
}

/// Answers as a daemon with two sources.
private final class Script: ControlHandler {
    /// To everything, where there is one.
    private let answer: String?
    private let commands = Mutex<[ControlCommand]>([])

    init(answer: String? = nil) { self.answer = answer }

    var seen: [ControlCommand] { commands.withLock { $0 } }

    func handle(_ command: ControlCommand, peer: PeerCredentials) async -> ControlResult {
        if let answer { return .ok(json: answer) }
        if command == .sourcesRemove("nobody") {
            return .failed(code: "unknown_source", message: "no source is called nobody")
        }
        commands.withLock { $0.append(command) }
        if case .purge = command { return .ok(json: #"{"purged":3}"#) }
        if command == .reload { return .ok(json: #"{"changes":["sinks: changed","needs a restart: journal.path"]}"#) }
        if case .sourcesRemove = command {
            return .ok(json: #"{"note":"it stands in the configuration","removed":"door"}"#)
        }
        guard command == .status else { return .ok(json: "{}") }
        let door = #"{"name":"door","status":"online","fps":5,"lag_s":0.21,"faces":1,"tracks":1,"queue":0}"#
        let yard =
            #"{"name":"yard","origin":"command","status":"reconnecting","attempt":3,"reason":"connection refused"}"#
        return .ok(
            json: #"{"version":"0.1.0","ready":true,"uptime_s":3700,"memory_mb":312.5,"sources":[\#(door),\#(yard)]}"#
        )
    }
}
