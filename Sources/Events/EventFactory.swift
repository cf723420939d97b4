/// Numbers events in the order of publication and puts their envelopes around them.
///
/// One factory belongs to one instance, that is one start of a daemon or one run, whatever the number of sources:
/// `seq` has no holes within an instance. Make an event only to publish it, and publish in the order of making.
///
/// Stable events leave out what differs between two runs over the same file: `instance_id`, `cursor`,
/// `published_at`, durations, and `time` where it is the time of arrival. Track ids are ordinals and stay.
package struct EventFactory: Sendable {
    /// Name of this start; part of every envelope unless `stable`.
    package let instanceID: String
    /// The source of events for which none is named.
    package let source: String?
    /// Whether what differs between two runs is left out.
    package let stable: Bool
    /// The number of the last event, 0 before the first.
    package private(set) var lastSeq = 0

    private let now: @Sendable () -> Timestamp

    /// Begins the numbering of an instance.
    ///
    /// - Parameters:
    ///   - instanceID: 1–64 letters, digits, `-` and `_`; random by default.
    ///   - source: configured name of the stream or job, never a URL.
    ///   - stable: whether to leave out what differs between two runs.
    ///   - now: the clock for `published_at`.
    package init(
        instanceID: String = EventFactory.randomInstanceID(),
        source: String?,
        stable: Bool = false,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.instanceID = instanceID
        self.source = source
        self.stable = stable
        self.now = now
    }

    /// Makes the next event.
    ///
    /// - Parameters:
    ///   - payload: its fields; the ledger of a `run.summary` gets `events_published` from here.
    ///   - epoch: of the source's timeline.
    ///   - time: when it happened, where that is known.
    ///   - source: another source than that of the factory.
    package mutating func make(
        _ payload: Event.Payload,
        epoch: Int = 0,
        time: EventTime? = nil,
        source: String? = nil
    ) -> Event {
        lastSeq += 1
        let envelope = Envelope(
            instanceID: stable ? nil : instanceID,
            seq: lastSeq,
            cursor: stable ? nil : "\(instanceID)-\(lastSeq)",
            time: stable && time?.source == .arrival ? nil : time,
            publishedAt: stable ? nil : now(),
            source: source ?? self.source,
            epoch: epoch
        )
        return Event(envelope: envelope, payload: finished(payload))
    }

    /// Makes an event for one connection, which has no number and is not part of a journal.
    ///
    /// - Precondition: a gap of delivery or an error; other types belong to the journal.
    package func makeUnnumbered(_ payload: Event.Payload, source: String? = nil) -> Event {
        switch payload {
        case .gap(let gap) where gap.scope == .delivery: break
        case .error: break
        default: preconditionFailure("\(payload.type) without seq: only gaps of delivery and errors may go unnumbered")
        }
        let envelope = Envelope(
            instanceID: stable ? nil : instanceID,
            publishedAt: stable ? nil : now(),
            source: source ?? self.source
        )
        return Event(envelope: envelope, payload: payload)
    }

    private func finished(_ payload: Event.Payload) -> Event.Payload {
        switch payload {
        case .runSummary(let fields):
            let numbered = fields.published(as: lastSeq)
            return .runSummary(stable ? numbered.withoutDurations() : numbered)
        case .trackStarted(let fields) where stable: return .trackStarted(fields.withoutDurations())
        case .trackUpdated(let fields) where stable: return .trackUpdated(fields.withoutDurations())
        case .faceAnalysis(let fields) where stable: return .faceAnalysis(fields.withoutDurations())
        default: return payload
        }
    }

    /// Sixteen random hexadecimal digits; `"9f1c2ab34de05678"`.
    package static func randomInstanceID() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
