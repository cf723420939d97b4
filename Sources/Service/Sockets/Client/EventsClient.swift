package import Events

/// Reads the daemon's events for ever: connects again when the connection ends, and goes on behind the last line.
package struct EventsClient: Sendable {
    /// What is asked for.
    package struct Wish: Sendable, Hashable {
        /// `"now"`, `"oldest"` or a cursor.
        package var since = "now"
        package var types: [String]?
        package var sources: [String]?
        /// 0–1.
        package var minimumConfidence: Double?

        package init() {}
    }

    /// What a reader is told, in order.
    package enum Update: Sendable {
        case connected(Hello)
        /// A line of the journal, or a gap or an error of this connection, without its `\n`.
        case line([UInt8])
        /// The connection is lost; the next attempt comes after `pause`.
        case disconnected(SocketError, pause: Duration)
    }

    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    package let path: String
    package let wish: Wish
    /// Whether the very first connection may fail, too, without that being an error.
    package let waitsForDaemon: Bool

    package init(path: String, wish: Wish = Wish(), waitsForDaemon: Bool = false) {
        self.path = path
        self.wish = wish
        self.waitsForDaemon = waitsForDaemon
    }

    /// Runs until the task is cancelled or `body` throws.
    ///
    /// - Throws: what `body` throws; `SocketError` when the first connection fails or the daemon refuses for good;
    ///   `CancellationError`.
    package func run(_ body: (Update) async throws -> Void) async throws {
        var place = Place(since: wish.since)
        var pause = Self.firstPause
        while true {
            try Task.checkCancellation()
            do {
                try await follow(&place, body)
            } catch let error as SocketError {
                try Task.checkCancellation()
                let isPatient = place.wasConnected || waitsForDaemon
                // A daemon that restarts, or whose folder is being made, is away for a moment only.
                guard error.isRetryable && isPatient else { throw error }
                if place.isFresh { pause = Self.firstPause }
                place.isFresh = false
                try await body(.disconnected(error, pause: pause))
                try await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// How far reading has come, over all connections.
    private struct Place {
        /// Where the next connection begins.
        var since: String
        var wasConnected = false
        /// Whether the daemon has greeted since the last attempt.
        var isFresh = false
    }

    private func follow(_ place: inout Place, _ body: (Update) async throws -> Void) async throws {
        var progress = place
        defer { place = progress }
        try await SocketClient(path: path, maximumLength: EventLine.maximumLength).connected { conversation in
            do {
                try await conversation.send(request(since: progress.since))
            } catch let error as SocketError where error.kind == .disconnected {
                // Who is sent away finds the reason in what can still be read.
            }
            // Lines before the reply belong to no request of ours.
            var isAnswered = false
            while let bytes = try await conversation.next() {
                let line = try ReceivedLine(bytes, path: path)
                switch line.type {
                case "hello":
                    guard case .hello(let hello)? = try? EventDecoder().connectionLine(bytes).payload else { continue }
                    progress.wasConnected = true
                    progress.isFresh = true
                    try await body(.connected(hello))
                case "reply": isAnswered = true
                case "heartbeat": continue
                case "error" where line.seq == nil:
                    guard line.retryable == true else {
                        throw SocketError(.ask, .refused, path: path, detail: line.message ?? "refused")
                    }
                    if isAnswered { try await body(.line(bytes)) }
                default:
                    guard isAnswered else { continue }
                    try await body(.line(bytes))
                    if let cursor = line.cursor { progress.since = cursor }
                }
            }
            throw SocketError(.ask, .disconnected, path: path, detail: "the daemon closed the connection")
        }
    }

    private func request(since: String) -> String {
        var fields: [String: JSONValue] = [
            "op": .string("subscribe"), "request_id": .number(1), "since": .string(since),
        ]
        if let types = wish.types { fields["types"] = .array(types.map(JSONValue.string)) }
        if let sources = wish.sources { fields["sources"] = .array(sources.map(JSONValue.string)) }
        if let confidence = wish.minimumConfidence { fields["min_confidence"] = .number(confidence) }
        return JSONValue.object(fields).description
    }
}

/// What following the stream needs of a line, whatever else a newer daemon writes into it.
private struct ReceivedLine {
    let type: String
    let seq: Double?
    let cursor: String?
    let retryable: Bool?
    let message: String?

    init(_ bytes: [UInt8], path: String) throws(SocketError) {
        guard let value = try? JSONValue(text: bytes), case .string(let type)? = value["type"] else {
            throw SocketError(.ask, .malformed, path: path, detail: "a line is no event")
        }
        self.type = type
        seq = if case .number(let number)? = value["seq"] { number } else { nil }
        cursor = if case .string(let text)? = value["cursor"] { text } else { nil }
        retryable = if case .bool(let flag)? = value["retryable"] { flag } else { nil }
        message = if case .string(let text)? = value["message"] { text } else { nil }
    }
}
