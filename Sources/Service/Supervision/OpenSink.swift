internal import Events
internal import Logging

/// A place besides the sockets where events go, and the task that takes them there.
struct OpenSink: Sendable {
    private let task: Task<Void, Never>
    private let begin: @Sendable () async -> Void

    /// Opens it, so that a place that cannot be written to is told at the start.
    init(_ sink: Configuration.Sink, _ configuration: Configuration, _ bus: EventBus, _ logger: Logger) throws {
        let filter = EventFilter(
            types: sink.types.isEmpty ? nil : Set(sink.types.map(\.rawValue)),
            sources: sink.sources.isEmpty ? nil : Set(sink.sources)
        )
        let subscription = bus.subscribe(SubscribeRequest(filter: filter))
        switch sink.kind {
        case .stdout:
            self.init(
                SinkPump(try JSONLinesSink(path: "-"), name: "stdout", report: Self.report("stdout", logger)),
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
            self.init(SinkPump(file, name: path, report: Self.report(path, logger)), subscription, logger)
        }
    }

    private init<Sink: EventSink & ~Copyable>(
        _ pump: SinkPump<Sink>,
        _ subscription: Subscription,
        _ logger: Logger
    ) {
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
