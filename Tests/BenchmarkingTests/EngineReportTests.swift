import Benchmarking
import Foundation
import Testing

@Suite struct EngineReportTests {
    private func run() throws -> EngineReport.Run {
        let limits = MachineLimits(
            float32OperationsPerSecond: 227e9,
            int8OperationsPerSecond: 920e9,
            readBytesPerSecond: 25.04e9
        )
        return EngineReport.Run(
            precision: "int8",
            threads: 2,
            loadSeconds: 1.234,
            peakMiB: 1096.4,
            isPeakOfThisRun: true,
            stages: [
                EngineReport.Stage(
                    name: "vision 448 x 448",
                    milliseconds: try #require(SampleStatistics([1000, 2000, 4000])),
                    cpuMilliseconds: 3999.96,
                    operations: 726e9,
                    weightBytes: 0,
                    limits: limits,
                    floorMilliseconds: 1100
                ),
                EngineReport.Stage(
                    name: "decode at 320",
                    milliseconds: try #require(SampleStatistics([25])),
                    cpuMilliseconds: 50,
                    operations: 1e9,
                    weightBytes: 500e6,
                    limits: limits,
                    floorMilliseconds: 20
                ),
            ]
        )
    }

    @Test func tableOfARun() throws {
        let text = try run().text.split(separator: "\n").map(String.init)
        #expect(
            Array(text.prefix(4)) == [
                "int8, 2 threads: loaded in 1.23 s, peak memory 1096 MiB",
                "                       work  min ms  median     p95  cpu ms         rate  share  FMA  int8  read",
                "vision 448 x 448  726 GFLOP  1000.0  2000.0  4000.0  4000.0  363 GFLOP/s   55 %  227   920  25.0",
                "decode at 320        500 MB    25.0    25.0    25.0    50.0    20.0 GB/s   80 %  227   920  25.0",
            ]
        )
    }

    @Test func runsSideBySide() throws {
        var other = try run()
        other.precision = "int4"
        other.threads = 1
        other.peakMiB = nil
        other.stages.removeFirst()
        other.comparison = CommandComparison(
            command: "true",
            own: [CommandRun(wallSeconds: 2, cpuSeconds: 2)],
            other: [CommandRun(wallSeconds: 3, cpuSeconds: 3)]
        )
        let report = EngineReport(environment: .current, model: "m", runs: [try run(), other])
        #expect(
            report.summary.split(separator: "\n").map(String.init) == [
                "median ms (share of the limit)       int8 x 2     int4 x 1",
                "vision 448 x 448                2000.0 (55 %)             ",
                "decode at 320                     25.0 (80 %)  25.0 (80 %)",
                "loaded in s                              1.23         1.23",
                "peak memory, MiB                         1096             ",
                "other command / this, wall                            1.50",
            ]
        )
    }

    @Test func aPeakOfSeveralRunsIsCalledThat() throws {
        var run = try run()
        run.isPeakOfThisRun = false
        #expect(run.text.hasPrefix("int8, 2 threads: loaded in 1.23 s, peak memory 1096 MiB (of all runs so far)\n"))
        run.peakMiB = nil
        run.threads = 1
        #expect(run.text.hasPrefix("int8, 1 thread: loaded in 1.23 s\n"))
    }

    @Test func survivesJSON() throws {
        var run = try run()
        run.comparison = CommandComparison(command: "true", own: [], other: [])
        let report = EngineReport(environment: .current, model: "m", runs: [run])
        let decoded = try JSONDecoder().decode(EngineReport.self, from: JSONEncoder().encode(report))
        #expect(decoded.text == report.text)
        #expect(decoded.environment == report.environment)
    }

    @Test func tableAlignsColumns() {
        var table = TextTable(header: ["", "long heading"])
        table.append(["first", "1"])
        table.append(["é", "22"])
        #expect(table.text == "       long heading\nfirst             1\né                22")
    }
}
