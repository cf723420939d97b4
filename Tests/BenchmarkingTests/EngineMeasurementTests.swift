import Benchmarking
import FaceLLM
import Foundation
import Testing

/// Seconds that pass only when somebody says so, and what was done meanwhile.
private final class Log {
    var seconds = 0.0
    var calls: [String] = []
}

/// Takes longer each time it is called: 1, 2, 3… seconds for an image.
private struct SlowingEngine: EngineUnderTest {
    let log: Log
    let configuration: ModelConfiguration
    let visionArithmetic = Arithmetic.int8
    let textArithmetic = Arithmetic.float32
    let bytesPerToken = 1000
    private var images = 0

    init(log: Log) throws {
        self.log = log
        configuration = try .oneB()
    }

    mutating func encodeVision(batch: Int) {
        images += 1
        log.seconds += Double(images * batch)
        log.calls.append("vision \(batch)")
    }

    mutating func prefill(tokens: Int) {
        log.seconds += 0.5
        log.calls.append("prefill \(tokens)")
    }

    mutating func decode(batch: Int, context: Int, tokens: Int) {
        log.seconds += 0.25 * Double(tokens)
        log.calls.append("decode \(tokens) at \(context)" + (batch == 1 ? "" : " by \(batch)"))
    }
}

/// Reading takes a long time, and gives 1, 2, 3… times the first limits.
private struct ScriptedLimits: LimitSource {
    let log: Log
    private var readings = 0.0

    init(log: Log) { self.log = log }

    mutating func read() -> MachineLimits {
        log.seconds += 1000
        log.calls.append("limits")
        readings += 1
        return MachineLimits(
            float32OperationsPerSecond: readings * 1e12,
            int8OperationsPerSecond: readings * 4e12,
            readBytesPerSecond: readings * 100
        )
    }
}

@Suite struct EngineMeasurementTests {
    private let log = Log()

    private func run(samples: Int = 3, batches: [Int] = [1]) throws -> EngineReport.Run {
        var measurement = EngineMeasurement()
        measurement.samples = samples
        measurement.batches = batches
        measurement.decodedTokens = 8
        measurement.wallSeconds = { [log] in log.seconds }
        measurement.cpuSeconds = { [log] in 2 * log.seconds }
        return try measurement.run(
            precision: "int8",
            threads: 2,
            load: {
                log.seconds += 42
                return try SlowingEngine(log: log)
            },
            limits: {
                log.calls.append("tracker")
                return ScriptedLimits(log: log)
            }
        )
    }

    @Test func everythingRunsOnceBeforeItCounts() throws {
        let run = try run(samples: 1)
        let describe = ["vision 1", "prefill 320", "decode 63 at 320"]
        let warmUp = ["vision 1", "prefill 320", "prefill 320", "decode 8 at 320"] + describe
        #expect(Array(log.calls.prefix(warmUp.count + 1)) == warmUp + ["tracker"])
        let measured = [
            ["limits", "vision 1", "limits"], ["limits", "prefill 320", "limits"],
            ["prefill 320", "limits", "decode 8 at 320", "limits"], ["limits"] + describe + ["limits"],
        ]
        #expect(Array(log.calls.dropFirst(warmUp.count + 1)) == measured.flatMap { $0 })
        #expect(run.loadSeconds == 42)
        #expect((run.precision, run.threads) == ("int8", 2))
        #expect((run.peakMiB ?? 0) > 1)
        #expect(run.stages.map(\.name) == ["vision 448 x 448", "prefill 320", "decode at 320", "image + 64 + 64"])
    }

    /// The warm-up's images took 1 and 2 s; neither limits nor preparation count as the engine's time.
    @Test func timesAreTheEngines() throws {
        let stages = try run().stages
        #expect(stages[0].milliseconds == SampleStatistics([3000, 4000, 5000]))
        #expect(stages[0].cpuMilliseconds == 8000)
        #expect(stages[1].milliseconds == SampleStatistics([500, 500, 500]))
        #expect(stages[2].milliseconds == SampleStatistics([250, 250, 250]))
        #expect(stages[3].milliseconds.minimum == 6000 + 500 + 63 * 250)
    }

    @Test func sharesUseTheLimitsOfTheirOwnTime() throws {
        let stages = try run().stages
        // Four readings a stage: 1...4, 5...8.
        #expect(stages[0].limits.float32OperationsPerSecond == 2.5e12)
        #expect(stages[1].limits.float32OperationsPerSecond == 6.5e12)
        let floor = EngineWork.vision(try .oneB()).floor(stages[0].limits, .int8)
        #expect(stages[0].floorMilliseconds == 1000 * floor)
        #expect(stages[0].share == floor / 4)
        // 1000 bytes a token at 1050 bytes a second (readings 9...12).
        #expect(abs(stages[2].share - 1000.0 / 1050 / 0.25) < 1e-9)
    }

    @Test func aBatchIsCountedByImageAndToken() throws {
        let stages = try run(samples: 1, batches: [1, 4]).stages
        #expect(stages[4].name == "decode at 320, 1 of 4")
        #expect(log.calls.contains("decode 8 at 320 by 4"))
        // Four sequences share the second that a token of each takes, and the reading of a thousand bytes.
        #expect(stages[4].milliseconds.median == 250.0 / 4)
        #expect(stages[4].weightBytes == 250)
        #expect(stages[4].operations == stages[3].operations)
        #expect(stages[1].name == "vision 448 x 448, 1 of 4")
        #expect(stages[1].operations == stages[0].operations)
        // The fifth call, 5 s an image.
        #expect(stages[1].milliseconds.median == 5000)
    }

    @Test func aDescriptionAddsUp() throws {
        let last = try #require(try run().stages.last)
        let model = try ModelConfiguration.oneB()
        let answer = (320..<383).map { EngineWork.decode(model, context: $0, bytes: 0) }
        let parts = [EngineWork.vision(model), EngineWork.prefill(model, tokens: 320)] + answer
        let sum: Double = parts.map(\.operations).reduce(0, +)
        #expect(abs(last.operations / sum - 1) < 1e-12)
        #expect(last.weightBytes == 0)
    }

    @Test func errorsEndTheMeasurement() {
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            _ = try EngineMeasurement().run(
                precision: "f32",
                threads: 1,
                load: { () throws -> SlowingEngine in throw Broken() },
                limits: { ScriptedLimits(log: log) }
            )
        }
    }
}
