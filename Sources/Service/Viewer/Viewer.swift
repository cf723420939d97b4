package import Events
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import Synchronization

/// Lines that are kept and can be found by their time.
package protocol EventHistory: EventStore {
    /// Where to begin to read what was made since `time`.
    func position(before time: Timestamp) async -> ReplayPosition
}

/// The page that shows what the daemon sees, and what the page asks for.
///
/// ```
/// /                             the page; /viewer.css, /viewer.js
/// /api/status                   as `status` on the control socket
/// /api/events                   server-sent events: ?since= or Last-Event-ID, ?types=, ?source=
/// /api/history                  lines of the last ?seconds=, ?types=, ?source=; JSON lines
/// /api/preview/SOURCE.jpg       the newest picture after number ?after=, or 204
/// /api/shots/SOURCE/TRACK.jpg   the best look at a face, likewise
/// ```
package final class Viewer: Sendable {
    package struct Settings: Sendable {
        /// Streams of events at once.
        package var maximumStreams = 128
        /// Histories read at once.
        package var maximumReaders = 4
        /// Bytes that may wait for one browser.
        package var queueBytes = EventBus.defaultQueueBytes
        /// How long a browser may take nothing at all; then it is cut off.
        package var writeDeadline = Duration.seconds(10)
        /// Between two words on how the daemon stands.
        package var statusInterval = Duration.seconds(2)

        package init() {}
    }

    let bus: EventBus
    let settings: Settings
    private let history: (any EventHistory)?
    private let feed: ViewerFeed
    private let hello: @Sendable () async -> Hello
    private let status: SharedText
    private let streams: ViewerPlaces
    private let readers: ViewerPlaces

    /// - Parameters:
    ///   - history: nil where nothing is kept.
    ///   - hello: what every stream begins with.
    ///   - status: how the daemon stands, as JSON.
    package init(
        bus: EventBus,
        history: (any EventHistory)?,
        feed: ViewerFeed,
        settings: Settings = Settings(),
        hello: @escaping @Sendable () async -> Hello,
        status: @escaping @Sendable () async -> String
    ) {
        self.bus = bus
        self.settings = settings
        self.history = history
        self.feed = feed
        self.hello = hello
        streams = ViewerPlaces(settings.maximumStreams)
        readers = ViewerPlaces(settings.maximumReaders)
        self.status = SharedText(maximumAge: settings.statusInterval / 2, make: status)
    }

    /// How many browsers are being told of events.
    package var streamCount: Int { streams.taken }

    func add(to router: Router<BasicRequestContext>) {
        for part in ViewerPage.parts {
            router.get(RouterPath(part.path)) { _, _ in ViewerAnswer.bytes(part.bytes, type: part.type) }
        }
        router.get("api/status") { [self] _, _ in
            ViewerAnswer.text(await status.text(), type: "application/json")
        }
        router.get("api/events") { [self] request, _ in events(request) }
        router.get("api/history") { [self] request, _ in await lines(request) }
        router.get("api/preview/:file") { [self] request, context in
            guard let source = Self.name(context.parameters.get("file")) else { return ViewerAnswer.nothing }
            return preview(source, after: Self.number(request))
        }
        router.get("api/shots/:source/:file") { [self] request, context in
            guard let source = context.parameters.get("source"), let track = Self.name(context.parameters.get("file")),
                let shot = feed.shot(of: track, source: source, after: Self.number(request))
            else { return ViewerAnswer.nothing }
            var answer = ViewerAnswer.bytes(shot.jpeg, type: "image/jpeg")
            answer.headers[.picture] = "\(shot.number)"
            return answer
        }
    }

    // MARK: - Pictures

    private func preview(_ source: String, after number: Int) -> Response {
        guard let preview = feed.preview(of: source, after: number) else { return ViewerAnswer.nothing }
        var answer = preview.jpeg.map { ViewerAnswer.bytes($0, type: "image/jpeg") } ?? ViewerAnswer.nothing
        answer.headers[.picture] = "\(preview.number)"
        answer.headers[.faces] = preview.faces
        return answer
    }

    /// The name in `NAME.jpg`.
    private static func name(_ file: String?) -> String? {
        guard let file, file.hasSuffix(".jpg") else { return nil }
        return String(file.dropLast(4))
    }

    private static func number(_ request: Request) -> Int {
        request.uri.queryParameters["after"].flatMap { Int($0) } ?? 0
    }

    // MARK: - Lines

    /// Only what `types` and `source` name; nil where `types` has an unknown one.
    private static func filter(_ request: Request) -> EventFilter? {
        let query = request.uri.queryParameters
        var types: Set<String>?
        if let text = query["types"] {
            let names = text.split(separator: ",").map(String.init)
            guard !names.isEmpty, names.allSatisfy({ EventType(rawValue: $0) != nil }) else { return nil }
            types = Set(names)
        }
        let source = query["source"].flatMap { $0.isEmpty ? nil : Set([String($0)]) }
        return EventFilter(types: types, sources: source)
    }

    private static let unknownTypes = ViewerAnswer.refused(
        "types: expected some of \(EventType.allCases.map(\.rawValue).joined(separator: ", ")), with commas between"
    )

    private func events(_ request: Request) -> Response {
        guard let filter = Self.filter(request) else { return Self.unknownTypes }
        let since = request.headers[.lastEventID] ?? request.uri.queryParameters["since"].map(String.init)
        let start: SubscribeRequest.Start =
            switch since {
            case nil, "now", "": .now
            case "oldest": .oldest
            case let text?: Cursor(text).map(SubscribeRequest.Start.after) ?? .unknownCursor
            }
        guard let place = streams.take() else {
            return ViewerAnswer.refused("too many viewers", status: .serviceUnavailable)
        }
        // Here, not when the body is written: what is published in between is not missed.
        let stream = ViewerStream(
            bus.subscribe(SubscribeRequest(start: start, filter: filter), maximumQueueBytes: settings.queueBytes),
            settings: settings,
            place: place
        )
        let lines = EventLines(instanceID: bus.instanceID)
        let pictures = feed.pictures
        var headers = ViewerAnswer.headers("text/event-stream")
        headers[.accelBuffering] = "no"
        let body = ResponseBody { [hello, status] writer in
            try await stream.run(
                &writer,
                hello: lines.hello(await hello()),
                pictures: pictures,
                status: { await status.text() }
            )
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// The lines of the last `seconds`, the newest where there are too many, and the cursor to go on from.
    private func lines(_ request: Request) async -> Response {
        guard let filter = Self.filter(request) else { return Self.unknownTypes }
        let seconds = request.uri.queryParameters["seconds"].map { Double($0) } ?? 3600
        guard let stretch = seconds, stretch >= 0, stretch <= 86_400 else {
            return ViewerAnswer.refused("seconds: expected a number from 0 to 86400")
        }
        guard let place = readers.take() else {
            return ViewerAnswer.refused("too many readers; try again", status: .serviceUnavailable)
        }
        let page = await HistoryPage.read(history, bus: bus, filter: filter, seconds: stretch)
        withExtendedLifetime(place) {}
        var answer = ViewerAnswer.bytes(page.text, type: "application/x-ndjson")
        answer.headers[.cursor] = page.cursor.description
        if page.isTruncated { answer.headers[.truncated] = "true" }
        return answer
    }
}

/// A text that many ask for and that is made once in a while.
private final class SharedText: Sendable {
    private let maximumAge: Duration
    private let make: @Sendable () async -> String
    private let kept = Mutex<(text: String, at: ContinuousClock.Instant)?>(nil)

    init(maximumAge: Duration, make: @escaping @Sendable () async -> String) {
        self.maximumAge = maximumAge
        self.make = make
    }

    func text() async -> String {
        if let kept = kept.withLock({ $0 }), ContinuousClock.now - kept.at < maximumAge { return kept.text }
        let text = await make()
        kept.withLock { $0 = (text, .now) }
        return text
    }
}

/// So many may do something at once.
final class ViewerPlaces: Sendable {
    /// One of them; given back when the last who holds it lets go.
    final class Place: Sendable {
        private let places: ViewerPlaces

        init(_ places: ViewerPlaces) { self.places = places }

        deinit { places.count.withLock { $0 -= 1 } }
    }

    private let count = Mutex(0)
    private let maximum: Int

    init(_ maximum: Int) { self.maximum = maximum }

    var taken: Int { count.withLock { $0 } }

    /// Nil where all are taken.
    func take() -> Place? {
        let isFree = count.withLock { count in
            guard count < maximum else { return false }
            count += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
