/// What a benchmark of the engine found.
package struct EngineReport: Sendable, Codable {
    /// One part of the model's work.
    package struct Stage: Sendable, Codable {
        package var name: String
        /// Of one unit (an image, a prompt, a token, a whole description): wall time.
        package var milliseconds: SampleStatistics
        /// Processor time of one unit, median.
        package var cpuMilliseconds: Double
        /// Operations of one unit.
        package var operations: Double
        /// Bytes of weights that one unit reads, where reading them is what takes the time.
        package var weightBytes: Double
        /// What the machine could do meanwhile: medians of readings before, between and after the samples.
        package var limits: MachineLimits
        /// The least time for one unit at these limits.
        package var floorMilliseconds: Double

        /// How near the median comes to the limit; 1 is the limit itself.
        package var share: Double

        package init(
            name: String,
            milliseconds: SampleStatistics,
            cpuMilliseconds: Double,
            operations: Double,
            weightBytes: Double,
            limits: MachineLimits,
            floorMilliseconds: Double
        ) {
            self.name = name
            self.milliseconds = milliseconds
            self.cpuMilliseconds = cpuMilliseconds
            self.operations = operations
            self.weightBytes = weightBytes
            self.limits = limits
            self.floorMilliseconds = floorMilliseconds
            share = floorMilliseconds / milliseconds.median
        }
    }

    /// One engine with one precision and one number of threads.
    package struct Run: Sendable, Codable {
        package var precision: String
        package var threads: Int
        package var loadSeconds: Double
        /// From before loading until after all work has been done once.
        package var peakMiB: Double?
        /// Whether `peakMiB` is this engine's own peak, not that of all engines measured so far.
        package var isPeakOfThisRun: Bool
        package var stages: [Stage]
        package var comparison: CommandComparison?

        package init(
            precision: String,
            threads: Int,
            loadSeconds: Double,
            peakMiB: Double?,
            isPeakOfThisRun: Bool,
            stages: [Stage]
        ) {
            self.precision = precision
            self.threads = threads
            self.loadSeconds = loadSeconds
            self.peakMiB = peakMiB
            self.isPeakOfThisRun = isPeakOfThisRun
            self.stages = stages
        }
    }

    package var environment: MachineDescription
    package var model: String
    package var runs: [Run]

    package init(environment: MachineDescription, model: String, runs: [Run]) {
        self.environment = environment
        self.model = model
        self.runs = runs
    }
}

extension EngineReport {
    /// The environment in a line, then a table for each run.
    package var text: String {
        ([environment.line, "model: \(model)"] + runs.map { "\n" + $0.text }).joined(separator: "\n")
    }
}

extension EngineReport {
    /// All runs side by side: a row for each stage, a column for each precision and number of threads.
    package var summary: String {
        let columns = runs.map { "\($0.precision) x \($0.threads)" }
        var table = TextTable(header: ["median ms (share of the limit)"] + columns)
        var names: [String] = []
        for stage in runs.flatMap(\.stages) where !names.contains(stage.name) { names.append(stage.name) }
        for name in names {
            let cells = runs.map { run in
                guard let stage = run.stages.first(where: { $0.name == name }) else { return "" }
                return "\(fixed(stage.milliseconds.median, 1)) (\(fixed(100 * stage.share, 0)) %)"
            }
            table.append([name] + cells)
        }
        table.append(["loaded in s"] + runs.map { fixed($0.loadSeconds, 2) })
        table.append(["peak memory, MiB"] + runs.map { $0.peakMiB.map { fixed($0, 0) } ?? "" })
        if runs.contains(where: { $0.comparison != nil }) {
            let ratios = runs.map { $0.comparison?.wallRatio.map { fixed($0.median, 2) } ?? "" }
            table.append(["other command / this, wall"] + ratios)
        }
        return table.text
    }
}

extension EngineReport.Run {
    package var text: String {
        var heading = "\(precision), \(threads) \(threads == 1 ? "thread" : "threads"): "
        heading += "loaded in \(fixed(loadSeconds, 2)) s"
        if let peakMiB {
            heading += ", peak memory \(fixed(peakMiB, 0)) MiB" + (isPeakOfThisRun ? "" : " (of all runs so far)")
        }
        var table = TextTable(
            header: ["", "work", "min ms", "median", "p95", "cpu ms", "rate", "share", "FMA", "int8", "read"]
        )
        for stage in stages {
            let seconds = stage.milliseconds.median / 1000
            table.append([
                stage.name,
                stage.weightBytes > 0
                    ? "\(readable(stage.weightBytes / 1e6)) MB" : "\(readable(stage.operations / 1e9)) GFLOP",
                fixed(stage.milliseconds.minimum, 1),
                fixed(stage.milliseconds.median, 1),
                fixed(stage.milliseconds.p95, 1),
                fixed(stage.cpuMilliseconds, 1),
                stage.weightBytes > 0
                    ? "\(readable(stage.weightBytes / seconds / 1e9)) GB/s"
                    : "\(readable(stage.operations / seconds / 1e9)) GFLOP/s",
                "\(fixed(100 * stage.share, 0)) %",
                fixed(stage.limits.float32OperationsPerSecond / 1e9, 0),
                fixed(stage.limits.int8OperationsPerSecond / 1e9, 0),
                fixed(stage.limits.readBytesPerSecond / 1e9, 1),
            ])
        }
        var lines = [heading, table.text]
        if !stages.isEmpty {
            lines.append(
                """
                rate and share: of the median. share: the least time at the limits beside it, divided by the time.
                FMA, int8: GFLOP/s (\(MachineLimits.float32Unit)), GOP/s (\(MachineLimits.int8Unit)); \
                read: GB/s; measured between the samples.
                """
            )
        }
        if let comparison { lines.append(comparison.text) }
        return lines.joined(separator: "\n")
    }
}
