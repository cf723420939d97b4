import Benchmarking
import Testing

@Suite struct CommandComparisonTests {
    private func used(wall: Double, cpu: Double = 1) -> CommandRun {
        CommandRun(wallSeconds: wall, cpuSeconds: cpu)
    }

    /// The first of each is thrown away; then the order changes from pair to pair.
    @Test func takesTurns() throws {
        var calls: [String] = []
        let comparison = try CommandComparison.measure(own: ["own"], command: "other", samples: 3) { arguments in
            calls.append(arguments.joined(separator: " "))
            return used(wall: Double(calls.count))
        }
        let a = "own", b = "/bin/sh -c other"
        #expect(calls == [a, b, a, b, b, a, a, b])
        #expect(comparison.own.map(\.wallSeconds) == [3, 6, 7])
        #expect(comparison.other.map(\.wallSeconds) == [4, 5, 8])
    }

    @Test func ratiosAreOfPairs() throws {
        let comparison = CommandComparison(
            command: "other",
            own: [used(wall: 1, cpu: 2), used(wall: 10, cpu: 2), used(wall: 2, cpu: 2)],
            other: [used(wall: 3, cpu: 1), used(wall: 20, cpu: 1), used(wall: 8, cpu: 3)]
        )
        #expect(comparison.wallRatio == SampleStatistics([3, 2, 4]))
        #expect(comparison.cpuRatio == SampleStatistics([0.5, 0.5, 1.5]))
        let lines = comparison.text.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "compared with: other",
                "whole process, loading included  wall s   min  cpu s   min",
                "this engine                        2.00  1.00   2.00  2.00",
                "the command                        8.00  3.00   1.00  1.00",
                "command / this (of pairs)          3.00  2.00   0.50  0.50",
            ]
        )
    }
}

@Suite(.serialized) struct CommandRunTests {
    /// What the child uses, its own children included, is told apart from what earlier children used.
    @Test func countsTheChildAlone() throws {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done"
        let work = try CommandRun.run(["/bin/sh", "-c", "(\(busy)); true"])
        let rest = try CommandRun.run(["/bin/sh", "-c", "true"])
        #expect(work.cpuSeconds > rest.cpuSeconds)
        #expect(work.wallSeconds > 0)
    }

    @Test func inputIsEmptyAndOutputGoesNowhere() throws {
        _ = try CommandRun.run(["/bin/sh", "-c", "echo text; echo text >&2; ! read line"])
    }

    @Test(arguments: [
        (["/bin/sh", "-c", "exit 3"], "exit status 3"), (["/bin/sh", "-c", "kill -9 $$"], "signal 9"),
        (["/nonexistent/program"], "does not start"), ([], "no program"),
    ])
    func failuresAreErrors(arguments: [String], reason: String) {
        let error = #expect(throws: BenchmarkError.self) { try CommandRun.run(arguments) }
        #expect(error?.description.contains(reason) == true)
    }
}
