import Imaging
import Testing

@testable import FaceLLM

/// Guessing ahead: finds what may follow, and never changes an answer.
@Suite struct DraftTests {
    @Test("looks up the last tokens, the longest match first, the last occurrence")
    func lookup() {
        let draft = Draft([[1, 2, 3, 4, 5, 2, 3, 9, 9]])
        #expect(Array(draft.next(after: [], count: 3)) == [1, 2, 3])
        #expect(Array(draft.next(after: [7, 2, 3], count: 2)) == [9, 9])
        #expect(Array(draft.next(after: [1, 2, 3], count: 2)) == [4, 5])
        #expect(Array(draft.next(after: [8, 8], count: 2)) == [])
        #expect(Array(draft.next(after: [9, 9], count: 2)) == [])
        // From the answer itself.
        #expect(Array(Draft([]).next(after: [5, 6, 7, 8, 5, 6], count: 2)) == [7, 8])
        #expect(Array(Draft([[], []]).next(after: [], count: 2)) == [])
    }

    private struct Generated: Equatable {
        var tokens: [TokenID] = []
        var passes = 0
        var end: GenerationEnd = .enough
        var cached = 0
    }

    private func generate(_ engine: Engine, seed: UInt64, count: Int, draft: Draft?) throws -> Generated {
        let tiles = try engine.tiles(of: try EngineFixtures.picture(seed))
        let messages = engine.builder.face("What is it?")
        var prepared = try engine.prepare(
            engine.builder.prompt(messages),
            pictures: [tiles],
            run: Run(stop: StopCondition())
        )
        let before = prepared.cache.count + prepared.rest.count
        var result = Generated()
        var sampler = try Sampler(), history: [TokenID] = []
        result.end = engine.model.language.generate(
            after: engine.model.language.embed(prepared.rest),
            cache: &prepared.cache,
            sampler: &sampler,
            history: &history,
            expected: count,
            draft: draft,
            isCancelled: {
                result.passes += 1
                return false
            },
            onToken: { token, _ in
                result.tokens.append(token.id)
                return result.tokens.count < count
            }
        )
        result.passes /= engine.checkpoint.configuration.text.layers
        result.cached = prepared.cache.count - before
        return result
    }

    @Test(
        "right, wrong and half-right guesses give the same tokens",
        arguments: [
            ModelPrecision.reference, ModelPrecision(vision: .int8, text: .int8),
        ]
    )
    func sameAnswer(_ precision: ModelPrecision) throws {
        let engine = try EngineFixtures.engine { $0.precision = precision }
        var generator = SplitMix64(seed: 5)
        for seed: UInt64 in 1...6 {
            let plain = try generate(engine, seed: seed, count: 48, draft: nil)
            #expect(plain.passes == 48)
            #expect(plain.cached == 47)
            var half = plain.tokens
            for index in stride(from: 5, to: half.count, by: 9) { half[index] = TokenID(generator.next() % 1000) }
            let noise = (0..<48).map { _ in TokenID(generator.next() % 1000) }
            for draft in [Draft([plain.tokens]), Draft([half]), Draft([noise]), Draft([]), Draft([noise, half])] {
                let drafted = try generate(engine, seed: seed, count: 48, draft: draft)
                #expect(drafted.tokens == plain.tokens)
                #expect(drafted.end == plain.end)
                #expect(drafted.cached == plain.cached)
                #expect(drafted.passes <= 2 * plain.passes)
            }
            if precision == .reference {
                #expect(try generate(engine, seed: seed, count: 48, draft: Draft([plain.tokens])).passes < 24)
            }
        }
    }

    @Test("a token each of several sequences: bit by bit what each gets alone")
    func together() throws {
        for precision in [ModelPrecision.reference, ModelPrecision(vision: .f32, text: .int8)] {
            let engine = try EngineFixtures.engine { $0.precision = precision }
            let language = engine.model.language
            var alone: [KVCache] = [], together: [KVCache] = []
            for index in 0..<5 {
                var cache = language.makeCache(capacity: 64)
                _ = language.forward(language.embed(Array(1...(3 + index))), cache: &cache)
                alone.append(cache)
                together.append(cache)
            }
            for round in 0..<4 {
                let tokens = (0..<5).map { 10 * round + $0 }
                let hidden = try #require(language.step(tokens, caches: &together, expected: 4))
                for index in 0..<5 {
                    let one = try #require(
                        language.forward(language.embed([tokens[index]]), cache: &alone[index], wanted: .last)
                    )
                    #expect(one.values == hidden.row(index))
                    #expect(alone[index].count == together[index].count)
                }
            }
            let counts = together.map(\.count)
            #expect(language.step([1, 2, 3, 4, 5], caches: &together, isCancelled: { true }) == nil)
            #expect(together.map(\.count) == counts)
        }
    }
}
