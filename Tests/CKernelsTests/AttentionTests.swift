import CKernels
import CKernels.Testing
import Testing

@Suite("Attention")
struct AttentionTests {
    struct Case {
        var n: Int
        var heads: Int, kvHeads: Int, dim: Int
        var runs: [Int] = []
        var recent = true
        var mask = false
        var scale: Float = 1
        var factors = CK_F32
        /// bfloat16 holds the inputs and the scale exactly.
        var fitsPairs = false

        private var width: Int { kvHeads * dim }
        private var ld: Int { width + 3 }
        private var shape: ck_heads {
            ck_heads(
                heads: Int32(heads),
                kv_heads: Int32(kvHeads),
                dim: Int32(dim),
                scale: fitsPairs ? 0.125 : scale / Float(dim).squareRoot(),
                factors: factors
            )
        }

        /// Calls `body` with the queries, the runs, the recent keys and the mask.
        private func withInputs(
            _ body: ([Float], [ck_run], UnsafePointer<ck_run>?, UnsafePointer<UInt8>?) -> Void
        ) {
            var noise = Noise(seed: n * 31 + heads * 7 + dim + runs.reduce(0, +))
            func factors(_ count: Int, scale: Float = 1) -> [Float] {
                let values = noise.values(count, scale: scale)
                return fitsPairs ? values.map { Float(bitPattern: $0.bitPattern & 0xffff_0000) } : values
            }
            let queries = factors(n * (heads * dim + 1), scale: 3)
            let total = runs.reduce(0, +) + n
            let keys = factors(total * ld, scale: 3)
            let values = factors(total * ld)
            var visible = (0..<n * n).map { _ in UInt8(noise.bits() & 1) }
            for i in 0..<n where i != 1 { visible[i * n + i] = 1 }
            keys.withUnsafeBufferPointer { keys in
                values.withUnsafeBufferPointer { values in
                    var first = 0
                    func run(_ count: Int) -> ck_run {
                        defer { first += count }
                        return ck_run(
                            keys: keys.baseAddress.map { $0 + first * ld },
                            values: values.baseAddress.map { $0 + first * ld },
                            count: count,
                            ld: ld
                        )
                    }
                    let stored = runs.map(run)
                    var own = run(n)
                    visible.withUnsafeBufferPointer { visible in
                        withUnsafePointer(to: &own) { own in
                            body(queries, stored, recent ? own : nil, mask ? visible.baseAddress : nil)
                        }
                    }
                }
            }
        }

        func run(_ pool: Pool?) -> [Float] {
            let ldy = heads * dim + 2, ldq = heads * dim + 1
            var y = [Float](repeating: 7, count: n * ldy)
            withInputs { queries, runs, recent, visible in
                if let pool {
                    ck_attention(pool.pointer, &y, ldy, queries, ldq, n, runs, runs.count, recent, visible, shape)
                } else {
                    ck_attention_scalar(&y, ldy, queries, ldq, n, runs, runs.count, recent, visible, shape)
                }
            }
            return y
        }

        /// The weights, [n, keys].
        func weights(_ pool: Pool) -> [Float] {
            let total = runs.reduce(0, +) + (recent ? n : 0)
            var w = [Float](repeating: 7, count: n * total)
            withInputs { queries, runs, recent, visible in
                ck_attention_weights(
                    pool.pointer,
                    &w,
                    queries,
                    heads * dim + 1,
                    n,
                    runs,
                    runs.count,
                    recent,
                    visible,
                    shape
                )
            }
            return w
        }
    }

    static let cases = [
        Case(n: 1, heads: 1, kvHeads: 1, dim: 1),
        Case(n: 1, heads: 14, kvHeads: 2, dim: 64, runs: [352]),
        Case(n: 3, heads: 14, kvHeads: 2, dim: 64, runs: [256, 0, 31], mask: true),
        Case(n: 5, heads: 3, kvHeads: 3, dim: 33, runs: [129, 7]),
        Case(n: 2, heads: 4, kvHeads: 2, dim: 17, mask: true),
        Case(n: 70, heads: 6, kvHeads: 2, dim: 64),
        Case(n: 140, heads: 2, kvHeads: 1, dim: 33, runs: [5, 131]),
        Case(n: 65, heads: 4, kvHeads: 4, dim: 127, mask: true),
        Case(n: 33, heads: 2, kvHeads: 2, dim: 128, runs: [63, 127]),
        Case(n: 127, heads: 2, kvHeads: 2, dim: 64, runs: [300], recent: false),
        Case(n: 300, heads: 1, kvHeads: 1, dim: 13, runs: [], recent: true, scale: 10),
        Case(n: 40, heads: 3, kvHeads: 1, dim: 31, runs: [1, 1, 1], mask: true),
    ]

    @Test("Every vector unit agrees with the plain loop", arguments: vectorUnits)
    func agreement(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (index, attention) in Self.cases.enumerated() {
            #expect(distance(attention.run(pool), attention.run(nil), tolerance: 1e-5) <= 1, "case \(index)")
        }
    }

    /// The same with factors that bfloat16 holds exactly, so that only the weights are rounded.
    static let pairCases = cases.map { attention in
        var attention = attention
        attention.factors = CK_BF16
        attention.fitsPairs = true
        return attention
    }

    @Test("Rounded factors change a result by no more than the rounding of a weight", arguments: vectorUnits)
    func rounded(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        // Eight bits of mantissa: each weight is off by a 512th of itself at most, values are below 1, and the exponential
        // function is off by 8e-5.
        for (index, attention) in Self.pairCases.enumerated() {
            #expect(distance(attention.run(pool), attention.run(nil), tolerance: 1.09 / 512) <= 1, "case \(index)")
        }
    }

    @Test(
        "Factors are rounded where the processor multiplies pairs of bfloat16, and nowhere else",
        arguments: vectorUnits
    )
    func whereRounded(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        var attention = Case(n: 127, heads: 2, kvHeads: 2, dim: 64, runs: [300], recent: false)
        let exact = attention.run(pool)
        attention.factors = CK_BF16
        let rounded = attention.run(pool)
        #expect((exact == rounded) == (unit != "avx512bf16"))
        #expect(zip(exact, rounded).allSatisfy { abs($0 - $1) < 0.05 })
    }

    @Test("The number of threads does not change a bit", arguments: vectorUnits)
    func threads(unit: String) throws {
        for (index, attention) in (Self.cases + Self.pairCases).enumerated() {
            let one = attention.run(try Pool(threads: 1, unit: unit))
            for threads in 2...3 {
                let several = attention.run(try Pool(threads: threads, unit: unit))
                #expect(one.map(\.bitPattern) == several.map(\.bitPattern), "case \(index), \(threads) threads")
            }
        }
    }

    @Test("A query that sees nothing gets zeros", arguments: vectorUnits)
    func blind(unit: String) throws {
        let pool = try Pool(threads: 1, unit: unit)
        // Without runs, query 1 of a masked case may see nothing: make that certain with a single query.
        let none = ck_run(keys: nil, values: nil, count: 0, ld: 0)
        var y: [Float] = [5, 5]
        let heads = ck_heads(heads: 1, kv_heads: 1, dim: 2, scale: 1, factors: CK_F32)
        ck_attention(pool.pointer, &y, 2, [1, 1], 2, 1, [none], 1, nil, nil, heads)
        #expect(y == [0, 0])
    }

    @Test("Weights sum to one and explain the output")
    func weights() throws {
        let pool = try Pool(threads: 2, unit: vectorUnits[0])
        let attention = Case(n: 9, heads: 4, kvHeads: 2, dim: 8, runs: [3, 5])
        let w = attention.weights(pool)
        for query in 0..<9 {
            let row = w[query * 17..<(query + 1) * 17]
            #expect(abs(row.reduce(0, +) - 1) < 1e-5)
            #expect(row.dropFirst(8 + query + 1).allSatisfy { $0 == 0 })
            #expect(row.prefix(8 + query + 1).allSatisfy { $0 > 0 })
        }
    }
}
