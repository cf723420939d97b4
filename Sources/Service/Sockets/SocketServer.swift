import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Accepts connections on a Unix socket, refuses those who may not or who are too many, and serves each of the rest
/// in a task of its own.
///
/// At the limit of open files accepting rests for a second at a time; it does not spin.
final class SocketServer: Sendable {
    /// Why somebody is sent away.
    enum Refusal: Sendable {
        case notAllowed(PeerCredentials)
        case tooMany(limit: Int)

        var code: String {
            switch self {
            case .notAllowed: "not_allowed"
            case .tooMany: "too_many_connections"
            }
        }

        var message: String {
            switch self {
            case .notAllowed(let peer): "user \(peer.userID) may not use this socket"
            case .tooMany(let limit): "\(limit) connections are open already"
            }
        }

        var isRetryable: Bool {
            if case .tooMany = self { true } else { false }
        }
    }

    struct Settings: Sendable {
        /// Connections at a time.
        var maximumConnections: Int
        var admits: @Sendable (PeerCredentials) -> Bool
        /// How long the other end may take to read what one write sends.
        var writeDeadline: Duration
    }

    private struct State {
        var settings: Settings
        var server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, Never>, Never>?
        var accepting: Task<Void, Never>?
        var file: SocketPath.Identity?
        var connections: [Int: any Channel] = [:]
        var nextID = 0
    }

    private let listener: SocketListener
    private let logger: Logger
    private let state: Mutex<State>

    init(listener: SocketListener, settings: Settings, logger: Logger) {
        self.listener = listener
        self.logger = logger
        state = Mutex(State(settings: settings))
    }

    /// Takes over other settings, for connections from now on.
    func apply(_ settings: Settings) {
        state.withLock { $0.settings = settings }
    }

    /// Begins to listen; when it returns clients can connect.
    ///
    /// - Parameters:
    ///   - refuse: the line for somebody who is sent away.
    ///   - serve: does all that a connection needs; the connection is closed when it returns.
    func start(
        refuse: @escaping @Sendable (Refusal) -> [UInt8],
        serve: @escaping @Sendable (SocketConnection) async -> Void
    ) async throws(SocketError) {
        let descriptor: Int32
        let name: String
        var file: SocketPath.Identity?
        switch listener {
        case .path(let path):
            descriptor = try path.listen()
            name = path.path
            file = SocketPath.Identity(path.path)
        case .descriptor(let given):
            descriptor = given
            name = "descriptor \(given)"
        }
        let server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, Never>, Never>
        do {
            server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AcceptRest())
                    }
                }
                // A client that says all it has to say may close its side and read on.
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(descriptor) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw SocketError(.listen, error, path: name)
        }
        logger.debug("listening", metadata: ["socket": "\(name)"])
        let accepting = Task { [self] in
            await accept(server, refuse: refuse, serve: serve)
        }
        state.withLock { state in
            state.server = server
            state.accepting = accepting
            state.file = file
        }
    }

    /// Stops listening at once, gives open connections `grace` to end, and closes the rest.
    func stop(grace: Duration) async {
        let (server, accepting, file) = state.withLock { state in
            defer {
                state.server = nil
                state.accepting = nil
            }
            return (state.server, state.accepting, state.file)
        }
        guard let server, let accepting else { return }
        if case .path(let path) = listener { path.remove(file) }
        server.channel.close(promise: nil)
        let timer = server.channel.eventLoop.scheduleTask(in: TimeAmount(grace)) { [self] in
            for channel in state.withLock({ Array($0.connections.values) }) { channel.close(promise: nil) }
        }
        await accepting.value
        timer.cancel()
    }

    // MARK: - Connections

    private func accept(
        _ server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, Never>, Never>,
        refuse: @escaping @Sendable (Refusal) -> [UInt8],
        serve: @escaping @Sendable (SocketConnection) async -> Void
    ) async {
        do {
            try await server.executeThenClose { clients in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await client in clients {
                        group.addTask { [self] in await attend(client, refuse: refuse, serve: serve) }
                    }
                }
            }
        } catch {
            logger.error("no longer listening", metadata: ["reason": "\(error)"])
        }
    }

    private func attend(
        _ client: NIOAsyncChannel<ByteBuffer, Never>,
        refuse: @Sendable (Refusal) -> [UInt8],
        serve: @Sendable (SocketConnection) async -> Void
    ) async {
        let (id, isOneTooMany, settings) = state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            let isOneTooMany = state.connections.count >= state.settings.maximumConnections
            if !isOneTooMany { state.connections[id] = client.channel }
            return (id, isOneTooMany, state.settings)
        }
        defer { state.withLock { _ = $0.connections.removeValue(forKey: id) } }
        do {
            try await client.executeThenClose { input in
                let peer = try await PeerCredentials.of(client.channel)
                let connection = SocketConnection(
                    id: id,
                    peer: peer,
                    input: input,
                    channel: client.channel,
                    writeDeadline: settings.writeDeadline
                )
                let refusal: Refusal? =
                    if isOneTooMany {
                        .tooMany(limit: settings.maximumConnections)
                    } else if !settings.admits(peer) {
                        .notAllowed(peer)
                    } else {
                        nil
                    }
                if let refusal {
                    logger.notice("refused a connection", metadata: ["reason": "\(refusal.message)"])
                    try await connection.write(refuse(refusal))
                } else {
                    await serve(connection)
                }
            }
        } catch {
            logger.debug("a connection ended", metadata: ["reason": "\(error)"])
        }
    }
}

/// One client of a server.
struct SocketConnection: Sendable {
    /// Never given twice by a server.
    let id: Int
    let peer: PeerCredentials
    /// What the client sends, in pieces.
    let input: NIOAsyncChannelInboundStream<ByteBuffer>
    let channel: any Channel
    let writeDeadline: Duration

    /// Returns when the kernel has taken all of it.
    ///
    /// - Throws: when the client has gone, or has not read it within the deadline; the connection is closed then.
    func write(_ bytes: [UInt8]) async throws {
        try await write(ByteBuffer(bytes: bytes))
    }

    func write(_ buffer: ByteBuffer) async throws {
        let channel = channel
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(writeDeadline)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        try await channel.writeAndFlush(buffer)
    }

    func close() {
        channel.close(promise: nil)
    }
}
