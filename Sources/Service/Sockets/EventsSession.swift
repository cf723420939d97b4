import Events
import NIOCore
import Synchronization

/// One client of the events socket.
///
/// ```
/// reader     one request line, or none ──▶ replaces the subscription
/// writer     hello ▷ lines ▷ (reply ▷ lines) ▷ last error
/// heartbeat  between the writer's batches
/// ```
/// The session ends when the writer does: the client has gone or is too slow, the request was bad, or the bus ended.
final class EventsSession: Sendable {
    private enum Ending {
        case gone
        case failed(ErrorRecord)
    }

    private struct State {
        var subscription: Subscription?
        /// Asked for and not yet begun.
        var request: SubscribeRequest?
        var ending: Ending?
        /// Counts of the subscription before the present one.
        var before = (delivered: 0, lost: 0)
    }

    /// What one write sends at most, about.
    private static let batchBytes = 65_536

    private let connection: SocketConnection
    private let bus: EventBus
    private let lines: EventLines
    private let settings: EventsServer.Settings
    private let state = Mutex(State())

    init(_ connection: SocketConnection, bus: EventBus, lines: EventLines, settings: EventsServer.Settings) {
        self.connection = connection
        self.bus = bus
        self.lines = lines
        self.settings = settings
    }

    var subscriber: EventsServer.Subscriber {
        let (counters, before) = state.withLock { ($0.subscription?.counters, $0.before) }
        return EventsServer.Subscriber(
            id: connection.id,
            processID: connection.peer.processID,
            userID: connection.peer.userID,
            linesDelivered: before.delivered + (counters?.linesDelivered ?? 0),
            linesLost: before.lost + (counters?.linesLost ?? 0),
            queuedBytes: counters?.queuedBytes ?? 0
        )
    }

    func run(hello: @Sendable () async -> Hello, heartbeat: @escaping @Sendable () async -> Heartbeat) async {
        // What is published from now on is not missed while `hello` is written.
        begin(SubscribeRequest())
        connection.channel.closeFuture.whenComplete { [weak self] _ in self?.end(.gone) }
        let grace = Task { [settings] in _ = try? await Task.sleep(for: settings.requestGrace) }
        await withTaskGroup { group in
            group.addTask { [self] in
                // A client that asked, or that has nothing more to say, need not be waited for.
                await read { grace.cancel() }
                grace.cancel()
            }
            group.addTask { [self] in await beat(heartbeat) }
            do {
                try await connection.write(lines.hello(await hello()))
                await grace.value
                try await write()
            } catch {
                connection.close()
            }
            grace.cancel()
            group.cancelAll()
        }
        state.withLock { $0.subscription }?.cancel()
    }

    // MARK: - State

    private func begin(_ request: SubscribeRequest) {
        let subscription = bus.subscribe(request, maximumQueueBytes: settings.queueBytes)
        state.withLock { state in
            if let counters = state.subscription?.counters {
                state.before.delivered += counters.linesDelivered
                state.before.lost += counters.linesLost
            }
            state.subscription = subscription
            // The connection may have ended in between.
            if state.ending != nil { subscription.cancel() }
        }
    }

    private func end(_ ending: Ending) {
        let subscription = state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.subscription
        }
        subscription?.cancel()
    }

    private func ask(_ request: SubscribeRequest) {
        let subscription = state.withLock { state in
            state.request = request
            return state.subscription
        }
        subscription?.cancel()
    }

    // MARK: - Writer

    private func write() async throws {
        while true {
            while let subscription = state.withLock({ $0.request == nil ? $0.subscription : nil }),
                let deliveries = await subscription.next(maximumBytes: Self.batchBytes)
            {
                var buffer = ByteBuffer()
                for delivery in deliveries { buffer.writeBytes(delivery.line.bytes) }
                try await connection.write(buffer)
            }
            let (request, ending) = state.withLock { state in
                defer { state.request = nil }
                return (state.request, state.ending)
            }
            switch ending {
            case .gone: return
            case .failed(let record): return try await connection.write(lines.error(record))
            case nil: break
            }
            guard let request else { return }
            begin(request)
            if let requestID = request.requestID { try await connection.write(lines.reply(to: requestID)) }
        }
    }

    private func beat(_ heartbeat: @Sendable () async -> Heartbeat) async {
        while (try? await Task.sleep(for: settings.heartbeatInterval)) != nil {
            guard (try? await connection.write(lines.heartbeat(await heartbeat()))) != nil else { return }
        }
    }

    // MARK: - Reader

    /// Reads until the client closes its side or sends what it should not.
    private func read(whenAsked: () -> Void) async {
        var splitter = LineSplitter(maximumLength: SubscribeRequest.maximumLength)
        var isAsked = false
        do {
            for try await buffer in connection.input {
                splitter.append(buffer.readableBytesView)
                while let line = try splitter.next() {
                    guard take(line, isFirst: !isAsked) else { return }
                    if !line.isBlankLine {
                        isAsked = true
                        whenAsked()
                    }
                }
            }
            _ = take(splitter.remainder(), isFirst: !isAsked)
        } catch is LineSplitter.TooLong {
            fail("request_too_long", "a request may have \(SubscribeRequest.maximumLength) bytes at most")
        } catch {
            end(.gone)
        }
    }

    /// - Returns: whether to read on.
    private func take(_ line: [UInt8], isFirst: Bool) -> Bool {
        if line.isBlankLine { return true }
        guard isFirst else {
            fail("unexpected_request", "one request is all that this socket takes; connect again for another")
            return false
        }
        do throws(RequestError) {
            ask(try SubscribeRequest(line: line))
            return true
        } catch {
            end(.failed(error.record))
            return false
        }
    }

    private func fail(_ code: String, _ message: String) {
        end(.failed(ErrorRecord(code: code, message: message, retryable: false)))
    }
}
