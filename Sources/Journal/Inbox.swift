internal import Events
internal import Synchronization

/// Lines that wait for their transaction; bounded, so a disk that takes none costs lines and not memory.
final class Inbox: Sendable {
    /// When the journal is to look.
    enum Call: Hashable {
        case soon
        case now
    }

    private struct State {
        var queue = EventQueue()
        var lastSeq = 0
        var linesLost = 0
        var called: Call?
        /// The last line of the batch that is being committed, and how many of it have been let go of meanwhile.
        var batchEnd = 0
        var linesLetGoOfBatch = 0
    }

    private let state = Mutex(State())
    private let maximumBytes: Int
    private let batchLines: Int

    init(maximumBytes: Int, batchLines: Int) {
        self.maximumBytes = maximumBytes
        self.batchLines = batchLines
    }

    /// Takes a line; past the bound the oldest goes.
    ///
    /// - Returns: whether the journal must be called, and how urgently; `nil` when it has been.
    func append(_ event: PublishedEvent) -> Call? {
        state.withLock { state in
            state.queue.append(event)
            state.lastSeq = event.cursor.seq
            while state.queue.bytes > maximumBytes, let oldest = state.queue.popFirst() {
                if oldest.cursor.seq <= state.batchEnd {
                    state.linesLetGoOfBatch += 1
                } else {
                    state.linesLost += 1
                }
            }
            let call: Call = state.queue.count >= batchLines ? .now : .soon
            guard state.called == nil || state.called == .soon && call == .now else { return nil }
            state.called = call
            return call
        }
    }

    /// Says that the journal is looking.
    func answer() {
        state.withLock { $0.called = nil }
    }

    /// The oldest lines, which stay until `finishBatch(isKept:)`, and the newest number that was ever appended.
    func batch() -> (events: [PublishedEvent], lastSeq: Int) {
        state.withLock { state in
            let events = state.queue.prefix(batchLines)
            state.batchEnd = events.last?.cursor.seq ?? 0
            return (events, state.lastSeq)
        }
    }

    /// Says what became of the batch.
    func finishBatch(isKept: Bool) {
        state.withLock { state in
            if isKept {
                state.queue.removeThrough(seq: state.batchEnd)
            } else {
                state.linesLost += state.linesLetGoOfBatch
            }
            state.batchEnd = 0
            state.linesLetGoOfBatch = 0
        }
    }

    /// All that waits.
    func pending() -> [PublishedEvent] {
        state.withLock { $0.queue.prefix($0.queue.count) }
    }

    var counts: (pending: Int, lost: Int) {
        state.withLock { ($0.queue.count, $0.linesLost) }
    }
}
