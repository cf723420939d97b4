import COpenBLAS

/// What OpenBLAS makes of the vision tower's largest product: another measure of what this machine can do.
enum Sgemm {
    /// The better of five runs of [1025, 1024] · [4096, 1024]ᵀ in GFLOP/s.
    static func rate(threads: Int) -> Double {
        openblas_set_num_threads(Int32(clamping: threads))
        let (m, n, k) = (1025, 4096, 1024)
        let x = [Float](repeating: 0.5, count: m * k), w = [Float](repeating: 0.25, count: n * k)
        var y = [Float](repeating: 0, count: m * n)
        var best = 0.0
        for _ in 0..<5 {
            let start = ContinuousClock.now
            cblas_sgemm(
                CblasRowMajor,
                CblasNoTrans,
                CblasTrans,
                blasint(m),
                blasint(n),
                blasint(k),
                1,
                x,
                blasint(k),
                w,
                blasint(k),
                0,
                &y,
                blasint(n)
            )
            best = max(best, 2e-9 * Double(m * n * k) / ((ContinuousClock.now - start) / .seconds(1)))
        }
        return best
    }
}
