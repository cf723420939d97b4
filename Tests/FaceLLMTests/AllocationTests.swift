import CAllocationCount
import Testing

@testable import FaceLLM

/// Allocations of the thread that computes; the kernels' other threads run nothing but kernels.
@Suite(
    .enabled(if: allocations_of_this_thread() >= 0, "allocations cannot be counted with this C library or sanitizer")
)
struct AllocationTests {
    private static let precisions: [ModelPrecision] = [
        .reference, ModelPrecision(vision: .int8, text: .int8), ModelPrecision(vision: .int8, text: .int4),
    ]

    private func engine(_ precision: ModelPrecision) throws -> Engine {
        try EngineFixtures.engine { $0.precision = precision }
    }

    @Test("The count notices what an array takes")
    func countCounts() {
        let before = allocations_of_this_thread()
        let numbers = [Int](unsafeUninitializedCapacity: 1000) { $1 = $0.count }
        #expect(allocations_of_this_thread() > before)
        #expect(numbers.count >= 1000)
    }

    @Test("A token costs no allocation after the first few", arguments: precisions)
    func generating(precision: ModelPrecision) throws {
        let language = try engine(precision).model.language
        var counts: [Int] = []
        counts.reserveCapacity(64)
        var cache = language.makeCache(capacity: 512)
        var sampler = try Sampler()
        var history: [TokenID] = []
        let end = language.generate(
            after: language.embed([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            cache: &cache,
            sampler: &sampler,
            history: &history,
            expected: 40
        ) { _, _ in
            counts.append(allocations_of_this_thread())
            return counts.count < 40
        }
        #expect(end == .enough && counts.count == 40)
        // The prompt's pass and the first token's make room for all.
        #expect(Set(counts.dropFirst(2)).count == 1, "\(zip(counts, counts.dropFirst()).map { $1 - $0 })")
    }

    @Test("Nor do tokens of several answers side by side", arguments: precisions)
    func together(precision: ModelPrecision) throws {
        let language = try engine(precision).model.language
        var caches: [KVCache] = []
        for index in 0..<4 {
            var cache = language.makeCache(capacity: 512)
            _ = language.forward(language.embed(Array(1...(3 + index))), cache: &cache, expected: 40)
            caches.append(cache)
        }
        let tokens = [5, 6, 7, 8]
        var counts: [Int] = []
        counts.reserveCapacity(64)
        // Without the testing library's own allocations.
        for _ in 0..<30 {
            let logits = language.nextLogits(tokens, caches: &caches, expected: 10)
            if logits?[0].isFinite == true { counts.append(allocations_of_this_thread()) }
        }
        #expect(counts.count == 30)
        #expect(caches.map(\.count) == [33, 34, 35, 36])
        #expect(Set(counts.dropFirst(2)).count == 1, "\(counts)")
    }
}
