import Synchronization

/// Numbers what the sources publish, keeps it in a store and fans it out to subscribers.
///
/// There is one order for all: a line gets its `seq`, goes to the store and into every subscriber's queue under one
/// lock. Nothing of that waits for a disk or a reader. Each line is encoded once.
package final class EventBus: Sendable {
    /// Bytes that may wait for one subscriber unless it is told otherwise: 4 MiB.
    package static let defaultQueueBytes = 4 << 20

    /// Name of this start of the daemon.
    package let instanceID: String

    private struct State {
        var factory: EventFactory
        var mailboxes: [Int: Mailbox] = [:]
        var nextID = 0
        var isFinished = false
    }

    private let state: Mutex<State>
    private let store: (any EventStore)?
    private let encoder = EventEncoder()
    /// Makes what only one connection gets; it numbers nothing.
    private let notices: EventFactory

    /// - Parameters:
    ///   - instanceID: the same as the store's.
    ///   - store: where lines are kept; without one, whoever resumes is told what it missed.
    ///   - now: the clock for `published_at`.
    package init(
        instanceID: String = EventFactory.randomInstanceID(),
        store: (any EventStore)? = nil,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.instanceID = instanceID
        self.store = store
        let factory = EventFactory(instanceID: instanceID, source: nil, now: now)
        notices = factory
        state = Mutex(State(factory: factory))
    }

    /// The number of the newest line, 0 before the first.
    package var lastSeq: Int { state.withLock { $0.factory.lastSeq } }

    /// How many subscribers there are.
    package var subscriberCount: Int { state.withLock { $0.mailboxes.count } }

    // MARK: - Publishing

    /// Publishes a line.
    ///
    /// - Parameters:
    ///   - source: name of the stream or job; `nil` only for an error that belongs to none.
    ///   - epoch: of the source's timeline.
    ///   - time: when it happened, where that is known.
    /// - Throws: `EventError` when the line cannot be encoded; no number is used up then.
    @discardableResult
    package func publish(
        _ payload: Event.Payload,
        source: String?,
        epoch: Int = 0,
        time: EventTime? = nil
    ) throws(EventError) -> Cursor {
        try state.withLock { (state) throws(EventError) in
            var factory = state.factory
            let event = factory.make(payload, epoch: epoch, time: time, source: source)
            let line = try encoder.line(event)
            guard let published = PublishedEvent(event, line: line) else {
                throw EventError(operation: .encode, kind: .malformed, detail: "\(event.type): no number or instance")
            }
            state.factory = factory
            store?.append(published)
            for mailbox in state.mailboxes.values {
                mailbox.publish(published)
            }
            return published.cursor
        }
    }

    /// The side of the bus that one source sees.
    package func publisher(source: String) -> EventPublisher {
        EventPublisher(bus: self, source: source)
    }

    // MARK: - Subscribing

    /// Adds a subscriber.
    ///
    /// - Parameter maximumQueueBytes: what may wait for it, bytes.
    package func subscribe(
        _ request: SubscribeRequest = SubscribeRequest(),
        maximumQueueBytes: Int = defaultQueueBytes
    ) -> Subscription {
        let mailbox = state.withLock { add(request, maximumQueueBytes, &$0) }
        return Subscription(bus: self, mailbox: mailbox)
    }

    /// Ends a subscription behind the lines that wait for it, and begins another one with the line after them.
    package func exchange(
        _ former: Subscription,
        for request: SubscribeRequest,
        maximumQueueBytes: Int = defaultQueueBytes
    ) -> Subscription {
        let (old, new) = state.withLock { state in
            (state.mailboxes.removeValue(forKey: former.id), add(request, maximumQueueBytes, &state))
        }
        old?.finish(nil)
        return Subscription(bus: self, mailbox: new)
    }

    private func add(_ request: SubscribeRequest, _ maximumQueueBytes: Int, _ state: inout State) -> Mailbox {
        let mailbox = Mailbox(
            id: state.nextID,
            request: request,
            instanceID: instanceID,
            maximumQueueBytes: maximumQueueBytes
        )
        state.nextID += 1
        if state.isFinished {
            mailbox.finish(nil)
        } else {
            state.mailboxes[mailbox.id] = mailbox
        }
        return mailbox
    }

    /// Ends all subscriptions behind what was published; to be called after the last line.
    ///
    /// - Parameter error: what subscribers are told at last, if anything.
    package func finish(with error: ErrorRecord? = nil) {
        let mailboxes = state.withLock { state in
            state.isFinished = true
            let mailboxes = state.mailboxes
            state.mailboxes = [:]
            return mailboxes
        }
        for mailbox in mailboxes.values {
            mailbox.finish(error)
        }
    }

    func join(_ mailbox: Mailbox) {
        state.withLock { mailbox.join(lastSeq: $0.factory.lastSeq) }
    }

    func remove(_ mailbox: Mailbox) {
        _ = state.withLock { $0.mailboxes.removeValue(forKey: mailbox.id) }
    }

    func read(
        _ position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) async -> ReplayPage {
        if let store {
            return await store.read(from: position, through: end, filter: filter, maximumBytes: maximumBytes)
        }
        if case .after(let cursor) = position, cursor.instanceID != instanceID {
            return ReplayPage(items: [.loss(LostLines(.cursorUnknown))], position: .oldest, isAtEnd: true)
        }
        return ReplayPage(position: position, isAtEnd: true)
    }

    /// A line for one connection; `nil` only for an error whose message does not fit into a line.
    func notice(_ payload: Event.Payload) -> EventLine? {
        try? encoder.line(notices.makeUnnumbered(payload))
    }
}

/// The side of the bus that one source sees.
package struct EventPublisher: Sendable {
    package let bus: EventBus
    /// Configured name of the stream or job.
    package let source: String

    /// Publishes a line of this source; see `EventBus.publish(_:source:epoch:time:)`.
    @discardableResult
    package func publish(
        _ payload: Event.Payload,
        epoch: Int = 0,
        time: EventTime? = nil
    ) throws(EventError) -> Cursor {
        try bus.publish(payload, source: source, epoch: epoch, time: time)
    }
}
