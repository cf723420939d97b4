import Events
package import Logging
import NIOCore
import Synchronization

/// The socket for commands: one JSON object a line, each answered by one, in the order in which they came.
package final class ControlServer: Sendable {
    /// The longest request, bytes.
    package static let maximumLength = 65_536

    package struct Settings: Sendable {
        package var listener: SocketListener
        /// Whether somebody may command, besides what the file's permissions allow; `PeerPolicy.admits`.
        package var admits: @Sendable (PeerCredentials) -> Bool = { _ in true }
        package var maximumConnections = 32
        /// How long a client may say nothing; a command that takes longer is not cut off.
        package var idleLimit = Duration.seconds(60)
        /// How long a client may take to read an answer.
        package var writeDeadline = Duration.seconds(10)
        /// How long commands may take at the end to be answered.
        package var stopGrace = Duration.milliseconds(500)

        package init(listener: SocketListener) {
            self.listener = listener
        }
    }

    private let settings: Mutex<Settings>
    private let handler: any ControlHandler
    private let server: SocketServer
    private let logger: Logger

    package init(settings: Settings, handler: any ControlHandler, logger: Logger) {
        self.settings = Mutex(settings)
        self.handler = handler
        self.logger = logger
        server = SocketServer(listener: settings.listener, settings: settings.connections, logger: logger)
    }

    /// Takes over other settings, for connections from now on; the listener stays.
    package func apply(_ settings: Settings) {
        self.settings.withLock { $0 = settings }
        server.apply(settings.connections)
    }

    /// Begins to listen; when it returns clients can connect.
    package func start() async throws(SocketError) {
        try await server.start { refusal in
            ControlReply.line(.failed(code: refusal.code, message: refusal.message), to: nil)
        } serve: { [self] connection in
            do {
                try await serve(connection)
            } catch {
                logger.debug("a control connection ended", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Stops listening; commands in hand are answered if they end soon.
    package func stop() async {
        await server.stop(grace: settings.withLock { $0.stopGrace })
    }

    private func serve(_ connection: SocketConnection) async throws {
        var splitter = LineSplitter(maximumLength: Self.maximumLength)
        // Counts to the next whole line, so that a byte now and then keeps nobody alive.
        var idle = idleTimer(connection)
        defer { idle.cancel() }
        do {
            for try await buffer in connection.input {
                splitter.append(buffer.readableBytesView)
                while let line = try splitter.next() {
                    idle.cancel()
                    try await answer(line, connection)
                    idle = idleTimer(connection)
                }
            }
            try await answer(splitter.remainder(), connection)
        } catch is LineSplitter.TooLong {
            let message = "a request may have \(Self.maximumLength) bytes at most"
            try await connection.write(ControlReply.line(.failed(code: "request_too_long", message: message), to: nil))
        }
    }

    private func answer(_ line: [UInt8], _ connection: SocketConnection) async throws {
        if line.isBlankLine { return }
        let reply: [UInt8]
        do throws(ControlFailure) {
            let request = try ControlRequest(line: line)
            let result = await handler.handle(request.command, peer: connection.peer)
            reply = ControlReply.line(result, to: request.requestID)
        } catch {
            reply = ControlReply.line(.failed(code: error.code, message: error.message), to: error.requestID)
        }
        try await connection.write(reply)
    }

    private func idleTimer(_ connection: SocketConnection) -> Scheduled<Void> {
        connection.channel.eventLoop.scheduleTask(in: TimeAmount(settings.withLock { $0.idleLimit })) {
            connection.close()
        }
    }
}

extension ControlServer.Settings {
    fileprivate var connections: SocketServer.Settings {
        .init(maximumConnections: maximumConnections, admits: admits, writeDeadline: writeDeadline)
    }
}
