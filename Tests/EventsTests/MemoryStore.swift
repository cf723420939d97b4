import Events
import Synchronization
import TestSupport

/// A store in memory that forgets on command, for tests of what reads from one.
///
/// With a seed it ends pages wherever it likes.
final class MemoryStore: EventStore {
    private struct State {
        var events: [PublishedEvent] = []
        var random: SeededGenerator?
    }

    private let state: Mutex<State>

    init(seed: UInt64? = nil) {
        state = Mutex(State(random: seed.map { SeededGenerator(seed: $0) }))
    }

    func append(_ event: PublishedEvent) {
        state.withLock { $0.events.append(event) }
    }

    /// Forgets lines by their `seq`.
    func forget(_ isForgotten: (Int) -> Bool) {
        state.withLock { $0.events.removeAll { isForgotten($0.cursor.seq) } }
    }

    func read(
        from position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) async -> ReplayPage {
        state.withLock { state in
            var page = ReplayPage(position: position, isAtEnd: true)
            var last: Int? = if case .after(let cursor) = position { cursor.seq } else { nil }
            let limit = state.random == nil ? Int.max : Int.random(in: 0..<6, using: &state.random!)
            for event in state.events where event.cursor.seq > last ?? 0 && event.cursor.seq <= end?.seq ?? .max {
                if page.items.count >= limit {
                    page.isAtEnd = false
                    break
                }
                let seq = event.cursor.seq
                if let last, last + 1 < seq {
                    page.items.append(.loss(LostLines(.notInJournal, (last + 1)...(seq - 1))))
                }
                if filter.admits(event) { page.items.append(.event(event)) }
                page.position = .after(event.cursor)
                last = seq
            }
            return page
        }
    }
}

/// What a subscriber can check: each line once, in order, and the rest in gaps.
struct Tally {
    private(set) var seqs: [Int] = []
    private(set) var gaps: [Gap] = []
    private(set) var errors: [ErrorRecord] = []
    private(set) var cursor: Cursor?

    var lost: Int { gaps.reduce(0) { $0 + ($1.lost ?? 0) } }

    mutating func take(_ deliveries: [Subscription.Delivery]) throws {
        for delivery in deliveries {
            let event = try EventDecoder().event(delivery.line.bytes)
            if let cursor = delivery.cursor {
                seqs.append(cursor.seq)
                self.cursor = cursor
            } else if case .gap(let gap) = event.payload {
                gaps.append(gap)
            } else if case .error(let record) = event.payload {
                errors.append(record)
            }
        }
    }

    /// Forgets what was told behind the last line, as whoever resumes from that line is told it again.
    mutating func resume() {
        gaps.removeAll { ($0.fromSeq ?? 0) > cursor?.seq ?? 0 }
    }

    /// The lines and those of the gaps, put together; every number must be there once.
    func covers(_ range: ClosedRange<Int>) -> Bool {
        let told = gaps.flatMap { gap in
            guard let from = gap.fromSeq, let to = gap.toSeq, from <= to, gap.lost == to - from + 1 else {
                return [Int]()
            }
            return Array(from...to)
        }
        return seqs == seqs.sorted() && (seqs + told).sorted() == Array(range)
    }
}
