internal import Events
internal import Logging

/// A place besides the sockets where events go, and the task that takes them there.
struct OpenSink: Sendable {
    /// What it was opened for.
    let settings: Configuration.Sink
    private let subscription: Subscription
    private let task: Task<Void, Never>
    private let begin: @Sendable () async -> Void

    /// Opens it, so that a place that cannot be written to is told at the start.
    init(_ sink: Configuration.Sink, _ configuration: Configuration, _ bus: EventBus, _ logger: Logger) throws {
        // Lines that come while the file is opened are waiting then.
        let subscription = bus.subscribe(SubscribeRequest(filter: Self.filter(sink)))
        try self.init(sink, subscription, configuration, logger)
    }

    /// Opens another sink for the same place, where one must have ended before the other begins.
    ///
    /// The one ends behind a line, the other begins with the next: none is written twice or not at all.
    init(
        _ sink: Configuration.Sink,
        replacing former: OpenSink,
        _ configuration: Configuration,
        _ bus: EventBus,
        _ logger: Logger
    ) async throws {
        let subscription = bus.exchange(former.subscription, for: SubscribeRequest(filter: Self.filter(sink)))
        await former.waitForEnd()
        try self.init(sink, subscription, configuration, logger)
    }

    private init(
        _ sink: Configuration.Sink,
        _ subscription: Subscription,
        _ configuration: Configuration,
        _ logger: Logger
    ) throws {
        switch sink.kind {
        case .stdout:
            let output = try JSONLinesSink(path: "-")
            self.init(
                sink,
                SinkPump(output, name: "stdout", report: Self.report("stdout", logger)),
                subscription,
                logger
            )
        case .jsonl:
            let path = configuration.statePath(sink.path ?? "events.jsonl")
            // A journal keeps everything; a file holds as many old ones as somebody asked for, one at least.
            let rotation = RotatingFileSink.Rotation(
                maximumBytes: sink.rotateSizeMiB << 20,
                filesKept: sink.rotateKeep
            )
            let file = try RotatingFileSink(path: path, rotation: rotation)
            self.init(sink, SinkPump(file, name: path, report: Self.report(path, logger)), subscription, logger)
        }
    }

    private init<Sink: EventSink & ~Copyable>(
        _ settings: Configuration.Sink,
        _ pump: SinkPump<Sink>,
        _ subscription: Subscription,
        _ logger: Logger
    ) {
        self.settings = settings
        self.subscription = subscription
        begin = { await pump.reopen() }
        task = Task(name: "sink") {
            do throws(EventError) {
                try await pump.run(subscription)
            } catch {
                logger.error("\(error)")
            }
        }
    }

    /// Goes on in a file of the same name.
    func reopen() async { await begin() }

    /// Waits until everything is written; the bus must have finished.
    func finish() async { await task.value }

    /// Ends it behind the lines that were published until now, and waits until they are written.
    func close() async {
        subscription.finish()
        await waitForEnd()
    }

    /// Waits for the last lines, but not for a disk that takes none.
    private func waitForEnd() async {
        let timer = Task { [task] in
            if (try? await Task.sleep(for: .seconds(2))) != nil { task.cancel() }
        }
        await task.value
        timer.cancel()
    }

    private static func filter(_ sink: Configuration.Sink) -> EventFilter {
        EventFilter(
            types: sink.types.isEmpty ? nil : Set(sink.types.map(\.rawValue)),
            sources: sink.sources.isEmpty ? nil : Set(sink.sources)
        )
    }

    private static func report<Sink: EventSink & ~Copyable>(
        _ name: String,
        _ logger: Logger
    ) -> @Sendable (SinkPump<Sink>.Report) -> Void {
        { report in
            switch report {
            case .failing(let error): logger.error("\(error)")
            case .recovered: logger.notice("\(name) takes events again")
            }
        }
    }
}
