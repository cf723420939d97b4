import Testing

@testable import FaceLLM

/// Whatever is kept between questions, an answer is about its own picture.
@Suite struct EngineCacheTests {
    @Test("A, B, C, A under one prompt: equal pictures answer bit by bit the same, different ones differently")
    func sequence() throws {
        let engine = try EngineFixtures.engine()
        let pictures = try [1, 2, 3, 1].map { try EngineFixtures.picture($0) }
        let answers = try pictures.map { try engine.signature($0) }
        #expect(answers[0] == answers[3])
        #expect(answers[0] != answers[1])
        #expect(answers[1] != answers[2])
        #expect(answers[0] != answers[2])
        let texts = try pictures.map { try engine.text($0) }
        #expect(texts[0] == texts[3])
        #expect(Set(texts).count == 3)
    }

    @Test("a permuted batch gives each picture what it gets alone on a fresh engine")
    func permutedBatch() throws {
        let seeds: [UInt64] = [11, 12, 13, 14]
        var alone: [UInt64: [Double]] = [:]
        for seed in seeds {
            alone[seed] = try EngineFixtures.engine().signature(try EngineFixtures.picture(seed))
        }
        #expect(Set(alone.values).count == seeds.count)
        let engine = try EngineFixtures.engine()
        for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 2, 0, 3, 1, 0]] {
            for index in order {
                let seed = seeds[index]
                #expect(try engine.signature(try EngineFixtures.picture(seed)) == alone[seed])
            }
        }
    }

    @Test("what is known is used, and changes no bit")
    func knownPrefix() throws {
        let engine = try EngineFixtures.engine()
        let tiles = try engine.tiles(of: try EngineFixtures.picture(5))
        let prompt = engine.builder.prompt(engine.builder.face("What is it?"))
        let first = try engine.describe(prompt, pictures: [tiles])
        let second = try engine.describe(prompt, pictures: [tiles])
        #expect(!first.timings.prefixReused)
        #expect(first.timings.picturesEncoded == 1)
        #expect(second.timings.prefixReused)
        #expect(second.timings.picturesEncoded == 0)
        #expect(first.text == second.text)
        #expect(first.meanLogProbability == second.meanLogProbability)
        // Another prompt before the same picture: the picture is known, the prefix is not.
        let framed = engine.builder.prompt(try engine.builder.frames(1, "What is it?"))
        let third = try engine.describe(framed, pictures: [tiles])
        #expect(!third.timings.prefixReused)
        #expect(third.timings.picturesReused == 1)
    }

    @Test("a cache without room changes nothing but the time")
    func noRoom() throws {
        let large = try EngineFixtures.engine()
        let none = try EngineFixtures.engine { $0.cacheBytes = 0 }
        for seed: UInt64 in [1, 2, 1] {
            let picture = try EngineFixtures.picture(seed)
            #expect(try none.signature(picture) == large.signature(picture))
        }
        let tiles = try none.tiles(of: try EngineFixtures.picture(1))
        let prompt = none.builder.prompt(none.builder.face("What is it?"))
        #expect(try none.describe(prompt, pictures: [tiles]).timings.picturesEncoded == 1)
    }

    @Test("the same pixels in other tiles are another picture")
    func preprocessing() throws {
        let one = try EngineFixtures.engine()
        let several = try EngineFixtures.engine { $0.maxTiles = 4 }
        let image = try EngineFixtures.picture(9, side: 128)
        let tiles = (try one.tiles(of: image), try several.tiles(of: image))
        #expect(tiles.1.count > tiles.0.count)
        #expect(ContentKey(tiles.0) != ContentKey(tiles.1))
        #expect(ContentKey(tiles.0) == ContentKey(try one.tiles(of: image)))
        #expect(ContentKey(tiles.0.emptied) != ContentKey(tiles.0))
    }

    @Test("one thread or three, the same bits")
    func threads() throws {
        let picture = try EngineFixtures.picture(3)
        let expected = try EngineFixtures.engine { $0.threads = 1 }.signature(picture)
        #expect(try EngineFixtures.engine { $0.threads = 3 }.signature(picture) == expected)
    }

    @Test("bounded, and the least used goes first")
    func boundedCache() {
        var cache = BoundedCache<Int, String>(limit: 10)
        cache.insert("a", bytes: 4, for: 1)
        cache.insert("b", bytes: 4, for: 2)
        #expect(cache.value(of: 1) == "a")
        cache.insert("c", bytes: 4, for: 3)
        #expect(cache.value(of: 2) == nil)
        #expect(cache.value(of: 1) == "a")
        #expect(cache.value(of: 3) == "c")
        #expect(cache.bytes == 8)
        cache.insert("d", bytes: 11, for: 4)
        #expect(cache.value(of: 4) == nil)
        #expect(cache.count == 2)
        cache.insert("e", bytes: 1, for: 1)
        #expect(cache.bytes == 5)
    }
}
