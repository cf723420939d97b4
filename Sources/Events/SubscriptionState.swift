/// Decides what one subscriber gets next: lines from the store until it has caught up, then live ones from its queue.
///
/// ```
/// replaying ──join──▶ joining(through: n) ──end of page──▶ live ──close──▶ ended
///   store only          store up to seq n, queue from n+1    queue only
/// ```
/// `join` and `publish` are called in the bus's order, so no line falls between the store and the queue and none is
/// in both. What the store cannot deliver, and what the queue had to drop, becomes a loss with the exact number.
struct SubscriptionState {
    /// What to do next for the reader.
    enum Step: Hashable {
        case deliver([Item])
        case read(ReplayPosition, through: Cursor?)
        case wait
        case end
    }

    /// What a reader gets.
    enum Item: Hashable {
        case event(PublishedEvent)
        case loss(LostLines)
        case error(ErrorRecord)
    }

    private enum Phase {
        case replaying(ReplayPosition)
        case joining(ReplayPosition, through: Int)
        case live
        case ended
    }

    /// Lines that were handed to the reader.
    private(set) var linesDelivered = 0
    /// Lines that the reader was told it will not get, as far as their number is known.
    private(set) var linesLost = 0

    private let instanceID: String
    private let filter: EventFilter
    private let policy: SubscribeRequest.OverflowPolicy
    private let maximumQueueBytes: Int

    private var phase: Phase
    private var queue = EventQueue()
    /// Lines dropped from the head of the queue, not yet told.
    private var dropped: LostLines?
    /// Told before anything else.
    private var openingLoss: LostLines?
    private var isFinished = false
    private var finalError: ErrorRecord?

    /// - Parameters:
    ///   - instanceID: of the running daemon.
    ///   - maximumQueueBytes: what waits for the reader; a limit below one line loses every line.
    init(request: SubscribeRequest, instanceID: String, maximumQueueBytes: Int) {
        self.instanceID = instanceID
        filter = request.filter
        policy = request.onOverflow
        self.maximumQueueBytes = maximumQueueBytes
        switch request.start {
        case .now: phase = .live
        case .oldest: phase = .replaying(.oldest)
        case .after(let cursor): phase = .replaying(.after(cursor))
        case .unknownCursor:
            phase = .replaying(.oldest)
            openingLoss = LostLines(.cursorUnknown)
        }
    }

    /// Bytes that wait for the reader.
    var queuedBytes: Int { queue.bytes }

    /// Whether the reader has nothing to do before the next event.
    var isIdle: Bool {
        guard case .live = phase else { return false }
        return queue.isEmpty && dropped == nil && !isFinished
    }

    // MARK: - From the bus

    /// Takes the next line of the instance.
    mutating func publish(_ event: PublishedEvent) {
        switch phase {
        case .replaying, .ended: return
        case .joining, .live: break
        }
        guard !isFinished, filter.admits(event) else { return }
        queue.append(event)
        guard queue.bytes > maximumQueueBytes else { return }
        switch policy {
        case .dropOldest: dropOldest()
        case .disconnect: disconnect()
        }
    }

    /// Begins to queue what is published after `lastSeq`; the store is still read up to it.
    mutating func join(lastSeq: Int) {
        guard case .replaying(let position) = phase else { return }
        phase = .joining(position, through: lastSeq)
    }

    /// Nothing more will be published; the reader gets what waits for it, then `error` if there is one, then the end.
    mutating func finish(_ error: ErrorRecord?) {
        guard !isFinished else { return }
        isFinished = true
        finalError = error
    }

    /// The reader has gone.
    mutating func close() {
        phase = .ended
        queue.removeAll()
    }

    private mutating func dropOldest() {
        while queue.bytes > maximumQueueBytes, let event = queue.popFirst() {
            let seq = event.cursor.seq
            dropped = LostLines(
                .slowConsumer,
                fromSeq: dropped?.fromSeq ?? seq,
                toSeq: seq,
                count: (dropped?.count ?? 0) + 1
            )
        }
    }

    private mutating func disconnect() {
        let waiting = queue.count
        queue.removeAll()
        phase = .live
        finish(
            ErrorRecord(
                code: LostLines.Reason.slowConsumer.rawValue,
                message: "the reader was too slow: \(waiting) lines were waiting for it",
                retryable: true
            )
        )
    }

    // MARK: - From the reader

    /// What to do next; lines that it hands out count as delivered.
    ///
    /// - Parameter maximumBytes: about how much to hand out at once; one line at least.
    mutating func next(maximumBytes: Int) -> Step {
        if let loss = openingLoss {
            openingLoss = nil
            return .deliver([counted(.loss(loss))])
        }
        switch phase {
        case .replaying(let position): return .read(position, through: nil)
        case .joining(let position, let end):
            return .read(position, through: Cursor(instanceID: instanceID, seq: end))
        case .live: return nextLive(maximumBytes: maximumBytes)
        case .ended: return .end
        }
    }

    /// Takes what the store had.
    ///
    /// - Returns: what the reader gets, and whether `join` is due.
    mutating func didRead(_ page: ReplayPage) -> (items: [Item], joins: Bool) {
        var items = page.items.map { item in
            switch item {
            case .event(let event): Item.event(event)
            case .loss(let loss): Item.loss(loss)
            }
        }
        var joins = false
        switch phase {
        case .replaying:
            phase = .replaying(page.position)
            joins = page.isAtEnd
        case .joining(_, let end):
            if page.isAtEnd {
                phase = .live
                if let loss = missing(behind: page.position, through: end) { items.append(.loss(loss)) }
            } else {
                phase = .joining(page.position, through: end)
            }
        case .live, .ended: return ([], false)  // it was disconnected meanwhile
        }
        return (items.map { counted($0) }, joins)
    }

    /// The lines of this instance up to `end` that the store did not have.
    private func missing(behind position: ReplayPosition, through end: Int) -> LostLines? {
        guard case .after(let cursor) = position else { return nil }
        let first = cursor.instanceID == instanceID ? cursor.seq + 1 : 1
        return first <= end ? LostLines(.notInJournal, first...end) : nil
    }

    private mutating func nextLive(maximumBytes: Int) -> Step {
        var items: [Item] = []
        if let loss = dropped {
            dropped = nil
            items.append(counted(.loss(loss)))
        }
        var bytes = 0
        while bytes < maximumBytes, let event = queue.popFirst() {
            bytes += event.line.bytes.count
            items.append(counted(.event(event)))
        }
        if !items.isEmpty { return .deliver(items) }
        guard isFinished else { return .wait }
        phase = .ended
        return finalError.map { .deliver([.error($0)]) } ?? .end
    }

    private mutating func counted(_ item: Item) -> Item {
        switch item {
        case .event: linesDelivered += 1
        case .loss(let loss): linesLost += loss.count ?? 0
        case .error: break
        }
        return item
    }
}
