import Events
import Foundation
import Glibc
import Logging
import Synchronization
import TestSupport

@testable import Service

extension MemoryStore: EventHistory {
    func position(before time: Timestamp) async -> ReplayPosition {
        let page = await read(from: .oldest, through: nil, filter: .all, maximumBytes: .max)
        var position = ReplayPosition.oldest
        for case .event(let event) in page.items
        where event.publishedAt.millisecondsSince1970 < time.millisecondsSince1970 {
            position = .after(event.cursor)
        }
        return position
    }
}

/// A viewer that is served on a free port of the loopback address.
final class ViewerFixture: Sendable {
    struct Answer {
        var status = 0
        /// By their names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    let bus: EventBus
    let feed: ViewerFeed
    let viewer: Viewer
    let port: Int
    private let running: Task<Void, any Error>

    init(
        token: String? = nil,
        bus: EventBus? = nil,
        store: MemoryStore? = MemoryStore(),
        feed: ViewerFeed = ViewerFeed(),
        _ change: (inout Viewer.Settings) -> Void = { _ in }
    ) async throws {
        var settings = Viewer.Settings()
        settings.statusInterval = .milliseconds(200)
        change(&settings)
        let bus = bus ?? EventBus(instanceID: "one", store: store)
        let viewer = Viewer(
            bus: bus,
            history: store,
            feed: feed,
            settings: settings,
            hello: { Hello(versions: ["facellm": "0.1.0"], sources: ["door"]) },
            status: { #"{"ready":true}"# }
        )
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let server = try MetricsServer(
            address: .tcp(host: "127.0.0.1", port: 0),
            token: token,
            viewer: viewer,
            logger: .quiet,
            metrics: { "x 1\n# EOF\n" },
            health: { HealthState() },
            whenBound: { port in
                if let port { bound.yield(port) }
                bound.finish()
            }
        )
        running = Task { try await server.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw RawClient.Failure(description: "not bound") }
        self.port = port
        self.bus = bus
        self.feed = feed
        self.viewer = viewer
    }

    func stop() async {
        bus.finish()
        running.cancel()
        _ = await running.result
    }

    func publish(_ numbers: ClosedRange<Int>, source: String = "door") throws {
        for value in numbers { try bus.publish(number(value), source: source) }
    }

    // MARK: - Requests

    private func request(_ target: String, _ headers: [String], host: String?) async throws -> (RawClient, Answer) {
        let client = try RawClient(port: port)
        let all = (host.map { ["Host: \($0)"] } ?? []) + headers
        await client.send(Array("GET \(target) HTTP/1.1\r\n\(all.map { $0 + "\r\n" }.joined())\r\n".utf8))
        var answer = Answer()
        while let line = try await client.line(), line != "\r" {
            if answer.status == 0 {
                answer.status = Int(line.split(separator: " ").dropFirst().first ?? "") ?? -1
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
                answer.headers[line[..<colon].lowercased()] = value
            }
        }
        return (client, answer)
    }

    /// Asks, and reads the answer to its end.
    func ask(_ target: String, _ headers: [String] = [], host: String? = "localhost") async throws -> Answer {
        let (client, head) = try await request(target, headers + ["Connection: close"], host: host)
        var answer = head
        while let line = try await client.line() { answer.body += Array((line + "\n").utf8) }
        answer.body += client.rest
        return answer
    }

    /// Opens a stream of events; `hello`, `viewer` and the first `status` have been read.
    func stream(_ query: String = "", _ headers: [String] = []) async throws -> MessageReader {
        let (client, answer) = try await request("/api/events\(query)", headers, host: "localhost")
        guard answer.status == 200, answer.headers["content-type"] == "text/event-stream" else {
            throw RawClient.Failure(description: "no stream: \(answer)")
        }
        let reader = MessageReader(client)
        for name in ["hello", "viewer", "status"] {
            let message = try await reader.next(withStatus: true)
            guard message?.event == name else {
                throw RawClient.Failure(description: "expected \(name), not \(String(describing: message))")
            }
        }
        return reader
    }
}

/// Reads server-sent events.
final class MessageReader: @unchecked Sendable {
    // A test uses it from one task at a time.
    struct Message: Equatable {
        var event = "message"
        var id: String?
        var data: [String] = []
    }

    let client: RawClient

    init(_ client: RawClient) { self.client = client }

    /// The next message; nil at the end.
    func next(withStatus: Bool = false) async throws -> Message? {
        var message = Message()
        while let line = try await client.line() {
            // Sizes and ends of the chunks that HTTP sends.
            if line.hasSuffix("\r") { continue }
            if line.isEmpty {
                if !message.data.isEmpty, withStatus || message.event != "status" { return message }
                message = Message()
            } else if line.hasPrefix("event: ") {
                message.event = String(line.dropFirst("event: ".count))
            } else if line.hasPrefix("id: ") {
                message.id = String(line.dropFirst("id: ".count))
            } else if line.hasPrefix("data: ") {
                message.data.append(String(line.dropFirst("data: ".count)))
            } else {
                throw RawClient.Failure(description: "no field of an event: \(line)")
            }
        }
        return nil
    }

    /// The numbers of the next lines of the journal.
    func seqs(_ count: Int) async throws -> [Int] {
        var found: [Int] = []
        while found.count < count, let message = try await next() {
            if let number = seq(of: message.data.first) { found.append(number) }
        }
        return found
    }
}
