/// A line together with what filters, queues and journals need to know of it.
///
/// The line is encoded once and its bytes are shared by all who receive it.
package struct PublishedEvent: Sendable, Hashable {
    /// The place behind this line.
    package let cursor: Cursor
    /// The name of its type; `"track.started"`.
    package let type: String
    /// The stream or job it is about; `nil` for an error that belongs to none.
    package let source: String?
    /// Of the source's timeline.
    package let epoch: Int
    /// When the line was made.
    package let publishedAt: Timestamp
    /// How sure the detector is of the face that the line is about, 0–1; `nil` where there is none.
    package let confidence: Double?
    /// The line itself.
    package let line: EventLine

    package init(
        cursor: Cursor,
        type: String,
        source: String?,
        epoch: Int,
        publishedAt: Timestamp,
        confidence: Double?,
        line: EventLine
    ) {
        self.cursor = cursor
        self.type = type
        self.source = source
        self.epoch = epoch
        self.publishedAt = publishedAt
        self.confidence = confidence
        self.line = line
    }

    /// Takes the facts from an event; `nil` when it has no number or is a stable one, which no subscriber gets.
    init?(_ event: Event, line: EventLine) {
        let envelope = event.envelope
        guard let instanceID = envelope.instanceID, let seq = envelope.seq, let publishedAt = envelope.publishedAt
        else {
            return nil
        }
        self.init(
            cursor: Cursor(instanceID: instanceID, seq: seq),
            type: event.type,
            source: envelope.source,
            epoch: envelope.epoch ?? 0,
            publishedAt: publishedAt,
            confidence: event.payload.face?.detectionConfidence,
            line: line
        )
    }

    /// What the line takes of a queue's bound, bytes: its text and the least that the facts need.
    var cost: Int { line.bytes.count + 128 }
}

extension Event.Payload {
    /// The face that the line is about.
    fileprivate var face: FaceRecord? {
        switch self {
        case .trackStarted(let fields), .trackUpdated(let fields): fields.face
        case .faceAnalysis(let fields): fields.face
        case .faceObservation(let fields): fields.face
        case .sourceStatus, .trackEnded, .gap, .runSummary, .error, .unknown: nil
        }
    }
}

/// Lines in the order of publication with the bytes that they take.
package struct EventQueue: Sendable {
    /// Bytes held, with an allowance for each line's facts.
    package private(set) var bytes = 0

    private var events: [PublishedEvent?] = []
    private var head = 0

    package init() {}

    package var count: Int { events.count - head }
    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ event: PublishedEvent) {
        events.append(event)
        bytes += event.cost
    }

    /// Takes the oldest line.
    ///
    /// - Complexity: amortised O(1).
    package mutating func popFirst() -> PublishedEvent? {
        guard head < events.count, let event = events[head] else { return nil }
        // The slot is emptied at once: the line's bytes must not wait for the array to be compacted.
        events[head] = nil
        head += 1
        bytes -= event.cost
        if head == events.count {
            events.removeAll(keepingCapacity: events.capacity <= 1024)
            head = 0
        } else if head >= 64, head * 2 >= events.count {
            events.removeFirst(head)
            head = 0
        }
        return event
    }

    /// Takes away the lines up to and including `seq`.
    package mutating func removeThrough(seq: Int) {
        while head < events.count, let event = events[head], event.cursor.seq <= seq {
            _ = popFirst()
        }
    }

    /// The oldest lines, `count` at most.
    package func prefix(_ count: Int) -> [PublishedEvent] {
        events[head..<min(head + max(0, count), events.count)].compactMap(\.self)
    }

    package mutating func removeAll() {
        self = EventQueue()
    }
}
