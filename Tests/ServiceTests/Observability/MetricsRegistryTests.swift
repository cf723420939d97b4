import CoreMetrics
import Events
import Testing

@testable import Service

@Suite struct MetricsRegistryTests {
    @Test func writesEachKindAsTheFormatSays() {
        let registry = MetricsRegistry(families: [
            MetricFamily("a_frames", .counter, help: "Frames \"seen\"."),
            MetricFamily("a_lag_seconds", .gauge, unit: "seconds", help: "Lag."),
            MetricFamily("a_build_info", .info, help: ""),
            MetricFamily("a_time_seconds", .histogram(bounds: [0.5, 1]), unit: "seconds", help: "Time."),
            MetricFamily("a_unused", .counter, help: "Never made."),
        ])
        Gauge(label: "a_lag_seconds", dimensions: [("source", "yard")], factory: registry).record(0.25)
        Gauge(label: "a_lag_seconds", dimensions: [("source", "door")], factory: registry).record(-2)
        Gauge(label: "a_build_info", dimensions: [("version", "1")], factory: registry).record(1)
        Counter(label: "a_frames", factory: registry).increment(by: 3)
        let timer = Timer(label: "a_time_seconds", factory: registry)
        for milliseconds in [250, 500, 750, 9000] { timer.recordMilliseconds(milliseconds) }

        #expect(
            registry.text() == """
                # TYPE a_frames counter
                # HELP a_frames Frames \\"seen\\".
                a_frames_total 3
                # TYPE a_lag_seconds gauge
                # UNIT a_lag_seconds seconds
                # HELP a_lag_seconds Lag.
                a_lag_seconds{source="door"} -2
                a_lag_seconds{source="yard"} 0.25
                # TYPE a_build info
                a_build_info{version="1"} 1
                # TYPE a_time_seconds histogram
                # UNIT a_time_seconds seconds
                # HELP a_time_seconds Time.
                a_time_seconds_bucket{le="0.5"} 2
                a_time_seconds_bucket{le="1.0"} 3
                a_time_seconds_bucket{le="+Inf"} 4
                a_time_seconds_count 4
                a_time_seconds_sum 10.5
                # EOF

                """
        )
    }

    @Test func escapesLabelsAndCleansNames() {
        let registry = MetricsRegistry()
        Gauge(label: "1st.gauge", dimensions: [("so urce", "a\\b\"c\nd")], factory: registry).record(Double.nan)
        #expect(registry.text() == "# TYPE _1st_gauge gauge\n_1st_gauge{so_urce=\"a\\\\b\\\"c\\nd\"} NaN\n# EOF\n")
    }

    @Test func sameNameAndLabelsAreTheSameNumber() {
        let registry = MetricsRegistry()
        for _ in 0..<3 { Counter(label: "n", dimensions: [("k", "v")], factory: registry).increment(by: 2) }
        #expect(registry.text().contains("n_total{k=\"v\"} 6\n"))
    }

    @Test func counterNeverFalls() {
        let cell = CounterCell()
        for amount in [2.5, -1, .nan, .infinity] { cell.increment(by: amount) }
        #expect(cell.value == 2.5)
    }

    @Test func wrongKindIsLeftOutAndHarmsNothing() {
        let registry = MetricsRegistry(families: [MetricFamily("x", .counter, help: "")])
        Gauge(label: "x", factory: registry).record(7)
        Counter(label: "x", factory: registry).increment()
        #expect(registry.text() == "# TYPE x counter\nx_total 1\n# EOF\n")
    }

    @Test func destroyedHandleHasNoLine() {
        let registry = MetricsRegistry()
        let one = Counter(label: "c", dimensions: [("k", "1")], factory: registry)
        let two = Counter(label: "c", dimensions: [("k", "2")], factory: registry)
        two.increment()
        one.destroy()
        #expect(registry.text() == "# TYPE c counter\nc_total{k=\"2\"} 1\n# EOF\n")
    }

    @Test func additionsFromManyThreadsAllCount() async {
        let registry = MetricsRegistry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c", factory: registry)
                    let timer = Timer(label: "t", factory: registry)
                    for _ in 0..<2000 {
                        counter.increment()
                        timer.recordSeconds(1)
                    }
                }
            }
        }
        #expect(registry.text().contains("c_total 16000\n"))
        #expect(registry.text().contains("t_count 16000\nt_sum 16000\n"))
    }
}

@Suite struct DaemonMetricsTests {
    private func lines(_ metrics: DaemonMetrics) -> [String] {
        metrics.text().split(separator: "\n").map(String.init)
    }

    @Test func everyFamilyHasHelpAndAUnitOfItsName() {
        for family in MetricFamily.daemon {
            #expect(family.name.hasPrefix("facellm_"))
            #expect(family.help.hasSuffix("."), "\(family.name)")
            #expect(!family.name.hasSuffix("_total"))
            let ending = family.name.split(separator: "_").last.map(String.init)
            #expect(family.unit == (["seconds", "bytes"].contains(ending) ? ending : nil), "\(family.name)")
        }
        #expect(Set(MetricFamily.daemon.map(\.name)).count == MetricFamily.daemon.count)
    }

    @Test func countsWhatTheLedgerGainedAndStartsOverWithIt() {
        let metrics = DaemonMetrics(version: "1")
        let door = metrics.source("door")
        var ledger = Ledger()
        ledger.framesDecoded = 10
        ledger.facesReused = 4
        door.update(ledger)
        ledger.framesDecoded = 15
        door.update(ledger)
        door.update(ledger)
        #expect(lines(metrics).contains("facellm_frames_decoded_total{source=\"door\"} 15"))
        var fresh = Ledger()
        fresh.framesDecoded = 2
        door.update(fresh)
        #expect(lines(metrics).contains("facellm_frames_decoded_total{source=\"door\"} 17"))
        #expect(lines(metrics).contains("facellm_faces_total{source=\"door\",outcome=\"reused\"} 4"))
    }

    @Test func removedSourceHasNoLines() {
        let metrics = DaemonMetrics(version: "1")
        let (door, yard) = (metrics.source("door"), metrics.source("yard"))
        door.reconnected(reason: "read_timeout")
        yard.isUp(true)
        yard.frameArrived(at: Timestamp(millisecondsSince1970: 1_500))
        yard.published(after: .milliseconds(250))
        #expect(lines(metrics).contains("facellm_source_reconnects_total{source=\"door\",reason=\"read_timeout\"} 1"))
        door.remove()
        #expect(!metrics.text().contains("door"))
        #expect(lines(metrics).contains("facellm_source_up{source=\"yard\"} 1"))
        #expect(lines(metrics).contains("facellm_source_last_frame_timestamp_seconds{source=\"yard\"} 1.5"))
        #expect(lines(metrics).contains("facellm_lag_seconds{source=\"yard\"} 0.25"))
    }

    @Test func tellsOfDescriptionsSubscribersAndTheProcess() throws {
        let metrics = DaemonMetrics(version: "0.1\"")
        metrics.engine(isReady: true)
        metrics.described(waited: .seconds(2), took: .milliseconds(1500), inputTokens: 300, outputTokens: 20)
        metrics.subscriberLeft(reason: "slow_consumer")
        metrics.subscribersLost(events: 12)
        let lines = lines(metrics)
        #expect(lines.contains("facellm_build_info{version=\"0.1\\\"\"} 1"))
        #expect(lines.contains("facellm_engine_ready 1"))
        #expect(lines.contains("facellm_engine_tokens_total{kind=\"output\"} 20"))
        #expect(lines.contains("facellm_analysis_duration_seconds_sum 1.5"))
        #expect(lines.contains("facellm_analysis_queue_seconds_bucket{le=\"1.0\"} 0"))
        #expect(lines.contains("facellm_analysis_queue_seconds_bucket{le=\"2.5\"} 1"))
        #expect(lines.contains("facellm_subscriber_disconnects_total{reason=\"slow_consumer\"} 1"))
        #expect(lines.contains("facellm_subscriber_dropped_events_total 12"))
        for name in ["facellm_resident_memory_bytes", "facellm_threads", "facellm_open_descriptors"] {
            let line = try #require(lines.first { $0.hasPrefix("\(name) ") })
            let value = try #require(Int(line.dropFirst(name.count + 1)))
            #expect(value > 0)
        }
    }
}
