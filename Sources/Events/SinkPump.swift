/// Moves a subscription's lines into a sink, on a queue of its own, for sinks block.
///
/// A sink that fails is tried again until it works; meanwhile the subscription's queue takes what its bound allows and
/// counts the rest, so that the file gets a `gap` with the number and then goes on.
package actor SinkPump<Sink: EventSink & ~Copyable> {
    /// What an operator should know, once per interval at most.
    package enum Report: Sendable, Hashable {
        /// Lines wait for a sink that does not take them.
        case failing(EventError)
        /// It takes them again.
        case recovered
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let executor: QueueExecutor

    private var sink: Sink
    private let retryInterval: Duration
    private let clock: any Clock<Duration>
    private let report: @Sendable (Report) -> Void
    private var pace: ReportPace
    private var wasToldOfFailure = false
    private var reopens = false

    /// - Parameters:
    ///   - name: of its queue, for tools.
    ///   - retryInterval: how long to wait before a failed sink is tried again.
    ///   - reportInterval: the least time between two reports of a failure.
    ///   - clock: for waiting.
    ///   - report: called on the pump's queue; must not block.
    package init(
        _ sink: consuming Sink,
        name: String,
        retryInterval: Duration = .seconds(1),
        reportInterval: Duration = .seconds(60),
        clock: any Clock<Duration> = .continuous,
        report: @escaping @Sendable (Report) -> Void
    ) {
        executor = QueueExecutor(label: "facellm.sink.\(name)")
        self.sink = sink
        self.retryInterval = retryInterval
        self.clock = clock
        self.report = report
        pace = ReportPace(interval: reportInterval)
    }

    /// Runs until the subscription ends or the task is cancelled, then closes the sink.
    ///
    /// - Throws: `EventError` of kind `brokenPipe` when the reader has gone, or what closing says.
    package func run(_ subscription: Subscription) async throws(EventError) {
        while let batch = await subscription.next() {
            var rest = batch[...]
            while !rest.isEmpty || reopens {
                do throws(EventError) {
                    try reopenIfAsked()
                    try write(&rest)
                    if wasToldOfFailure {
                        wasToldOfFailure = false
                        report(.recovered)
                    }
                } catch {
                    try await pause(after: error)
                }
                if Task.isCancelled { break }
            }
        }
        try sink.close()
    }

    /// Begins the output anew under the same name, with the next line at the latest.
    package func reopen() {
        reopens = true
        do throws(EventError) {
            try reopenIfAsked()
        } catch {
            tell(error)
        }
    }

    private func reopenIfAsked() throws(EventError) {
        guard reopens else { return }
        try sink.reopen()
        reopens = false
    }

    /// Writes lines and takes those that the system has off the front of `lines`.
    private func write(_ lines: inout ArraySlice<Subscription.Delivery>) throws(EventError) {
        let before = sink.linesWritten
        let given = lines
        defer { lines = given.dropFirst(sink.linesWritten - before) }
        for delivery in given {
            try sink.write(delivery.line)
        }
        try sink.flush()
    }

    private func pause(after error: EventError) async throws(EventError) {
        guard error.kind != .brokenPipe else { throw error }
        tell(error)
        reopens = true
        // A wait that is cut short means that the task is cancelled, which the caller looks at.
        try? await clock.sleep(for: retryInterval)
    }

    private func tell(_ error: EventError) {
        guard pace.allows(at: .now) else { return }
        wasToldOfFailure = true
        report(.failing(error))
    }
}
