import Synchronization

/// One subscriber's view of the bus; letting go of it ends it.
///
/// It has one reader at a time.
package final class Subscription: Sendable {
    /// A line for the subscriber.
    package struct Delivery: Sendable, Hashable {
        package let line: EventLine
        /// The place behind it; `nil` for a gap of delivery or an error, which only this subscriber gets.
        package let cursor: Cursor?
    }

    /// What became of the lines so far.
    package struct Counters: Sendable, Hashable {
        package let linesDelivered: Int
        package let linesLost: Int
        /// Bytes that wait for the reader.
        package let queuedBytes: Int
    }

    private let bus: EventBus
    private let mailbox: Mailbox

    init(bus: EventBus, mailbox: Mailbox) {
        self.bus = bus
        self.mailbox = mailbox
    }

    deinit { cancel() }

    var id: Int { mailbox.id }

    package var counters: Counters { mailbox.counters }

    /// Waits for the next lines.
    ///
    /// - Parameter maximumBytes: about how much to return at once; one line at least.
    /// - Returns: lines; `nil` at the end and when the task is cancelled.
    package func next(maximumBytes: Int = 65_536) async -> [Delivery]? {
        while !Task.isCancelled {
            switch mailbox.next(maximumBytes: maximumBytes) {
            case .deliver(let items): return items.compactMap(delivery)
            case .read(let position, let end):
                let page = await bus.read(position, through: end, filter: mailbox.filter, maximumBytes: maximumBytes)
                let (items, joins) = mailbox.didRead(page)
                if joins { bus.join(mailbox) }
                if !items.isEmpty { return items.compactMap(delivery) }
            case .wait: await mailbox.wait()
            case .end: return nil
            }
        }
        return nil
    }

    /// Ends it: lines that wait are let go of, and `next` returns `nil`.
    package func cancel() {
        bus.remove(mailbox)
        mailbox.close()
    }

    /// Ends it behind the lines that wait, with a last error if there is one.
    package func finish(with error: ErrorRecord? = nil) {
        bus.remove(mailbox)
        mailbox.finish(error)
    }

    private func delivery(_ item: SubscriptionState.Item) -> Delivery? {
        switch item {
        case .event(let event): Delivery(line: event.line, cursor: event.cursor)
        case .loss(let loss): notice(.gap(loss.gap))
        case .error(let record): notice(.error(record))
        }
    }

    private func notice(_ payload: Event.Payload) -> Delivery? {
        bus.notice(payload).map { Delivery(line: $0, cursor: nil) }
    }
}

/// The state of a subscription behind a lock, shared by the bus and the reader.
final class Mailbox: Sendable {
    let id: Int
    let filter: EventFilter

    private struct Content {
        var state: SubscriptionState
        var reader: CheckedContinuation<Void, Never>?
    }

    private let content: Mutex<Content>

    init(id: Int, request: SubscribeRequest, instanceID: String, maximumQueueBytes: Int) {
        self.id = id
        filter = request.filter
        let state = SubscriptionState(
            request: request,
            instanceID: instanceID,
            maximumQueueBytes: maximumQueueBytes
        )
        content = Mutex(Content(state: state))
    }

    var counters: Subscription.Counters {
        content.withLock { content in
            Subscription.Counters(
                linesDelivered: content.state.linesDelivered,
                linesLost: content.state.linesLost,
                queuedBytes: content.state.queuedBytes
            )
        }
    }

    func next(maximumBytes: Int) -> SubscriptionState.Step {
        content.withLock { $0.state.next(maximumBytes: maximumBytes) }
    }

    func didRead(_ page: ReplayPage) -> (items: [SubscriptionState.Item], joins: Bool) {
        content.withLock { $0.state.didRead(page) }
    }

    func join(lastSeq: Int) { change { $0.join(lastSeq: lastSeq) } }
    func publish(_ event: PublishedEvent) { change { $0.publish(event) } }
    func finish(_ error: ErrorRecord?) { change { $0.finish(error) } }
    func close() { change { $0.close() } }

    /// Returns when there may be something to do, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = content.withLock { content in
                    precondition(content.reader == nil, "two readers of one subscription")
                    guard content.state.isIdle else { return false }
                    content.reader = continuation
                    return true
                }
                if !waits {
                    continuation.resume()
                } else if Task.isCancelled {
                    // The handler may have run before there was anybody to wake.
                    wake()
                }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        let reader = content.withLock { content in
            let reader = content.reader
            content.reader = nil
            return reader
        }
        reader?.resume()
    }

    /// Changes the state and wakes the reader if that gave it something to do.
    private func change(_ body: (inout SubscriptionState) -> Void) {
        let reader = content.withLock { content -> CheckedContinuation<Void, Never>? in
            body(&content.state)
            guard !content.state.isIdle else { return nil }
            let reader = content.reader
            content.reader = nil
            return reader
        }
        reader?.resume()
    }
}
