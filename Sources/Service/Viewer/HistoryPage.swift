internal import Events

/// The newest lines of a stretch of time, bounded in number and bytes.
struct HistoryPage: Sendable {
    /// What the page keeps of an hour.
    private static let maximumLines = 3000
    private static let maximumBytes = 4 << 20
    /// One step of reading; in between, the journal does other things.
    private static let stepBytes = 262_144

    /// JSON lines.
    private(set) var text: [UInt8] = []
    /// The place behind the last line there was, admitted or not.
    private(set) var cursor: Cursor
    private(set) var isTruncated = false

    static func read(
        _ history: (any EventHistory)?,
        bus: EventBus,
        filter: EventFilter,
        seconds: Double
    ) async -> HistoryPage {
        // What is published from now on is the stream's to tell.
        let end = Cursor(instanceID: bus.instanceID, seq: bus.lastSeq)
        var page = HistoryPage(cursor: end)
        guard let history else { return page }
        let began = Timestamp(millisecondsSince1970: Timestamp.now().millisecondsSince1970 - Int64(seconds * 1000))
        var position = await history.position(before: began)
        var queue = EventQueue()
        while !Task.isCancelled {
            let step = await history.read(from: position, through: end, filter: filter, maximumBytes: stepBytes)
            for case .event(let event) in step.items {
                queue.append(event)
                while queue.count > maximumLines || queue.bytes > maximumBytes, queue.popFirst() != nil {
                    page.isTruncated = true
                }
            }
            if step.isAtEnd || step.position == position { break }
            position = step.position
        }
        page.text.reserveCapacity(queue.bytes)
        while let event = queue.popFirst() { page.text.append(contentsOf: event.line.bytes) }
        return page
    }

    private init(cursor: Cursor) { self.cursor = cursor }
}
