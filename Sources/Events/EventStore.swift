/// Keeps what was published and hands it out again.
package protocol EventStore: Sendable {
    /// Takes the next line of the running instance; never waits and never fails.
    func append(_ event: PublishedEvent)

    /// Reads lines in the order of publication, those just appended included.
    ///
    /// - Parameters:
    ///   - position: where to begin.
    ///   - end: the last place to read to; `nil` for all there is.
    ///   - filter: lines that it does not admit are passed over.
    ///   - maximumBytes: about how much to return; one line at least.
    func read(
        from position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) async -> ReplayPage
}

/// Where reading a store begins.
package enum ReplayPosition: Sendable, Hashable {
    /// With the oldest line there is.
    case oldest
    /// Behind the line of a cursor.
    case after(Cursor)
}

/// Some lines of a store, one after the other, and what is missing between them.
package struct ReplayPage: Sendable, Hashable {
    package var items: [Item]
    /// Where to read on.
    package var position: ReplayPosition
    /// Whether nothing more was there at that moment.
    package var isAtEnd: Bool

    package enum Item: Sendable, Hashable {
        case event(PublishedEvent)
        case loss(LostLines)
    }

    package init(items: [Item] = [], position: ReplayPosition, isAtEnd: Bool) {
        self.items = items
        self.position = position
        self.isAtEnd = isAtEnd
    }
}

/// Lines that a reader will not get: the content of a `gap` of delivery.
package struct LostLines: Sendable, Hashable {
    package let reason: Reason
    /// First `seq` that is missing; `nil` where lines of several instances are.
    package var fromSeq: Int?
    /// Last `seq` that is missing.
    package var toSeq: Int?
    /// How many; `nil` where nobody knows.
    package var count: Int?

    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The reader was too slow for its queue.
        case slowConsumer = "slow_consumer"
        /// What followed the cursor is older than what is kept.
        case cursorExpired = "cursor_expired"
        /// Nothing is known of the cursor's instance.
        case cursorUnknown = "cursor_unknown"
        /// Published, but not kept: the disk was full, say, or the lines were purged.
        case notInJournal = "not_in_journal"
        /// The journal cannot be read at present.
        case journalUnavailable = "journal_unavailable"
    }

    package init(_ reason: Reason, fromSeq: Int? = nil, toSeq: Int? = nil, count: Int? = nil) {
        self.reason = reason
        self.fromSeq = fromSeq
        self.toSeq = toSeq
        self.count = count
    }

    /// The lines `range` of one instance.
    package init(_ reason: Reason, _ range: ClosedRange<Int>) {
        self.init(reason, fromSeq: range.lowerBound, toSeq: range.upperBound, count: range.count)
    }

    package var gap: Gap { .delivery(reason: reason.rawValue, fromSeq: fromSeq, toSeq: toSeq, lost: count) }
}
