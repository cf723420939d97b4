internal import Events
internal import HummingbirdCore
internal import NIOCore
internal import Synchronization

/// One browser's stream of server-sent events.
///
/// ```
/// event: hello     the line of that name, first
/// event: viewer    {"pictures":"clear"}, second
/// id: CURSOR       a line of the journal, in `data`
/// event: gap       lines that this browser will not get, or why the stream ends; without id
/// event: status    how the daemon stands; also the sign of life
/// ```
/// Lines come from the same bus as those on the socket, with its bounds: what waits for a browser is bounded in bytes,
/// and one that takes nothing for a while is cut off.
final class ViewerStream: Sendable {
    /// A browser that takes nothing.
    struct Stalled: Error {}

    /// What one write sends at most, about.
    private static let batchBytes = 65_536

    private let subscription: Subscription
    private let settings: Viewer.Settings
    private let place: ViewerPlaces.Place
    private let clock = ContinuousClock()
    /// Since when writes are waiting for the browser, and how many.
    private let waiting = Mutex<(count: Int, since: ContinuousClock.Instant?)>((0, nil))

    init(_ subscription: Subscription, settings: Viewer.Settings, place: ViewerPlaces.Place) {
        self.subscription = subscription
        self.settings = settings
        self.place = place
    }

    /// Writes until the bus ends.
    ///
    /// - Throws: when the browser has gone or is too slow.
    func run(
        _ writer: inout any ResponseBodyWriter,
        hello: [UInt8],
        pictures: ViewerPictures,
        status: @escaping @Sendable () async -> String
    ) async throws {
        defer { subscription.cancel() }
        let outlet = Outlet(writer)
        var opening = Self.message("hello", hello)
        opening.writeImmutableBuffer(Self.message("viewer", Array("{\"pictures\":\"\(pictures.rawValue)\"}".utf8)))
        opening.writeImmutableBuffer(Self.message("status", Array(await status().utf8)))
        try await write(opening, to: outlet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                while let deliveries = await subscription.next(maximumBytes: Self.batchBytes) {
                    var buffer = ByteBuffer()
                    for delivery in deliveries { Self.write(delivery, into: &buffer) }
                    try await write(buffer, to: outlet)
                }
            }
            group.addTask { [self] in
                while true {
                    try await Task.sleep(for: settings.statusInterval)
                    try await write(Self.message("status", Array(await status().utf8)), to: outlet)
                }
            }
            group.addTask { [self] in
                while true {
                    try await Task.sleep(for: settings.writeDeadline / 4)
                    let since = waiting.withLock { $0.since }
                    if let since, clock.now - since > settings.writeDeadline { throw Stalled() }
                }
            }
            // The first to end is the end of lines, or a failure.
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    private func write(_ buffer: ByteBuffer, to outlet: Outlet) async throws {
        waiting.withLock { waiting in
            if waiting.count == 0 { waiting.since = clock.now }
            waiting.count += 1
        }
        defer {
            waiting.withLock { waiting in
                waiting.count -= 1
                // One that went through shows that the browser takes something.
                waiting.since = waiting.count == 0 ? nil : clock.now
            }
        }
        try await outlet.write(buffer)
    }

    // MARK: - Messages

    private static func write(_ delivery: Subscription.Delivery, into buffer: inout ByteBuffer) {
        if let cursor = delivery.cursor {
            buffer.writeString("id: \(cursor)\ndata: ")
        } else {
            buffer.writeString("event: gap\ndata: ")
        }
        // Ends with a line break, and has none inside.
        buffer.writeBytes(delivery.line.bytes)
        buffer.writeString("\n")
    }

    /// - Parameter data: one line, with or without its end.
    private static func message(_ name: String, _ data: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("event: \(name)\ndata: ")
        buffer.writeBytes(data.last == UInt8(ascii: "\n") ? data.dropLast() : data[...])
        buffer.writeString("\n\n")
        return buffer
    }
}

/// The writer of a response, for several tasks.
private final class Outlet: @unchecked Sendable {
    // Unchecked: a writer is a name for the connection's outbound side, which takes writes from any task, one after
    // the other; `write` changes nothing of the copy that is kept here.
    private let writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(_ buffer: ByteBuffer) async throws {
        var writer = writer
        try await writer.write(buffer)
    }
}
