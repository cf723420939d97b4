internal import COpenBLAS

/// Scaled dot-product attention in f32, head by head.
enum Attention {
    /// - Parameters:
    ///   - query: [n, heads · headDim].
    ///   - key: [m, kvHeads · headDim]; `heads` is a multiple of `kvHeads`, neighbouring query heads share one.
    ///   - value: as `key`.
    ///   - isCausal: query i sees the first m − n + i + 1 keys.
    /// - Returns: [n, heads · headDim].
    static func attend(
        query: Matrix,
        key: Matrix,
        value: Matrix,
        heads: Int,
        kvHeads: Int,
        isCausal: Bool
    ) -> Matrix {
        let n = query.rows, m = key.rows, dim = query.columns / heads
        precondition(
            key.columns == kvHeads * dim && value.columns == key.columns && value.rows == m,
            "key and value shapes"
        )
        var output = Matrix(zeros: n, query.columns)
        guard n > 0, m > 0 else { return output }
        var scores = [Float](repeating: 0, count: n * m)  // [n, m]
        let scale = 1 / Float(dim).squareRoot()
        query.values.withUnsafeBufferPointer { q in
            key.values.withUnsafeBufferPointer { k in
                value.values.withUnsafeBufferPointer { v in
                    output.values.withUnsafeMutableBufferPointer { out in
                        guard let q = q.baseAddress, let k = k.baseAddress, let v = v.baseAddress,
                            let out = out.baseAddress
                        else { return }
                        for head in 0..<heads {
                            let kvHead = head / (heads / kvHeads)
                            cblas_sgemm(
                                CblasRowMajor,
                                CblasNoTrans,
                                CblasTrans,
                                blasint(n),
                                blasint(m),
                                blasint(dim),
                                scale,
                                q + head * dim,
                                blasint(query.columns),
                                k + kvHead * dim,
                                blasint(key.columns),
                                0,
                                &scores,
                                blasint(m)
                            )
                            for row in 0..<n {
                                let seen = isCausal ? m - n + row + 1 : m
                                Functions.softmax(&scores, from: row * m, count: seen)
                                for hidden in seen..<m { scores[row * m + hidden] = 0 }
                            }
                            cblas_sgemm(
                                CblasRowMajor,
                                CblasNoTrans,
                                CblasNoTrans,
                                blasint(n),
                                blasint(dim),
                                blasint(m),
                                1,
                                scores,
                                blasint(m),
                                v + kvHead * dim,
                                blasint(value.columns),
                                0,
                                out + head * dim,
                                blasint(query.columns)
                            )
                        }
                    }
                }
            }
        }
        return output
    }
}
