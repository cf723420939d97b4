/// Two programs that do the same work, run in turn, so that both see the same state of the machine.
package struct CommandComparison: Sendable, Hashable, Codable {
    /// The other program, as the user wrote it.
    package var command: String
    /// In pairs: `own[i]` and `other[i]` ran directly after one another.
    package var own: [CommandRun]
    package var other: [CommandRun]

    package init(command: String, own: [CommandRun], other: [CommandRun]) {
        self.command = command
        self.own = own
        self.other = other
    }

    /// Runs both once without counting it, then `samples` pairs whose order changes from pair to pair.
    ///
    /// - Parameter samples: at least 1.
    /// - Parameter run: runs a program to its end.
    package static func measure(
        own: [String],
        command: String,
        samples: Int,
        run: ([String]) throws(BenchmarkError) -> CommandRun = CommandRun.run
    ) throws(BenchmarkError) -> CommandComparison {
        let other = ["/bin/sh", "-c", command]
        _ = try run(own)
        _ = try run(other)
        var comparison = CommandComparison(command: command, own: [], other: [])
        for pair in 0..<max(1, samples) {
            if pair.isMultiple(of: 2) {
                comparison.own.append(try run(own))
                comparison.other.append(try run(other))
            } else {
                comparison.other.append(try run(other))
                comparison.own.append(try run(own))
            }
        }
        return comparison
    }

    /// Other divided by own, pair by pair: above 1, ours is the faster.
    package var wallRatio: SampleStatistics? { ratio(\.wallSeconds) }
    /// The same of processor seconds.
    package var cpuRatio: SampleStatistics? { ratio(\.cpuSeconds) }

    private func ratio(_ value: (CommandRun) -> Double) -> SampleStatistics? {
        SampleStatistics(zip(own, other).map { value($1) / value($0) })
    }

    package var text: String {
        var table = TextTable(header: ["whole process, loading included", "wall s", "min", "cpu s", "min"])
        for (name, runs) in [("this engine", own), ("the command", other)] {
            guard let wall = SampleStatistics(runs.map(\.wallSeconds)),
                let cpu = SampleStatistics(runs.map(\.cpuSeconds))
            else { continue }
            table.append([
                name, fixed(wall.median, 2), fixed(wall.minimum, 2), fixed(cpu.median, 2), fixed(cpu.minimum, 2),
            ])
        }
        if let wallRatio, let cpuRatio {
            table.append([
                "command / this (of pairs)", fixed(wallRatio.median, 2), fixed(wallRatio.minimum, 2),
                fixed(cpuRatio.median, 2), fixed(cpuRatio.minimum, 2),
            ])
        }
        return "compared with: \(command)\n\(table.text)"
    }
}
