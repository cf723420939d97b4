internal import Events

/// Puts a page together from lines in the order of their keys and finds what is missing between them.
struct PageBuilder {
    private let instances: JournalInstances
    private let filter: EventFilter
    private let maximumBytes: Int

    private var items: [ReplayPage.Item] = []
    private var bytes = 0
    /// The last line looked at, taken or not.
    private(set) var last: JournalKey?

    /// - Parameter start: the line behind which the page begins; `nil` begins with the oldest, before which nothing
    ///   is missed.
    init(start: JournalKey?, instances: JournalInstances, filter: EventFilter, maximumBytes: Int) {
        last = start
        self.instances = instances
        self.filter = filter
        self.maximumBytes = maximumBytes
    }

    /// Whether the page holds enough.
    var isFull: Bool { bytes >= maximumBytes }

    /// Tells the reader of something other than missing lines, such as a cursor that nobody knows.
    mutating func note(_ loss: LostLines) {
        items.append(.loss(loss))
    }

    /// Takes the next line, or passes over it.
    ///
    /// - Parameters:
    ///   - isOldest: whether nothing older is kept.
    ///   - event: makes the line; asked only when the filter admits it; `nil` when it cannot be read.
    mutating func take(
        _ key: JournalKey,
        type: String,
        source: String?,
        confidence: Double?,
        isOldest: Bool = false,
        event: () -> PublishedEvent?
    ) {
        tellMissing(before: key, isOldest ? .cursorExpired : .notInJournal)
        last = key
        guard filter.admits(type: type, source: source, confidence: confidence) else { return }
        guard let event = event() else {
            items.append(.loss(LostLines(.notInJournal, key.seq...key.seq)))
            return
        }
        items.append(.event(event))
        bytes += event.line.bytes.count
    }

    mutating func take(_ event: PublishedEvent, ordinal: Int) {
        take(
            JournalKey(ordinal: ordinal, seq: event.cursor.seq),
            type: event.type,
            source: event.source,
            confidence: event.confidence
        ) { event }
    }

    /// Tells the reader of what is missing up to the end of what it asked for.
    mutating func finish(through end: JournalKey) {
        guard let last, last < end else { return }
        tellMissing(before: JournalKey(ordinal: end.ordinal, seq: end.seq + 1), .notInJournal)
        self.last = end
    }

    private mutating func tellMissing(before key: JournalKey, _ reason: LostLines.Reason) {
        guard let last else { return }
        let count = instances.linesBetween(last, key)
        guard count > 0 else { return }
        if last.ordinal == key.ordinal {
            items.append(.loss(LostLines(reason, (last.seq + 1)...(key.seq - 1))))
        } else {
            items.append(.loss(LostLines(reason, count: count)))
        }
    }

    /// The page, to be read on from its last line.
    ///
    /// - Parameter ownInstance: the name of the running instance, whose ordinal may not be known.
    func page(isAtEnd: Bool, ownInstance: String) -> ReplayPage {
        let position = last.map { last in
            ReplayPosition.after(Cursor(instanceID: instances.id(of: last.ordinal) ?? ownInstance, seq: last.seq))
        }
        return ReplayPage(items: items, position: position ?? .oldest, isAtEnd: isAtEnd)
    }
}
