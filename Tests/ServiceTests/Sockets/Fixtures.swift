import Events
import Logging
import Service
import Synchronization
import TestSupport

/// A line whose message is a number.
func number(_ number: Int, padding: Int = 0) -> Event.Payload {
    let words = "\(number)" + String(repeating: " ", count: padding)
    return .error(ErrorRecord(code: "number", message: words, retryable: false))
}

/// A store that forgets nothing.
final class MemoryStore: EventStore {
    private let events = Mutex<[PublishedEvent]>([])

    func append(_ event: PublishedEvent) { events.withLock { $0.append(event) } }

    func read(
        from position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) async -> ReplayPage {
        events.withLock { events in
            let first: Int = if case .after(let cursor) = position { cursor.seq } else { 0 }
            var page = ReplayPage(position: position, isAtEnd: true)
            var bytes = 0
            for event in events.dropFirst(first) where event.cursor.seq <= end?.seq ?? .max {
                guard bytes < maximumBytes else {
                    page.isAtEnd = false
                    break
                }
                if filter.admits(event) { page.items.append(.event(event)) }
                bytes += event.line.bytes.count
                page.position = .after(event.cursor)
            }
            return page
        }
    }
}

/// A bus with a server before it, in a folder of its own.
final class EventsFixture: Sendable {
    let folder: SocketsFolder
    let bus: EventBus
    let server: EventsServer
    let path: String

    init(
        bus: EventBus = EventBus(instanceID: "one", store: MemoryStore()),
        folder: SocketsFolder? = nil,
        _ change: (inout EventsServer.Settings) -> Void = { _ in }
    ) async throws {
        let folder = try folder ?? SocketsFolder()
        self.folder = folder
        self.bus = bus
        path = folder("events.sock")
        var settings = EventsServer.Settings(listener: .path(SocketPath(path)))
        change(&settings)
        server = EventsServer(
            bus: bus,
            settings: settings,
            logger: .quiet,
            hello: { Hello(versions: ["facellm": "0.1.0"], sources: ["door"]) },
            heartbeat: { Heartbeat(ledger: Ledger()) }
        )
        try await server.start()
    }

    func publish(_ numbers: ClosedRange<Int>, padding: Int = 0, source: String = "door") throws {
        for value in numbers { try bus.publish(number(value, padding: padding), source: source) }
    }

    /// Connects and reads `hello`.
    func client() async throws -> RawClient {
        let client = try RawClient(path)
        guard type(of: try await client.line()) == "hello" else {
            throw RawClient.Failure(description: "the first line is no hello")
        }
        return client
    }

    /// Connects and asks; returns when the reply came.
    func client(asking fields: String) async throws -> RawClient {
        let client = try await client()
        await client.send(#"{"op":"subscribe","request_id":1\#(fields.isEmpty ? "" : ",")\#(fields)}"#)
        while let line = try await client.line() {
            if type(of: line) == "reply" { return client }
        }
        throw RawClient.Failure(description: "no reply")
    }

    /// Ends the stream behind what was published.
    func finish(with error: ErrorRecord? = nil) async {
        bus.finish(with: error)
        await server.stop()
    }
}

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Which lines a client has, and what it was told of the rest.
struct Tally {
    private(set) var seqs: [Int] = []
    private(set) var gaps: [Gap] = []
    private(set) var errors: [String] = []

    var cursor: String { "one-\(seqs.last ?? 0)" }
    var lost: Int { gaps.reduce(0) { $0 + ($1.lost ?? 0) } }

    mutating func take(_ line: String) throws {
        if type(of: line) == "heartbeat" { return }
        let event = try EventDecoder().event(line.utf8)
        if let seq = event.envelope.seq {
            seqs.append(seq)
        } else if case .gap(let gap) = event.payload {
            gaps.append(gap)
        } else if case .error(let record) = event.payload {
            errors.append(record.code)
        }
    }
}

/// Keeps what it is told and answers from a script.
final class FakeHandler: ControlHandler {
    private let commands = Mutex<[ControlCommand]>([])
    private let answer: @Sendable (ControlCommand) -> ControlResult

    init(_ answer: @escaping @Sendable (ControlCommand) -> ControlResult = { _ in .ok(json: "{}") }) {
        self.answer = answer
    }

    var seen: [ControlCommand] { commands.withLock { $0 } }

    func handle(_ command: ControlCommand, peer: PeerCredentials) async -> ControlResult {
        commands.withLock { $0.append(command) }
        return answer(command)
    }
}
