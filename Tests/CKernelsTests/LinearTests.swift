import CKernels
import CKernels.Testing
import Testing

@Suite("Matrix products")
struct LinearTests {
    /// One product with rows that are longer than they are used.
    struct Case {
        var m: Int, n: Int, k: Int
        var type = CK_F32
        var bias = false, scale = false, gelu = false, accumulate = false

        private var ldx: Int { k + 3 }
        private var ldy: Int { n + 5 }

        /// The product by `pool`, or by the plain loop where it is nil.
        func run(_ pool: Pool?) -> [Float] {
            var noise = Noise(seed: m * 1_000_003 + n * 1009 + k)
            let x = noise.values(m * ldx)
            // One byte past its start: weights in a mapped file are not aligned.
            let w = stored(noise.values(n * k, scale: 0.5), as: type, padding: 1)
            let biases = noise.values(n)
            let scales = noise.values(n)
            var y = noise.values(m * ldy)
            biases.withUnsafeBufferPointer { biases in
                scales.withUnsafeBufferPointer { scales in
                    var epilogue = ck_epilogue(
                        bias: bias ? biases.baseAddress : nil,
                        scale: scale ? scales.baseAddress : nil,
                        gelu: gelu ? 1 : 0,
                        accumulate: accumulate ? 1 : 0
                    )
                    w.withUnsafeBytes { bytes in
                        let rows = bytes.baseAddress.map { $0 + 1 }
                        if let pool {
                            ck_linear(pool.pointer, &y, ldy, x, ldx, rows, type, m, n, k, &epilogue)
                        } else {
                            ck_linear_scalar(&y, ldy, x, ldx, rows, type, m, n, k, &epilogue)
                        }
                    }
                }
            }
            return y
        }
    }

    /// Sums are float32; their level is that of the outputs.
    static let tolerance: Float = 1e-5

    @Test("Every vector unit agrees with the plain loop at odd sizes", arguments: vectorUnits)
    func oddSizes(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        let sizes = [1, 31, 32, 33, 63, 65, 127]
        for m in [1, 2, 3, 4, 5, 8, 9, 13, 14, 33, 65] {
            for n in sizes {
                for k in [1, 31, 33, 127] {
                    let product = Case(m: m, n: n, k: k)
                    #expect(
                        distance(product.run(pool), product.run(nil), tolerance: Self.tolerance) <= 1,
                        "m \(m) n \(n) k \(k)"
                    )
                }
            }
        }
    }

    @Test("Sums over several blocks of k and rows", arguments: vectorUnits)
    func manyBlocks(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (m, n, k) in [(1, 1023, 1023), (7, 300, 1023), (300, 127, 1023), (1023, 65, 400), (2100, 33, 65)] {
            let product = Case(m: m, n: n, k: k)
            #expect(
                distance(product.run(pool), product.run(nil), tolerance: Self.tolerance) <= 1,
                "m \(m) n \(n) k \(k)"
            )
        }
    }

    @Test("Weights of 16 bits are widened exactly", arguments: vectorUnits, [CK_BF16, CK_F16])
    func sixteenBits(unit: String, type: ck_type) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for m in [1, 3, 8, 40] {
            for k in [7, 33, 500] {
                let product = Case(m: m, n: 65, k: k, type: type)
                #expect(
                    distance(product.run(pool), product.run(nil), tolerance: Self.tolerance) <= 1,
                    "m \(m) k \(k)"
                )
            }
        }
    }

    @Test("Bias, GELU, scale and accumulation in every combination", arguments: vectorUnits)
    func epilogues(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for m in [1, 20] {
            for bits in 0..<16 {
                let product = Case(
                    m: m,
                    n: 61,
                    k: 70,
                    bias: bits & 1 != 0,
                    scale: bits & 2 != 0,
                    gelu: bits & 4 != 0,
                    accumulate: bits & 8 != 0
                )
                #expect(
                    distance(product.run(pool), product.run(nil), tolerance: Self.tolerance) <= 1,
                    "m \(m) epilogue \(bits)"
                )
            }
        }
    }

    @Test("The number of threads does not change a bit", arguments: vectorUnits)
    func threads(unit: String) throws {
        for product in [Case(m: 1, n: 700, k: 333), Case(m: 5, n: 257, k: 90), Case(m: 120, n: 700, k: 800)] {
            let one = product.run(try Pool(threads: 1, unit: unit))
            for threads in 2...3 {
                let several = product.run(try Pool(threads: threads, unit: unit))
                #expect(one.map(\.bitPattern) == several.map(\.bitPattern), "\(threads) threads")
            }
        }
    }

    @Test("GELU keeps its precision over the whole range", arguments: vectorUnits)
    func gelu(unit: String) throws {
        let pool = try Pool(threads: 1, unit: unit)
        let x = stride(from: Float(-20), through: 20, by: 0.003).map { $0 } + [-1000, 1000, -.infinity, .infinity, 0]
        var expected = [Float](repeating: 0, count: x.count)
        var y = expected
        var epilogue = ck_epilogue(bias: nil, scale: nil, gelu: 1, accumulate: 0)
        // 1 · x: weights [count, 1].
        ck_linear(pool.pointer, &y, x.count, [1], 1, x, CK_F32, 1, x.count, 1, &epilogue)
        ck_linear_scalar(&expected, x.count, [1], 1, x, CK_F32, 1, x.count, 1, &epilogue)
        let finite = x.indices.filter { x[$0].isFinite }
        #expect(distance(finite.map { y[$0] }, finite.map { expected[$0] }, tolerance: 2e-7) <= 1)
        #expect(y[x.count - 2] == .infinity)
    }

    @Test("Widening knows subnormals, infinities and NaN", arguments: [CK_BF16, CK_F16])
    func widening(type: ck_type) {
        let every = (UInt16.min...UInt16.max).map { $0 }
        var y = [Float](repeating: 0, count: every.count)
        var expected = y
        ck_widen(&y, every, type, every.count)
        ck_widen_scalar(&expected, every, type, every.count)
        #expect(zip(y, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
        #expect(expected.filter(\.isInfinite).count == 2)
        #expect(type == CK_F16 ? expected[1] == 0x1p-24 : expected[1].isSubnormal)
    }

    @Test("Every vector unit widens all 16-bit patterns", arguments: vectorUnits, [CK_BF16, CK_F16])
    func wideningInProducts(unit: String, type: ck_type) throws {
        let pool = try Pool(threads: 1, unit: unit)
        let every = (UInt16.min...UInt16.max).map { $0 }
        var y = [Float](repeating: 0, count: every.count)
        var expected = y
        ck_linear(pool.pointer, &y, every.count, [1], 1, every, type, 1, every.count, 1, nil)
        ck_widen_scalar(&expected, every, type, every.count)
        #expect(zip(y, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    }

    @Test("Pools that cannot be are refused")
    func refusals() {
        #expect(ck_pool_create(0) == nil)
        #expect(ck_pool_create_isa(1, "abacus") == nil)
        #expect(vectorUnits.contains(String(cString: ck_isa())))
    }
}
