/// What every line carries besides the fields of its type.
///
/// A line that is meant for one connection (`hello`, `heartbeat`, replies, gaps of delivery) has no `seq` and no
/// `cursor`. A stable line (`EventFactory.stable`) has no `instance_id`, `cursor` and `published_at`.
package struct Envelope: Sendable, Hashable, Codable {
    /// The name and version of this contract.
    package static let currentSchema = "facellm.events/1"

    /// The contract that the line follows, always `"facellm.events/1"`.
    package let schema: String
    /// New at each start of a daemon or a run: 1–64 letters, digits, `-`, `_`; `"9f1c2ab34de05678"`.
    package let instanceID: String?
    /// Publication order within an instance, 1, 2, 3 … without holes; `42`.
    package let seq: Int?
    /// Opaque; a subscriber hands it back to resume after this line; `"9f1c2ab34de05678-42"`.
    package let cursor: String?
    /// When it happened, UTC; absent for files that say nothing of the day; `"2026-03-01T09:30:00.250Z"`.
    package let time: Timestamp?
    /// Where `time` comes from; present exactly when `time` is.
    package let timeSource: TimeSource?
    /// When the line was made, UTC; `"2026-03-01T09:30:00.310Z"`.
    package let publishedAt: Timestamp?
    /// Configured name of the stream or job, never a URL; absent where an error belongs to none; `"door"`.
    package let source: String?
    /// Grows by one when the timeline of the source breaks, from 0; `0`.
    package let epoch: Int?

    package enum CodingKeys: String, CodingKey {
        case schema
        case instanceID = "instance_id"
        case seq
        case cursor
        case time
        case timeSource = "time_source"
        case publishedAt = "published_at"
        case source
        case epoch
    }

    package init(
        instanceID: String? = nil,
        seq: Int? = nil,
        cursor: String? = nil,
        time: EventTime? = nil,
        publishedAt: Timestamp? = nil,
        source: String? = nil,
        epoch: Int? = nil
    ) {
        self.schema = Self.currentSchema
        self.instanceID = instanceID
        self.seq = seq
        self.cursor = cursor
        self.time = time?.timestamp
        self.timeSource = time?.source
        self.publishedAt = publishedAt
        self.source = source
        self.epoch = epoch
    }
}

/// Where the wall-clock time of an event comes from.
package enum TimeSource: String, Sendable, Hashable, Codable, CaseIterable {
    /// The camera's own clock, through the sender reports of RTCP.
    case rtcpSenderReport = "rtcp_sr"
    /// The moment at which the packet arrived here.
    case arrival
    /// A creation time that the container states.
    case container
    /// A start time given by the user, plus the media time.
    case offset
}

/// A wall-clock time together with its origin: neither is published without the other.
package struct EventTime: Sendable, Hashable {
    package let timestamp: Timestamp
    package let source: TimeSource

    package init(_ timestamp: Timestamp, source: TimeSource) {
        self.timestamp = timestamp
        self.source = source
    }
}
