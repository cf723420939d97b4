import CMachine

/// What the machine can do at a moment, with a given number of threads.
package struct MachineLimits: Sendable, Hashable, Codable {
    /// Single-precision multiply-adds on registers, two operations each.
    package var float32OperationsPerSecond: Double
    /// 8-bit products accumulated in 32 bits, two operations each.
    package var int8OperationsPerSecond: Double
    /// Reading main memory.
    package var readBytesPerSecond: Double

    package init(float32OperationsPerSecond: Double, int8OperationsPerSecond: Double, readBytesPerSecond: Double) {
        self.float32OperationsPerSecond = float32OperationsPerSecond
        self.int8OperationsPerSecond = int8OperationsPerSecond
        self.readBytesPerSecond = readBytesPerSecond
    }

    /// The medians of each limit; nil where there are no readings.
    package static func median(_ readings: some Collection<MachineLimits>) -> MachineLimits? {
        func median(_ value: (MachineLimits) -> Double) -> Double? { SampleStatistics(readings.map(value))?.median }
        guard let float32 = median(\.float32OperationsPerSecond), let int8 = median(\.int8OperationsPerSecond),
            let read = median(\.readBytesPerSecond)
        else { return nil }
        return MachineLimits(
            float32OperationsPerSecond: float32,
            int8OperationsPerSecond: int8,
            readBytesPerSecond: read
        )
    }

    /// The vector unit that single precision was measured with, as `avx512`.
    package static var float32Unit: String { String(cString: cm_fma_f32_unit()) }
    /// The vector unit that 8-bit products were measured with, as `avx512vnni`.
    package static var int8Unit: String { String(cString: cm_dot_int8_unit()) }
}

/// Where a benchmark has the machine's limits from.
package protocol LimitSource: ~Copyable {
    /// What the machine can do now.
    mutating func read() throws(BenchmarkError) -> MachineLimits
}

/// Measures the machine's limits again and again, so that they can be compared with work of the same minute.
///
/// Clock and memory of a shared host drift by tens of percent within an hour. One reading takes about 100 ms and leaves
/// the caches full of its own data. Holds 512 MiB of memory.
package struct LimitTracker: ~Copyable, LimitSource {
    /// Far more than any last cache level that is common.
    private static let bufferBytes = 512 << 20

    private let memory: OpaquePointer
    private let threads: Int32
    private let milliseconds: Double

    /// - Parameter milliseconds: for each of the three limits.
    package init(threads: Int, milliseconds: Double = 30) throws(BenchmarkError) {
        guard let count = Int32(exactly: threads), count > 0 else {
            throw BenchmarkError(.measureLimits, "\(threads) threads")
        }
        guard let memory = cm_memory_create(Self.bufferBytes) else {
            throw BenchmarkError(.measureLimits, "no memory of \(Self.bufferBytes >> 20) MiB to read from")
        }
        self.memory = memory
        self.threads = count
        self.milliseconds = milliseconds
    }

    deinit { cm_memory_destroy(memory) }

    package mutating func read() throws(BenchmarkError) -> MachineLimits {
        let limits = MachineLimits(
            float32OperationsPerSecond: cm_fma_f32(threads, milliseconds),
            int8OperationsPerSecond: cm_dot_int8(threads, milliseconds),
            readBytesPerSecond: cm_memory_read(memory, threads, milliseconds)
        )
        guard limits.float32OperationsPerSecond > 0, limits.int8OperationsPerSecond > 0, limits.readBytesPerSecond > 0
        else { throw BenchmarkError(.measureLimits, "\(threads) threads cannot be had") }
        return limits
    }
}
