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

    private func status(_ sources: [SourceState]) -> DaemonStatus {
        DaemonStatus(
            version: "1",
            instanceID: "x",
            startedAt: Timestamp(millisecondsSince1970: 0),
            uptimeSeconds: 1,
            ready: true,
            sources: sources,
            ledger: Ledger(),
            subscribers: 3,
            memoryMegabytes: 1
        )
    }

    private func lines(_ metrics: DaemonMetrics, _ status: DaemonStatus) -> [String] {
        metrics.text(status).split(separator: "\n").map(String.init)
    }

    @Test func countsWhatASourceGainedAndStartsOverWithIt() {
        let metrics = DaemonMetrics(version: "1")
        var door = SourceState(name: "door")
        door.ledger.framesDecoded = 10
        door.ledger.facesReused = 4
        _ = metrics.text(status([door]))
        door.ledger.framesDecoded = 15
        _ = metrics.text(status([door]))
        #expect(lines(metrics, status([door])).contains("facellm_frames_decoded_total{source=\"door\"} 15"))
        var fresh = SourceState(name: "door")
        fresh.ledger.framesDecoded = 2
        let found = lines(metrics, status([fresh]))
        #expect(found.contains("facellm_frames_decoded_total{source=\"door\"} 17"))
        #expect(found.contains("facellm_faces_total{source=\"door\",outcome=\"reused\"} 4"))
    }

    @Test func removedSourceHasNoLines() {
        let metrics = DaemonMetrics(version: "1")
        var door = SourceState(name: "door"), yard = SourceState(name: "yard")
        door.gaps = 1
        yard.status = "online"
        yard.lastFrameAt = Timestamp(millisecondsSince1970: 1_500)
        yard.lagSeconds = 0.25
        #expect(lines(metrics, status([door, yard])).contains("facellm_source_gaps_total{source=\"door\"} 1"))
        let found = lines(metrics, status([yard]))
        #expect(!found.contains { $0.contains("door") })
        #expect(found.contains("facellm_source_up{source=\"yard\"} 1"))
        #expect(found.contains("facellm_source_last_frame_timestamp_seconds{source=\"yard\"} 1.5"))
        #expect(found.contains("facellm_lag_seconds{source=\"yard\"} 0.25"))
    }

    @Test func tellsOfTheEngineSubscribersAndTheProcess() throws {
        let metrics = DaemonMetrics(version: "0.1\"")
        var status = status([])
        status.describer = DaemonStatus.DescriberState(status: "ready", waitingSources: 0)
        status.ledger.eventsPublished = 7
        let lines = lines(metrics, status)
        #expect(lines.contains("facellm_build_info{version=\"0.1\\\"\"} 1"))
        #expect(lines.contains("facellm_engine_ready 1"))
        #expect(lines.contains("facellm_subscribers 3"))
        #expect(lines.contains("facellm_events_published_total 7"))
        for name in ["facellm_resident_memory_bytes", "facellm_threads", "facellm_open_descriptors"] {
            let line = try #require(lines.first { $0.hasPrefix("\(name) ") })
            let value = try #require(Int(line.dropFirst(name.count + 1)))
            #expect(value > 0)
        }
    }
}
