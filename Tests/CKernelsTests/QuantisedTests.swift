import CKernels
import CKernels.Testing
import Testing

@Suite("Quantised weights")
struct QuantisedTests {
    /// A packed matrix on the address that the kernels ask for.
    final class Packed {
        let pointer: UnsafeMutableRawPointer
        let count: Int

        init(_ quant: ck_quant, n: Int, k: Int) {
            count = ck_packed_size(quant, n, k)
            pointer = .allocate(byteCount: count, alignment: 64)
            pointer.initializeMemory(as: UInt8.self, repeating: 0xaa, count: count)
        }

        deinit {
            pointer.deallocate()
        }

        var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer, count: count)) }
    }

    struct Case {
        var quant: ck_quant
        var m: Int, n: Int, k: Int
        /// Every scale is a power of two and every sum small: results are integers that float32 holds exactly.
        var exact = false
        var epilogue = false
        /// Columns are multiplied on the way.
        var factors = false

        private var ldx: Int { k + 3 }
        private var ldy: Int { n + 5 }

        private func weights() -> [Float] {
            var noise = Noise(seed: n * 1009 + k)
            guard exact else { return noise.values(n * k, scale: 0.05) }
            return integers(&noise, rows: n, ld: k, limit: quant == CK_INT8 ? 127 : -8)
        }

        private func activations() -> [Float] {
            var noise = Noise(seed: m * 31 + k)
            guard exact else { return noise.values(m * ldx, scale: 4) }
            return integers(&noise, rows: m, ld: ldx, limit: 127)
        }

        /// Integers up to |limit|, `limit` itself in every group of 32, so that the scale is 1.
        private func integers(_ noise: inout Noise, rows: Int, ld: Int, limit: Int) -> [Float] {
            let range = limit < 0 ? 15 : 2 * limit + 1
            let least = limit < 0 ? limit : -limit
            return (0..<rows * ld).map { index in
                index % ld % 32 == 0 ? Float(limit) : Float(Int(noise.bits()) % range + least)
            }
        }

        func pack(_ pool: Pool?) -> Packed {
            let packed = Packed(quant, n: n, k: k)
            let factors = self.factors ? Self.factors(k) : nil
            if let pool {
                ck_pack(pool.pointer, packed.pointer, quant, weights(), CK_F32, factors, n, k)
            } else {
                ck_pack_scalar(packed.pointer, quant, weights(), CK_F32, factors, n, k)
            }
            return packed
        }

        static func factors(_ k: Int) -> [Float] {
            (0..<k).map { Float($0 % 5) + 0.5 }
        }

        func run(_ pool: Pool?, _ packed: Packed) -> [Float] {
            let x = activations()
            var noise = Noise(seed: n)
            let bias = noise.values(n), scale = noise.values(n)
            var y = noise.values(m * ldy)
            bias.withUnsafeBufferPointer { bias in
                scale.withUnsafeBufferPointer { scale in
                    var epilogue = ck_epilogue(bias: nil, scale: nil, gelu: 0, accumulate: 0)
                    if self.epilogue {
                        epilogue = ck_epilogue(bias: bias.baseAddress, scale: scale.baseAddress, gelu: 1, accumulate: 1)
                    }
                    if let pool {
                        ck_linear_packed(pool.pointer, &y, ldy, x, ldx, packed.pointer, quant, m, n, k, &epilogue)
                    } else {
                        ck_linear_packed_scalar(&y, ldy, x, ldx, packed.pointer, quant, m, n, k, &epilogue, nil)
                    }
                }
            }
            return y
        }

        /// [n, k] of what the packed matrix stands for, and what was packed.
        func unpacked(_ packed: Packed) -> (values: [Float], original: [Float]) {
            var values = [Float](repeating: 0, count: n * k)
            values.withUnsafeMutableBufferPointer { values in
                for row in 0..<n {
                    ck_unpack_row(values.baseAddress.map { $0 + row * k }, packed.pointer, quant, n, k, row)
                }
            }
            return (values, weights())
        }
    }

    static let sizes = [
        (1, 1, 1), (1, 31, 33), (2, 33, 127), (3, 65, 31), (4, 32, 128), (5, 97, 160), (7, 40, 63), (8, 64, 500),
        (9, 31, 65), (13, 127, 96), (14, 33, 1023), (40, 65, 32), (65, 300, 200), (210, 64, 1700),
    ]

    @Test("Packing equals the plain loops, byte by byte", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func packing(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (_, n, k) in Self.sizes {
            for factors in [false, true] {
                let matrix = Case(quant: quant, m: 1, n: n, k: k, factors: factors)
                #expect(matrix.pack(pool).bytes == matrix.pack(nil).bytes, "n \(n) k \(k)")
            }
        }
    }

    @Test("Integer sums are exact", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func exactness(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (m, n, k) in Self.sizes {
            let product = Case(quant: quant, m: m, n: n, k: k, exact: true)
            let packed = product.pack(pool)
            let (values, original) = product.unpacked(packed)
            #expect(values == original, "n \(n) k \(k)")
            #expect(product.run(pool, packed) == product.run(nil, packed), "m \(m) n \(n) k \(k)")
        }
    }

    @Test("Extreme values do not saturate", arguments: vectorUnits)
    func extremes(unit: String) throws {
        let pool = try Pool(threads: 1, unit: unit)
        let k = 256
        let packed = Packed(CK_INT8, n: 2, k: k)
        let w = [Float](repeating: 127, count: k) + [Float](repeating: -127, count: k)
        ck_pack(pool.pointer, packed.pointer, CK_INT8, w, CK_F32, nil, 2, k)
        for m in [1, 2, 4, 20] {
            for sign: Float in [1, -1] {
                let x = [Float](repeating: 127 * sign, count: m * k)
                var y = [Float](repeating: 0, count: m * 2)
                ck_linear_packed(pool.pointer, &y, 2, x, k, packed.pointer, CK_INT8, m, 2, k, nil)
                let full = Float(127 * 127 * k) * sign
                #expect(y == (0..<m).flatMap { _ in [full, -full] }, "\(m) rows")
            }
        }
    }

    @Test("Products agree with the plain loop", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func agreement(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (m, n, k) in Self.sizes {
            for epilogue in [false, true] {
                let product = Case(quant: quant, m: m, n: n, k: k, epilogue: epilogue)
                let packed = product.pack(pool)
                // The same integers; their scales are multiplied, and groups summed, in float32.
                #expect(
                    distance(product.run(pool, packed), product.run(nil, packed), tolerance: 2e-6) <= 1,
                    "m \(m) n \(n) k \(k)"
                )
            }
        }
    }

    @Test("The number of threads does not change a bit", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func threads(unit: String, quant: ck_quant) throws {
        for (m, n, k) in [(1, 700, 333), (6, 257, 90), (70, 700, 800)] {
            let product = Case(quant: quant, m: m, n: n, k: k)
            var results: [[UInt32]] = []
            for threads in 1...3 {
                let pool = try Pool(threads: threads, unit: unit)
                results.append(product.run(pool, product.pack(pool)).map(\.bitPattern))
            }
            #expect(results[1] == results[0] && results[2] == results[0], "m \(m)")
        }
    }

    @Test("A row's result does not depend on the rows beside it", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func batches(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: unit)
        let n = 70, k = 1000
        let packed = Case(quant: quant, m: 1, n: n, k: k).pack(pool)
        var noise = Noise(seed: 5)
        let x = noise.values(8 * k)
        var alone = [Float](repeating: 0, count: 8 * n)
        alone.withUnsafeMutableBufferPointer { alone in
            x.withUnsafeBufferPointer { x in
                for row in 0..<8 {
                    let y = alone.baseAddress.map { $0 + row * n }
                    let input = x.baseAddress.map { $0 + row * k }
                    ck_linear_packed(pool.pointer, y, n, input, k, packed.pointer, quant, 1, n, k, nil)
                }
            }
        }
        for m in 2...8 {
            var together = [Float](repeating: 0, count: m * n)
            ck_linear_packed(pool.pointer, &together, n, x, k, packed.pointer, quant, m, n, k, nil)
            #expect(together == Array(alone.prefix(m * n)), "\(m) rows")
        }
    }

    @Test("Rounding stays within half a step", arguments: [CK_INT8, CK_INT4])
    func rounding(quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: vectorUnits[0])
        let matrix = Case(quant: quant, m: 1, n: 37, k: 100)
        let (values, original) = matrix.unpacked(matrix.pack(pool))
        // Weights reach 0.05. int4: half a step of 0.05 / 8, a whole one where +8 is wanted, 1/256 for the scale.
        let bound: Float = quant == CK_INT8 ? 0.05 / 127 / 2 * 1.001 : 0.05 / 8 * 1.01
        #expect(zip(values, original).allSatisfy { abs($0 - $1) <= bound })
        #expect(zip(values, original).contains { $0 != $1 })
    }

    @Test("Columns are multiplied before they are rounded", arguments: [CK_INT8, CK_INT4])
    func factors(quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: vectorUnits[0])
        let matrix = Case(quant: quant, m: 1, n: 37, k: 100, factors: true)
        let (values, original) = matrix.unpacked(matrix.pack(pool))
        let factors = Case.factors(100)
        // As for rounding; the largest factor is 4.5.
        let bound: Float = (quant == CK_INT8 ? 0.05 / 127 / 2 * 1.001 : 0.05 / 8 * 1.01) * 4.5
        for (index, pair) in zip(values, original).enumerated() {
            #expect(abs(pair.0 - pair.1 * factors[index % 100]) <= bound, "\(index)")
        }
    }

    @Test("Zeros, NaN and infinities in activations", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func specialValues(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 1, unit: unit)
        let matrix = Case(quant: quant, m: 1, n: 33, k: 64)
        let packed = matrix.pack(pool)
        func product(_ x: [Float]) -> [Float] {
            let m = x.count / 64
            var y = [Float](repeating: 1, count: m * 33)
            ck_linear_packed(pool.pointer, &y, 33, x, 64, packed.pointer, quant, m, 33, 64, nil)
            return y
        }
        var x = [Float](repeating: 0, count: 64)
        #expect(product(x).allSatisfy { $0 == 0 })
        x[40] = .nan
        #expect(product(x).allSatisfy { $0.isNaN })
        x[40] = .infinity
        #expect(product(x).allSatisfy { !$0.isFinite })
        // Other rows do not notice.
        let clean = [Float](repeating: 0.5, count: 64)
        let rows = product(clean + x)
        #expect(Array(rows.prefix(33)) == product(clean))
        #expect(rows.suffix(33).allSatisfy { !$0.isFinite })
    }
}
