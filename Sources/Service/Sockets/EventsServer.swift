package import Events
package import Logging
import Synchronization

/// The socket to read events from: `hello`, then live lines, or what the client's one request asks for.
///
/// The bus never waits for a client: what waits for one is bounded in bytes, and its policy says what happens then.
package final class EventsServer: Sendable {
    package struct Settings: Sendable {
        package var listener: SocketListener
        /// Whether somebody may read, besides what the file's permissions allow; `PeerPolicy.admits`.
        package var admits: @Sendable (PeerCredentials) -> Bool = { _ in true }
        package var maximumConnections = 1024
        /// Bytes that may wait for one client.
        package var queueBytes = EventBus.defaultQueueBytes
        /// How long a client may take to read the next 64 KiB; then it is cut off.
        package var writeDeadline = Duration.seconds(30)
        package var heartbeatInterval = Duration.seconds(15)
        /// How long lines are held back for the request of a client that may send one.
        ///
        /// A later request is good too: the lines before its reply belong to the stream that it replaces.
        package var requestGrace = Duration.milliseconds(250)
        /// How long clients may take at the end to read what waits for them.
        package var stopGrace = Duration.seconds(2)

        package init(listener: SocketListener) {
            self.listener = listener
        }
    }

    /// One client, for `status`.
    package struct Subscriber: Sendable, Hashable, Codable {
        package let id: Int
        package let processID: Int32
        package let userID: UInt32
        package let linesDelivered: Int
        package let linesLost: Int
        package let queuedBytes: Int

        package enum CodingKeys: String, CodingKey {
            case id
            case processID = "pid"
            case userID = "uid"
            case linesDelivered = "lines_delivered"
            case linesLost = "lines_lost"
            case queuedBytes = "queued_bytes"
        }
    }

    private let settings: Mutex<Settings>
    private let bus: EventBus
    private let server: SocketServer
    private let hello: @Sendable () async -> Hello
    private let heartbeat: @Sendable () async -> Heartbeat
    private let sessions = Mutex<[Int: EventsSession]>([:])

    /// - Parameters:
    ///   - hello: what every connection begins with, asked for each.
    ///   - heartbeat: the counters as they stand.
    package init(
        bus: EventBus,
        settings: Settings,
        logger: Logger,
        hello: @escaping @Sendable () async -> Hello,
        heartbeat: @escaping @Sendable () async -> Heartbeat
    ) {
        self.settings = Mutex(settings)
        self.bus = bus
        self.hello = hello
        self.heartbeat = heartbeat
        server = SocketServer(listener: settings.listener, settings: settings.connections, logger: logger)
    }

    /// Takes over other settings, for connections from now on; the listener stays.
    package func apply(_ settings: Settings) {
        self.settings.withLock { $0 = settings }
        server.apply(settings.connections)
    }

    /// The clients that are connected.
    package var subscribers: [Subscriber] {
        sessions.withLock { $0.values.map(\.subscriber) }.sorted { $0.id < $1.id }
    }

    /// Begins to listen; when it returns clients can connect.
    package func start() async throws(SocketError) {
        let lines = EventLines(instanceID: bus.instanceID)
        try await server.start { refusal in
            lines.error(
                ErrorRecord(code: refusal.code, message: refusal.message, retryable: refusal.isRetryable)
            )
        } serve: { [self] connection in
            let session = EventsSession(connection, bus: bus, lines: lines, settings: settings.withLock { $0 })
            sessions.withLock { $0[connection.id] = session }
            await session.run(hello: hello, heartbeat: heartbeat)
            _ = sessions.withLock { $0.removeValue(forKey: connection.id) }
        }
    }

    /// Stops listening; clients get what waits for them if the bus was finished before.
    package func stop() async {
        await server.stop(grace: settings.withLock { $0.stopGrace })
    }
}

extension EventsServer.Settings {
    fileprivate var connections: SocketServer.Settings {
        .init(maximumConnections: maximumConnections, admits: admits, writeDeadline: writeDeadline)
    }
}

/// Makes the lines that only one connection gets.
struct EventLines: Sendable {
    let instanceID: String
    private let encoder = EventEncoder()

    init(instanceID: String) {
        self.instanceID = instanceID
    }

    /// The first line; without provenance and notice if it would be too long with them.
    func hello(_ fields: Hello) -> [UInt8] {
        line(.hello(fields)) ?? line(.hello(Hello(versions: fields.versions, sources: []))) ?? []
    }

    func heartbeat(_ fields: Heartbeat) -> [UInt8] { line(.heartbeat(fields)) ?? [] }

    func reply(to requestID: RequestID) -> [UInt8] { line(.reply(Reply(to: requestID))) ?? [] }

    func error(_ record: ErrorRecord) -> [UInt8] {
        let event = EventFactory(instanceID: instanceID, source: nil).makeUnnumbered(.error(record))
        return (try? encoder.line(event))?.bytes ?? []
    }

    private func line(_ payload: ConnectionLine.Payload) -> [UInt8]? {
        try? encoder.line(ConnectionLine(payload, instanceID: instanceID, publishedAt: .now())).bytes
    }
}
