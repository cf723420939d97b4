import Benchmarking
import Events
import Foundation
import Service
import Synchronization

/// Watches a daemon and its cameras while they work.
struct DaemonWatch {
    /// Between two looks at the daemon's own figures.
    private static let interval = Duration.milliseconds(250)

    let process: Companion
    let server: Companion
    let folder: String

    func measure(warmUp: Double, seconds: Double) async throws -> DaemonMeasurement {
        try await waitUntilWell()
        let births = Births()
        let subscriber = Task { [path = folder + "/run/events.sock"] in
            var wish = EventsClient.Wish()
            wish.types = ["track.started"]
            try await EventsClient(path: path, wish: wish).run { update in
                if case .line(let bytes) = update { births.add(bytes) }
            }
        }
        defer { subscriber.cancel() }
        try await Task.sleep(for: .seconds(warmUp))
        var measurement = DaemonMeasurement(first: try await look())
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            try await Task.sleep(for: Self.interval)
            measurement.add(try await status())
        }
        measurement.last = try await look()
        measurement.births = births.latencies(after: server.lines, since: measurement.first.time)
        measurement.ending = try await process.end(within: .seconds(20))
        return measurement
    }

    private func status() async throws -> DaemonStatus {
        let answer = try await ControlClient(path: folder + "/run/control.sock", timeout: .seconds(20)).ask("status")
        return try JSONDecoder().decode(DaemonStatus.self, from: Data(answer.description.utf8))
    }

    /// Until every source is online.
    private func waitUntilWell() async throws {
        let end = ContinuousClock.now + .seconds(120)
        while true {
            if let status = try? await status(), status.sources.allSatisfy({ $0.status == "online" }) { return }
            guard process.isRunning, ContinuousClock.now < end else {
                throw BenchmarkError(.runCommand, "not every source came online")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func look() async throws -> DaemonLook {
        guard let daemon = ProcessTimes(of: process.processID), let server = ProcessTimes(of: server.processID),
            let own = ProcessTimes(of: getpid()), let machine = MachineTimes.current
        else { throw BenchmarkError(.runCommand, "the daemon or the server has ended") }
        return DaemonLook(
            time: Date().timeIntervalSince1970,
            clock: .now,
            status: try await status(),
            daemon: daemon,
            server: server,
            own: own,
            machine: machine,
            peakMiB: (try? String(contentsOfFile: "/proc/\(process.processID)/status", encoding: .utf8))
                .flatMap { PeakMemory.mebibytes(status: $0) } ?? 0
        )
    }
}

/// Everything at one moment.
struct DaemonLook {
    /// Since 1970.
    var time: Double
    var clock: ContinuousClock.Instant
    var status: DaemonStatus
    var daemon: ProcessTimes
    var server: ProcessTimes
    var own: ProcessTimes
    var machine: MachineTimes
    var peakMiB: Double
}

/// What came out of a measurement.
struct DaemonMeasurement {
    let first: DaemonLook
    var last: DaemonLook
    /// Seconds, by source; each sample once.
    private var lags: [String: [Double]] = [:]
    private var lastFrames: [String: Timestamp] = [:]
    /// Seconds from a face's first picture at the camera to its `track.started`.
    var births: [Double] = []
    var ending: (Duration, status: Int32)?

    init(first: DaemonLook) {
        self.first = first
        last = first
    }

    mutating func add(_ status: DaemonStatus) {
        for source in status.sources {
            guard let lag = source.lagSeconds, let time = source.lastFrameAt, lastFrames[source.name] != time else {
                continue
            }
            lastFrames[source.name] = time
            lags[source.name, default: []].append(lag)
        }
    }

    var report: String { [sources, processors, rest].joined(separator: "\n\n") }

    private var seconds: Double { (last.clock - first.clock) / .seconds(1) }

    private func milliseconds(_ samples: [Double]) -> [String] {
        guard let quantiles = Quantiles(samples) else { return ["–", "–", "–"] }
        return [quantiles.percentile(50), quantiles.percentile(99), quantiles.maximum].map {
            String(format: "%.0f", $0 * 1000)
        }
    }

    private var sources: String {
        var table = TextTable(header: [
            "source", "state", "decoded/s", "samples/s", "dropped", "gaps", "lag p50 ms", "p99", "max",
        ])
        let before = Dictionary(first.status.sources.map { ($0.name, $0) }) { $1 }
        for source in last.status.sources {
            guard let old = before[source.name] else { continue }
            func rate(_ count: KeyPath<Ledger, Int>) -> String {
                String(format: "%.2f", Double(source.ledger[keyPath: count] - old.ledger[keyPath: count]) / seconds)
            }
            table.append(
                [
                    source.name, source.status, rate(\.framesDecoded), rate(\.framesSampled),
                    "\(source.framesDropped - old.framesDropped)", "\(source.gaps - old.gaps)",
                ] + milliseconds(lags[source.name] ?? [])
            )
        }
        return table.text
    }

    private var processors: String {
        func cores(_ seconds: Double) -> String { String(format: "%.3f", seconds / self.seconds) }
        var table = TextTable(header: ["processor time", "cores"])
        let total = last.daemon.seconds - first.daemon.seconds
        table.append(["facellmd", cores(total)])
        let threads = last.daemon.byThread(since: first.daemon)
        let reading = threads["live-reader"] ?? 0
        let sockets = threads.filter { $0.key.hasPrefix("NIO") }.values.reduce(0, +)
        table.append(["  reading, decoding", cores(reading)])
        table.append(["  sockets", cores(sockets)])
        table.append(["  perception, events, journal", cores(total - reading - sockets)])
        let server = last.server.seconds - first.server.seconds
        let own = last.own.seconds - first.own.seconds
        table.append(["RTSP server", cores(server)])
        table.append(["this program", cores(own)])
        table.append(["other programs", cores(max(0, last.machine.busy - first.machine.busy - total - server - own))])
        table.append(["idle", cores(last.machine.idle - first.machine.idle)])
        table.append(["taken by other guests", cores(last.machine.stolen - first.machine.stolen)])
        return table.text
    }

    private var rest: String {
        let ledger = last.status.ledger
        let sampled = ledger.framesSampled - first.status.ledger.framesSampled
        let dropped = zip(first.status.sources, last.status.sources).map { $1.framesDropped - $0.framesDropped }
            .reduce(0, +)
        let lag = milliseconds(lags.values.flatMap { $0 })
        let birth = milliseconds(births)
        let violations = ledger.violations()
        let end =
            ending.map { String(format: "%.2f s, status %d", $0.0 / .seconds(1), $0.status) } ?? "had to be killed"
        return """
            measured for        \(String(format: "%.1f", seconds)) s
            samples             \(sampled) looked at, \(dropped) dropped
            faces               \(ledger.facesObserved - first.status.ledger.facesObserved) observed, \
            \(ledger.tracksStarted - first.status.ledger.tracksStarted) tracks
            lag                 p50 \(lag[0]) ms, p99 \(lag[1]) ms, most \(lag[2]) ms
            face to event       p50 \(birth[0]) ms, p99 \(birth[1]) ms, most \(birth[2]) ms (\(births.count) faces)
            memory              \(String(format: "%.0f", last.status.memoryMegabytes)) MB, at most \
            \(String(format: "%.0f", last.peakMiB * 1.048576)) MB
            ledger              \(violations.isEmpty ? "adds up" : violations.joined(separator: "; "))
            end                 \(end)
            """
    }
}

/// When faces were told of.
private final class Births: Sendable {
    private let events = Mutex<[[UInt8]]>([])

    func add(_ line: [UInt8]) { events.withLock { $0.append(line) } }

    /// - Parameter lines: the server's; `shown STREAM SECONDS`.
    /// - Returns: for each time that a stream showed the face's first picture, the seconds until the next
    ///   `track.started` of that source.
    func latencies(after lines: [String], since start: Double) -> [Double] {
        let decoder = EventDecoder()
        var starts: [String: [Double]] = [:]
        for line in events.withLock({ $0 }) {
            guard let event = try? decoder.event(line), let source = event.envelope.source,
                let time = event.envelope.publishedAt
            else { continue }
            starts[source, default: []].append(Double(time.millisecondsSince1970) / 1000)
        }
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "shown", let shown = Double(words[2]), shown >= start else {
                return nil
            }
            // Rounded to milliseconds on both sides.
            return starts[String(words[1])]?.first { $0 >= shown - 0.001 }.map { $0 - shown }
        }
    }
}
