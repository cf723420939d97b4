import FaceLLM

/// Times an engine's parts, with readings of the machine's limits in between.
package struct EngineMeasurement {
    /// Of each stage, after one that is thrown away.
    package var samples = 5
    /// Images encoded, and sequences decoded, at once: a stage for each.
    package var batches = [1]
    /// Tokens of the prompt.
    package var promptTokens = 320
    /// Tokens decoded in a sample, of which one is reported.
    package var decodedTokens = 16
    /// Seconds since some moment.
    package var wallSeconds: () -> Double = {
        (ContinuousClock.now - Self.start) / .seconds(1)
    }
    /// Processor seconds of the process.
    package var cpuSeconds: () -> Double = { ProcessUsage.own.cpuSeconds }

    private static let start = ContinuousClock.now

    package init() {}

    /// Loads an engine, lets it do everything once, and then measures it stage by stage.
    ///
    /// - Parameters:
    ///   - precision: for the report.
    ///   - load: makes the engine; timed.
    ///   - limits: makes the source of limits; not called before the peak of memory has been read, which it may raise.
    package func run<Engine: EngineUnderTest, Limits: LimitSource & ~Copyable>(
        precision: String,
        threads: Int,
        load: () throws -> Engine,
        limits makeLimits: () throws -> Limits
    ) throws -> EngineReport.Run {
        let isPeakOfThisRun = PeakMemory.reset()
        let start = wallSeconds()
        var engine = try load()
        let loadSeconds = wallSeconds() - start

        let plan = stages(of: engine)
        for stage in plan {
            try stage.prepare(&engine)
            try stage.body(&engine)
        }
        var run = EngineReport.Run(
            precision: precision,
            threads: threads,
            loadSeconds: loadSeconds,
            peakMiB: PeakMemory.mebibytes,
            isPeakOfThisRun: isPeakOfThisRun,
            stages: []
        )
        var limits = try makeLimits()
        for stage in plan {
            if let result = try measure(stage, of: &engine, limits: &limits) { run.stages.append(result) }
        }
        return run
    }

    /// One image, a prompt of 64 tokens beside it, and 64 tokens of answer: what a description takes.
    ///
    /// The prompt's last token gives the first token of the answer, so 63 are decoded.
    package static func describe(_ engine: inout some EngineUnderTest) throws {
        try engine.encodeVision(batch: 1)
        let prompt = engine.configuration.imageTokensPerTile + textTokens
        try engine.prefill(tokens: prompt)
        try engine.decode(batch: 1, context: prompt, tokens: textTokens - 1)
    }

    private static let textTokens = 64

    private struct StagePlan<Engine> {
        let name: String
        /// So many units in a call of `body`.
        let units: Int
        /// Parts of one unit: they add up.
        let work: [(EngineWork, Arithmetic)]
        var prepare: (inout Engine) throws -> Void = { _ in }
        let body: (inout Engine) throws -> Void
    }

    private func stages<Engine: EngineUnderTest>(of engine: Engine) -> [StagePlan<Engine>] {
        let configuration = engine.configuration, side = configuration.vision.imageSize
        let text = engine.textArithmetic
        let vision = (EngineWork.vision(configuration), engine.visionArithmetic)
        /// One token of `batch`: they share the reading of the weights.
        func decode(context: Int, batch: Int = 1) -> (EngineWork, Arithmetic) {
            (EngineWork.decode(configuration, context: context, bytes: engine.bytesPerToken / batch), text)
        }
        func name(_ stage: String, batch: Int) -> String { stage + (batch == 1 ? "" : ", 1 of \(batch)") }
        var stages: [StagePlan<Engine>] = batches.map { batch in
            StagePlan(
                name: name("vision \(side) x \(side)", batch: batch),
                units: batch,
                work: [vision]
            ) { try $0.encodeVision(batch: batch) }
        }
        let promptTokens = promptTokens, decodedTokens = decodedTokens
        stages.append(
            StagePlan(
                name: "prefill \(promptTokens)",
                units: 1,
                work: [(EngineWork.prefill(configuration, tokens: promptTokens), text)]
            ) { try $0.prefill(tokens: promptTokens) }
        )
        stages += batches.map { batch in
            StagePlan(
                name: name("decode at \(promptTokens)", batch: batch),
                units: batch * decodedTokens,
                work: [decode(context: promptTokens, batch: batch)],
                prepare: { try $0.prefill(tokens: promptTokens) }
            ) { try $0.decode(batch: batch, context: promptTokens, tokens: decodedTokens) }
        }
        let prompt = configuration.imageTokensPerTile + Self.textTokens
        let answer = (0..<Self.textTokens - 1).map { decode(context: prompt + $0) }
        stages.append(
            StagePlan(
                name: "image + \(Self.textTokens) + \(Self.textTokens)",
                units: 1,
                work: [vision, (EngineWork.prefill(configuration, tokens: prompt), text)] + answer
            ) { try Self.describe(&$0) }
        )
        return stages
    }

    private func measure<Engine: EngineUnderTest, Limits: LimitSource & ~Copyable>(
        _ stage: StagePlan<Engine>,
        of engine: inout Engine,
        limits: inout Limits
    ) throws -> EngineReport.Stage? {
        var wall: [Double] = [], cpu: [Double] = []
        try stage.prepare(&engine)
        var readings = [try limits.read()]
        for _ in 0..<samples {
            let (wallStart, cpuStart) = (wallSeconds(), cpuSeconds())
            try stage.body(&engine)
            wall.append(wallSeconds() - wallStart)
            cpu.append(cpuSeconds() - cpuStart)
            readings.append(try limits.read())
        }
        let perUnit = 1000 / Double(stage.units)
        guard let milliseconds = SampleStatistics(wall.map { $0 * perUnit }),
            let cpuMilliseconds = SampleStatistics(cpu.map { $0 * perUnit }),
            let limits = MachineLimits.median(readings)
        else { return nil }
        return EngineReport.Stage(
            name: stage.name,
            milliseconds: milliseconds,
            cpuMilliseconds: cpuMilliseconds.median,
            operations: stage.work.reduce(0) { $0 + $1.0.operations },
            weightBytes: stage.work.count == 1 ? stage.work[0].0.weightBytes : 0,
            limits: limits,
            floorMilliseconds: 1000 * stage.work.reduce(0) { $0 + $1.0.floor(limits, $1.1) }
        )
    }
}
