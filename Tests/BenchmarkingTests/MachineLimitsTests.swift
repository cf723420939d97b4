import Benchmarking
import CMachine
import Testing

/// Rates are not judged here, only that there are some.
@Suite(.serialized) struct MachineLimitsTests {
    @Test func medianOfEachLimit() throws {
        let readings = [(1.0, 30.0, 5.0), (9, 10, 6), (2, 20, 100)].map {
            MachineLimits(float32OperationsPerSecond: $0.0, int8OperationsPerSecond: $0.1, readBytesPerSecond: $0.2)
        }
        let median = try #require(MachineLimits.median(readings))
        #expect(median.float32OperationsPerSecond == 2)
        #expect(median.int8OperationsPerSecond == 20)
        #expect(median.readBytesPerSecond == 6)
        #expect(MachineLimits.median([]) == nil)
    }

    @Test(arguments: [1, 2, 5]) func readsSomething(threads: Int) throws {
        var tracker = try LimitTracker(threads: threads, milliseconds: 1)
        let limits = try tracker.read()
        // Any machine that runs this does a million operations a second, none does 10^18.
        #expect(1e6...1e18 ~= limits.float32OperationsPerSecond)
        #expect(1e6...1e18 ~= limits.int8OperationsPerSecond)
        #expect(1e6...1e18 ~= limits.readBytesPerSecond)
    }

    @Test(arguments: [0, -1, Int.min, Int.max]) func refusesImpossibleThreads(threads: Int) {
        #expect(throws: BenchmarkError.self) { _ = try LimitTracker(threads: threads) }
    }

    @Test func unitsHaveNames() {
        #expect(["avx512", "avx2", "neon", "portable"].contains(MachineLimits.float32Unit))
        #expect(["avx512vnni", "avxvnni", "avx2", "neon-dotprod", "portable"].contains(MachineLimits.int8Unit))
    }

    @Test func noThreadsNoRate() {
        #expect(cm_fma_f32(0, 1) == 0)
        #expect(cm_dot_int8(-3, 1) == 0)
    }

    /// Sizes are rounded up to whole blocks; reading goes round a small buffer without leaving it.
    @Test(arguments: [0, 1, 1 << 20, (1 << 20) + 1]) func smallMemoryIsReadInARound(bytes: Int) throws {
        let memory = try #require(cm_memory_create(bytes))
        defer { cm_memory_destroy(memory) }
        #expect(cm_memory_read(memory, 2, 2) > 0)
        #expect(cm_memory_read(memory, 1, 2) > 0)
    }

    @Test func tooMuchMemoryIsRefused() {
        #expect(cm_memory_create(Int.max) == nil)
        cm_memory_destroy(nil)
    }
}
