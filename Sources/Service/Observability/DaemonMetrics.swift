import CoreMetrics
internal import Events
import Synchronization

/// What the daemon's status says, as metrics: nothing is counted twice, and nobody pays before somebody asks.
package final class DaemonMetrics: Sendable {
    private struct Last {
        var sources: [String: SourceMetrics] = [:]
        var events = 0
        var processorSeconds = 0.0
    }

    private let registry: MetricsRegistry
    private let queueDepth: Gauge
    private let engineReady: Gauge
    private let published: Counter
    private let subscribers: Gauge
    private let residentMemory: Gauge
    private let threads: Gauge
    private let descriptors: Gauge
    private let processorTime: FloatingPointCounter
    private let last = Mutex(Last())

    /// - Parameter version: of the program, for `facellm_build_info`.
    package init(version: String, registry: MetricsRegistry = MetricsRegistry(families: MetricFamily.daemon)) {
        self.registry = registry
        Gauge(label: "facellm_build_info", dimensions: [("version", version)], factory: registry).record(1)
        queueDepth = Gauge(label: "facellm_analysis_queue_depth", factory: registry)
        engineReady = Gauge(label: "facellm_engine_ready", factory: registry)
        published = Counter(label: "facellm_events_published", factory: registry)
        subscribers = Gauge(label: "facellm_subscribers", factory: registry)
        residentMemory = Gauge(label: "facellm_resident_memory_bytes", factory: registry)
        threads = Gauge(label: "facellm_threads", factory: registry)
        descriptors = Gauge(label: "facellm_open_descriptors", factory: registry)
        processorTime = FloatingPointCounter(label: "facellm_processor_seconds", factory: registry)
    }

    /// Everything as text, with fresh figures of the process.
    package func text(_ status: DaemonStatus) -> String {
        last.withLock { last in
            let figures = ProcessFigures.current()
            residentMemory.record(figures.residentBytes)
            threads.record(figures.threads)
            descriptors.record(figures.openDescriptors)
            processorTime.increment(by: max(0, figures.processorSeconds - last.processorSeconds))
            last.processorSeconds = figures.processorSeconds

            engineReady.record(status.describer?.status == "ready" ? 1 : 0)
            queueDepth.record(status.sources.reduce(0) { $0 + $1.queue })
            subscribers.record(status.subscribers)
            published.increment(by: max(0, status.ledger.eventsPublished - last.events))
            last.events = status.ledger.eventsPublished

            let names = Set(status.sources.map(\.name))
            for (name, source) in last.sources where !names.contains(name) {
                source.remove()
                last.sources[name] = nil
            }
            for state in status.sources {
                let source = last.sources[state.name] ?? SourceMetrics(source: state.name, registry: registry)
                last.sources[state.name] = source
                source.update(state)
            }
        }
        return registry.text()
    }
}

/// The metrics of one source; `remove()` takes their lines away.
private final class SourceMetrics: Sendable {
    private let source: String
    private let registry: MetricsRegistry
    private let up: Gauge
    private let lastFrame: Gauge
    private let lag: Gauge
    private let counters: [(counter: Counter, value: @Sendable (SourceState) -> Int)]
    private let last: Mutex<SourceState>

    init(source: String, registry: MetricsRegistry) {
        let label = [("source", source)]
        func counter(
            _ name: String,
            outcome: String? = nil,
            _ value: @escaping @Sendable (SourceState) -> Int
        ) -> (counter: Counter, value: @Sendable (SourceState) -> Int) {
            let labels = label + (outcome.map { [("outcome", $0)] } ?? [])
            return (Counter(label: name, dimensions: labels, factory: registry), value)
        }
        self.source = source
        last = Mutex(SourceState(name: source))
        self.registry = registry
        up = Gauge(label: "facellm_source_up", dimensions: label, factory: registry)
        lastFrame = Gauge(label: "facellm_source_last_frame_timestamp_seconds", dimensions: label, factory: registry)
        lag = Gauge(label: "facellm_lag_seconds", dimensions: label, factory: registry)
        counters = [
            counter("facellm_frames_decoded") { $0.ledger.framesDecoded },
            counter("facellm_frames_sampled") { $0.ledger.framesSampled },
            counter("facellm_frames_corrupt") { $0.ledger.framesCorrupt },
            counter("facellm_frames_dropped") { $0.framesDropped },
            counter("facellm_source_connections") { $0.connections },
            counter("facellm_source_gaps") { $0.gaps },
            counter("facellm_tracks_started") { $0.ledger.tracksStarted },
            counter("facellm_faces", outcome: "analysed") { $0.ledger.facesAnalysed },
            counter("facellm_faces", outcome: "reused") { $0.ledger.facesReused },
            counter("facellm_faces", outcome: "rejected_quality") { $0.ledger.facesRejectedQuality },
            counter("facellm_faces", outcome: "dropped_overload") { $0.ledger.facesDroppedOverload },
            counter("facellm_faces", outcome: "failed") { $0.ledger.facesFailed },
            counter("facellm_crops", outcome: "described") { $0.ledger.cropsDescribed },
            counter("facellm_crops", outcome: "replaced") { $0.ledger.cropsReplaced },
            counter("facellm_crops", outcome: "expired") { $0.ledger.cropsExpired },
            counter("facellm_crops", outcome: "dropped_overload") { $0.ledger.cropsDroppedOverload },
            counter("facellm_crops", outcome: "failed") { $0.ledger.cropsFailed },
        ]
    }

    /// Counts what the source counted since the last call; one that began anew is taken whole.
    func update(_ state: SourceState) {
        last.withLock { last in
            for (counter, value) in counters {
                let (new, old) = (value(state), value(last))
                counter.increment(by: max(0, new >= old ? new - old : new))
            }
            last = state
        }
        up.record(state.status == "online" ? 1 : 0)
        if let time = state.lastFrameAt { lastFrame.record(Double(time.millisecondsSince1970) / 1000) }
        if let seconds = state.lagSeconds { lag.record(seconds) }
    }

    /// The source is gone from the configuration, and so are its lines.
    func remove() { registry.remove(label: "source", value: source) }
}
