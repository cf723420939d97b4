import CKernels
import CKernels.Testing
import Testing

/// Several products of the same rows, with what happens to the rows before.
@Suite("Products in one go")
struct ProductGroupTests {
    /// Rows, and a prologue with all that any kind of it needs.
    private struct Input {
        let m: Int, k: Int
        let kind: ck_prologue_kind
        let x: [Float], up: [Float], weight: [Float], bias: [Float]

        init(m: Int, k: Int, kind: ck_prologue_kind) {
            var noise = Noise(seed: m * 7919 + k)
            self.m = m
            self.k = k
            self.kind = kind
            x = noise.values(m * k, scale: 4)
            up = noise.values(m * k)
            weight = noise.values(k).map { $0 + 1 }
            bias = noise.values(k)
        }

        func withPrologue(_ body: (UnsafePointer<ck_prologue>) -> Void) {
            up.withUnsafeBufferPointer { up in
                weight.withUnsafeBufferPointer { weight in
                    bias.withUnsafeBufferPointer { bias in
                        var prologue = ck_prologue(
                            kind: kind,
                            weight: weight.baseAddress,
                            bias: bias.baseAddress,
                            eps: 1e-6,
                            up: up.baseAddress,
                            ldup: k
                        )
                        body(&prologue)
                    }
                }
            }
        }

        /// The rows after the prologue as a call of its own.
        func prepared(_ pool: Pool) -> [Float] {
            var y = x
            switch kind {
            case CK_LAYER_NORM: ck_layer_norm(pool.pointer, &y, x, weight, bias, 1e-6, m, k)
            case CK_RMS_NORM: ck_rms_norm(pool.pointer, &y, x, weight, 1e-6, m, k)
            case CK_SWIGLU: ck_swiglu(pool.pointer, &y, up, m * k)
            default: break
            }
            return y
        }
    }

    /// Three matrices of different heights and epilogues.
    private final class Matrices {
        let quant: ck_quant
        let k: Int
        let heights: [Int]
        let packed: [QuantisedTests.Packed]
        let bias: [Float]

        init(_ pool: Pool, _ quant: ck_quant, n: Int, k: Int) {
            var noise = Noise(seed: n * 31 + k)
            self.quant = quant
            self.k = k
            heights = [n, n / 3 + 1, (n + 70) / 2]
            packed = heights.map { height in
                let packed = QuantisedTests.Packed(quant, n: height, k: k)
                let w = noise.values(height * k, scale: 0.05)
                ck_pack(pool.pointer, packed.pointer, quant, w, CK_F32, nil, height, k)
                return packed
            }
            bias = noise.values(n + 70)
        }

        private func epilogue(_ index: Int, _ bias: UnsafePointer<Float>?) -> ck_epilogue {
            ck_epilogue(bias: bias, scale: nil, gelu: index == 1 ? 1 : 0, accumulate: index == 2 ? 1 : 0)
        }

        func together(_ pool: Pool, _ input: Input) -> [[Float]] {
            var one = [Float](repeating: 0.5, count: input.m * heights[0])
            var two = [Float](repeating: 0.5, count: input.m * heights[1])
            var three = [Float](repeating: 0.5, count: input.m * heights[2])
            bias.withUnsafeBufferPointer { bias in
                one.withUnsafeMutableBufferPointer { first in
                    two.withUnsafeMutableBufferPointer { second in
                        three.withUnsafeMutableBufferPointer { third in
                            let targets = [first.baseAddress, second.baseAddress, third.baseAddress]
                            let products = heights.indices.map { index in
                                ck_product(
                                    y: targets[index],
                                    ldy: heights[index],
                                    packed: packed[index].pointer,
                                    n: heights[index],
                                    epilogue: epilogue(index, bias.baseAddress)
                                )
                            }
                            input.withPrologue {
                                ck_linear_packed_group(pool.pointer, products, 3, input.x, k, quant, input.m, k, $0)
                            }
                        }
                    }
                }
            }
            return [one, two, three]
        }

        /// Each by itself: by the kernel from prepared rows, or by the plain loops.
        func alone(_ pool: Pool?, _ input: Input, prepared: [Float]) -> [[Float]] {
            heights.indices.map { index in
                var y = [Float](repeating: 0.5, count: input.m * heights[index])
                let n = heights[index], matrix = packed[index].pointer
                bias.withUnsafeBufferPointer { bias in
                    var after = epilogue(index, bias.baseAddress)
                    if let pool {
                        ck_linear_packed(pool.pointer, &y, n, prepared, k, matrix, quant, input.m, n, k, &after)
                    } else {
                        input.withPrologue {
                            ck_linear_packed_scalar(&y, n, input.x, k, matrix, quant, input.m, n, k, &after, $0)
                        }
                    }
                }
                return y
            }
        }
    }

    private static let sizes = [
        (1, 1, 1), (1, 31, 33), (2, 33, 127), (3, 65, 31), (4, 160, 128), (5, 97, 160), (8, 64, 500), (9, 31, 65),
        (14, 33, 1023), (65, 300, 200),
    ]
    private static let kinds: [ck_prologue_kind] = [CK_AS_IS, CK_LAYER_NORM, CK_RMS_NORM, CK_SWIGLU]

    @Test("Each is bit by bit what it is alone", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func equality(unit: String, quant: ck_quant) throws {
        for threads in [1, 3] {
            let pool = try Pool(threads: threads, unit: unit)
            for (m, n, k) in Self.sizes {
                let matrices = Matrices(pool, quant, n: n, k: k)
                for kind in Self.kinds {
                    let input = Input(m: m, k: k, kind: kind)
                    let alone = matrices.alone(pool, input, prepared: input.prepared(pool))
                    #expect(matrices.together(pool, input) == alone, "m \(m) n \(n) k \(k) \(kind) \(threads) threads")
                }
            }
        }
    }

    @Test("They agree with the plain loops", arguments: vectorUnits, [CK_INT8, CK_INT4])
    func agreement(unit: String, quant: ck_quant) throws {
        let pool = try Pool(threads: 2, unit: unit)
        for (m, n, k) in Self.sizes {
            let matrices = Matrices(pool, quant, n: n, k: k)
            for kind in Self.kinds {
                let input = Input(m: m, k: k, kind: kind)
                let expected = matrices.alone(nil, input, prepared: [])
                // After a norm or SwiGLU in float32 a value may fall to the other side of a step of 1/127.
                let tolerance: Float = kind == CK_AS_IS ? 2e-6 : 5e-3
                for (result, expected) in zip(matrices.together(pool, input), expected) {
                    #expect(distance(result, expected, tolerance: tolerance) <= 1, "m \(m) n \(n) k \(k) \(kind)")
                }
            }
        }
    }
}
