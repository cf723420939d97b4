import CKernels
import CKernels.Testing
import Testing

@Suite("Norms, activations and searches")
struct RowTests {
    static let sizes = [1, 31, 32, 33, 63, 65, 127, 1023]

    @Test("Layer norm and RMS norm, also in place", arguments: vectorUnits)
    func norms(unit: String) throws {
        let pool = try Pool(threads: 3, unit: unit)
        for columns in Self.sizes {
            let rows = 37
            var noise = Noise(seed: columns)
            // An offset of 5 shows a variance from sums of squares.
            var x = noise.values(rows * columns).map { $0 + 5 }
            let weight = noise.values(columns)
            let bias = noise.values(columns)
            var expected = x, y = x
            ck_layer_norm(pool.pointer, &y, x, weight, bias, 1e-6, rows, columns)
            ck_layer_norm_scalar(&expected, x, weight, bias, 1e-6, rows, columns)
            #expect(distance(y, expected, tolerance: 1e-5) <= 1, "layer norm of \(columns)")

            ck_rms_norm_scalar(&expected, x, weight, 1e-6, rows, columns)
            x.withUnsafeMutableBufferPointer { x in
                ck_rms_norm(pool.pointer, x.baseAddress, x.baseAddress, weight, 1e-6, rows, columns)
            }
            #expect(distance(x, expected, tolerance: 1e-6) <= 1, "RMS norm of \(columns)")
        }
    }

    @Test("SwiGLU and addition", arguments: vectorUnits)
    func elementwise(unit: String) throws {
        let pool = try Pool(threads: 3, unit: unit)
        for count in Self.sizes + [40_000] {
            var noise = Noise(seed: count)
            let up = noise.values(count)
            var gate = noise.values(count, scale: 120)
            var expected = gate
            let sum = zip(gate, up).map { $0 + $1 }
            var added = gate
            ck_add(pool.pointer, &added, up, count)
            #expect(added == sum)
            ck_swiglu(pool.pointer, &gate, up, count)
            ck_swiglu_scalar(&expected, up, count)
            #expect(distance(gate, expected, tolerance: 1e-6) <= 1, "SwiGLU of \(count)")
        }
    }

    @Test("Rotary positions", arguments: vectorUnits)
    func rope(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for dim in [2, 6, 33, 64, 128] {
            let rows = 29, heads = 3, ld = heads * dim + 4
            var noise = Noise(seed: dim)
            let angles = noise.values(rows * (dim / 2), scale: 3)
            let cosines = angles.map { 1 - $0 * $0 / 2 }
            var x = noise.values(rows * ld)
            var expected = x
            ck_rope(pool.pointer, &x, ld, cosines, angles, rows, Int32(heads), Int32(dim))
            ck_rope_scalar(&expected, ld, cosines, angles, rows, Int32(heads), Int32(dim))
            #expect(distance(x, expected, tolerance: 1e-6) <= 1, "dim \(dim)")
        }
    }

    @Test("The largest value's index: first of equals, NaN last")
    func argmax() {
        #expect(ck_argmax([], 0) == -1)
        for count in Self.sizes {
            var noise = Noise(seed: count)
            var x = noise.values(count)
            for _ in 0..<20 {
                #expect(ck_argmax(x, count) == ck_argmax_scalar(x, count))
                // A duplicate of the largest, and something to skip.
                x[Int(noise.bits()) % count] = 2
                x[Int(noise.bits()) % count] = .nan
                x[Int(noise.bits()) % count] = -.infinity
            }
        }
        #expect(ck_argmax([.nan, .nan], 2) == 0)
        #expect(ck_argmax([.nan, -.infinity], 2) == 1)
        #expect(ck_argmax([-.infinity, .infinity, .infinity], 3) == 1)
    }

    @Test("Log of the sum of exponentials", arguments: vectorUnits)
    func logSumExp(unit: String) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for columns in Self.sizes + [151_674] {
            var noise = Noise(seed: columns)
            let x = noise.values(3 * columns, scale: 40)
            var y: [Float] = [0, 0, 0], expected = y
            ck_log_sum_exp(pool.pointer, &y, x, 3, columns)
            ck_log_sum_exp_scalar(&expected, x, 3, columns)
            #expect(distance(y, expected, tolerance: 1e-6) <= 1, "\(columns) columns")
        }
        var y: Float = 0
        ck_log_sum_exp(pool.pointer, &y, [-.infinity, 1, -.infinity], 1, 3)
        #expect(y == 1)
        ck_log_sum_exp(pool.pointer, &y, [-.infinity, -.infinity], 1, 2)
        #expect(y == -.infinity)
    }
}
