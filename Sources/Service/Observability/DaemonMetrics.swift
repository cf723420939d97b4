import CoreMetrics
package import Events
import Synchronization

/// The metrics of the whole process; the handles are made once.
package final class DaemonMetrics: Sendable {
    package let registry: MetricsRegistry
    private let queueDepth: Gauge
    private let queueTime: Timer
    private let duration: Timer
    private let engineReady: Gauge
    private let inputTokens: Counter
    private let outputTokens: Counter
    private let published: Counter
    private let subscribers: Gauge
    private let droppedEvents: Counter
    private let residentMemory: Gauge
    private let threads: Gauge
    private let descriptors: Gauge
    private let processorTime: FloatingPointCounter
    private let processorSeconds = Mutex(0.0)

    /// - Parameter version: of the program, for `facellm_build_info`.
    package init(version: String, registry: MetricsRegistry = MetricsRegistry(families: MetricFamily.daemon)) {
        self.registry = registry
        Gauge(label: "facellm_build_info", dimensions: [("version", version)], factory: registry).record(1)
        queueDepth = Gauge(label: "facellm_analysis_queue_depth", factory: registry)
        queueTime = Timer(label: "facellm_analysis_queue_seconds", factory: registry)
        duration = Timer(label: "facellm_analysis_duration_seconds", factory: registry)
        engineReady = Gauge(label: "facellm_engine_ready", factory: registry)
        inputTokens = Counter(label: "facellm_engine_tokens", dimensions: [("kind", "input")], factory: registry)
        outputTokens = Counter(label: "facellm_engine_tokens", dimensions: [("kind", "output")], factory: registry)
        published = Counter(label: "facellm_events_published", factory: registry)
        subscribers = Gauge(label: "facellm_subscribers", factory: registry)
        droppedEvents = Counter(label: "facellm_subscriber_dropped_events", factory: registry)
        residentMemory = Gauge(label: "facellm_resident_memory_bytes", factory: registry)
        threads = Gauge(label: "facellm_threads", factory: registry)
        descriptors = Gauge(label: "facellm_open_descriptors", factory: registry)
        processorTime = FloatingPointCounter(label: "facellm_processor_seconds", factory: registry)
    }

    /// The metrics of one source; ask once and keep them.
    package func source(_ name: String) -> SourceMetrics { SourceMetrics(source: name, registry: registry) }

    /// A describer answered, or gave up.
    package func described(waited: Duration, took: Duration, inputTokens read: Int, outputTokens written: Int) {
        queueTime.recordNanoseconds(waited.nanoseconds)
        duration.recordNanoseconds(took.nanoseconds)
        inputTokens.increment(by: max(0, read))
        outputTokens.increment(by: max(0, written))
    }

    /// How many faces wait for FaceLLM now.
    package func waiting(_ faces: Int) { queueDepth.record(faces) }

    package func engine(isReady: Bool) { engineReady.record(isReady ? 1 : 0) }

    package func eventsPublished(_ count: Int) { published.increment(by: max(0, count)) }

    /// How many subscribers are connected now.
    package func subscribed(_ count: Int) { subscribers.record(count) }

    package func subscribersLost(events: Int) { droppedEvents.increment(by: max(0, events)) }

    /// - Parameter reason: one of few words, `closed`, `slow_consumer`; each is a line of its own.
    package func subscriberLeft(reason: String) {
        Counter(label: "facellm_subscriber_disconnects", dimensions: [("reason", reason)], factory: registry)
            .increment()
    }

    /// Everything as text, with fresh figures of the process.
    package func text() -> String {
        let figures = ProcessFigures.current()
        residentMemory.record(figures.residentBytes)
        threads.record(figures.threads)
        descriptors.record(figures.openDescriptors)
        processorSeconds.withLock { last in
            processorTime.increment(by: figures.processorSeconds - last)
            last = figures.processorSeconds
        }
        return registry.text()
    }
}

/// The metrics of one source; `remove()` takes their lines away.
package final class SourceMetrics: Sendable {
    private let source: String
    private let registry: MetricsRegistry
    private let up: Gauge
    private let lastFrame: Gauge
    private let lag: Gauge
    private let counters: [(counter: Counter, value: @Sendable (Ledger) -> Int)]
    private let last = Mutex(Ledger())

    fileprivate init(source: String, registry: MetricsRegistry) {
        let label = [("source", source)]
        func counter(
            _ name: String,
            outcome: String? = nil,
            _ value: @escaping @Sendable (Ledger) -> Int
        ) -> (counter: Counter, value: @Sendable (Ledger) -> Int) {
            let labels = label + (outcome.map { [("outcome", $0)] } ?? [])
            return (Counter(label: name, dimensions: labels, factory: registry), value)
        }
        self.source = source
        self.registry = registry
        up = Gauge(label: "facellm_source_up", dimensions: label, factory: registry)
        lastFrame = Gauge(label: "facellm_source_last_frame_timestamp_seconds", dimensions: label, factory: registry)
        lag = Gauge(label: "facellm_lag_seconds", dimensions: label, factory: registry)
        counters = [
            counter("facellm_frames_decoded") { $0.framesDecoded },
            counter("facellm_frames_sampled") { $0.framesSampled },
            counter("facellm_frames_corrupt") { $0.framesCorrupt },
            counter("facellm_tracks_started") { $0.tracksStarted },
            counter("facellm_faces", outcome: "analysed") { $0.facesAnalysed },
            counter("facellm_faces", outcome: "reused") { $0.facesReused },
            counter("facellm_faces", outcome: "rejected_quality") { $0.facesRejectedQuality },
            counter("facellm_faces", outcome: "dropped_overload") { $0.facesDroppedOverload },
            counter("facellm_faces", outcome: "failed") { $0.facesFailed },
            counter("facellm_crops", outcome: "described") { $0.cropsDescribed },
            counter("facellm_crops", outcome: "replaced") { $0.cropsReplaced },
            counter("facellm_crops", outcome: "expired") { $0.cropsExpired },
            counter("facellm_crops", outcome: "dropped_overload") { $0.cropsDroppedOverload },
            counter("facellm_crops", outcome: "failed") { $0.cropsFailed },
        ]
    }

    /// Counts what the ledger counted since the last call; a ledger that began anew is taken whole.
    package func update(_ ledger: Ledger) {
        last.withLock { last in
            for (counter, value) in counters {
                let (new, old) = (value(ledger), value(last))
                counter.increment(by: max(0, new >= old ? new - old : new))
            }
            last = ledger
        }
    }

    package func isUp(_ value: Bool) { up.record(value ? 1 : 0) }

    package func frameArrived(at time: Timestamp) { lastFrame.record(Double(time.millisecondsSince1970) / 1000) }

    /// From the arrival of a picture to the publishing of what was seen in it.
    package func published(after lag: Duration) { self.lag.record(lag / .seconds(1)) }

    /// - Parameter reason: one of few words, as in `source.status`; never the text of an error.
    package func reconnected(reason: String) {
        let labels = [("source", source), ("reason", reason)]
        Counter(label: "facellm_source_reconnects", dimensions: labels, factory: registry).increment()
    }

    /// The source is gone from the configuration, and so are its lines.
    package func remove() { registry.remove(label: "source", value: source) }
}

extension Duration {
    /// Whole nanoseconds, as far as they fit: 292 years.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, tooMuch) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return tooMuch ? whole : sum
    }
}
