/// A rotation, row-major 3 x 3.
package struct Rotation: Sendable, Hashable {
    package var rows: [Float]

    package init(rows: [Float]) {
        precondition(rows.count == 9, "a rotation has 9 values, not \(rows.count)")
        self.rows = rows
    }

    package static let identity = Rotation(rows: [1, 0, 0, 0, 1, 0, 0, 0, 1])

    package func apply(_ p: Point3) -> Point3 {
        Point3(
            rows[0] * p.x + rows[1] * p.y + rows[2] * p.z,
            rows[3] * p.x + rows[4] * p.y + rows[5] * p.z,
            rows[6] * p.x + rows[7] * p.y + rows[8] * p.z
        )
    }

    /// The inverse.
    package var transposed: Rotation {
        Rotation(rows: [rows[0], rows[3], rows[6], rows[1], rows[4], rows[7], rows[2], rows[5], rows[8]])
    }
}

/// The similarity that takes a set of points best onto another in the sense of least squares:
/// `target ≈ scale · rotation · source + translation`.
package struct RigidFit: Sendable, Hashable {
    package var rotation: Rotation
    package var scale: Float
    package var translation: Point3

    /// The closed form with unit quaternions by Horn, never a reflection.
    ///
    /// The best rotation is the eigenvector of the largest eigenvalue of a symmetric 4 x 4 matrix (Journal of the Optical
    /// Society of America A 4, 1987). In double precision, since the eigenvalues lie close together for flat sets.
    ///
    /// - Returns: nil when the points coincide.
    package init?(source: [Point3], target: [Point3]) {
        precondition(source.count == target.count, "\(source.count) source points, \(target.count) target points")
        guard source.count >= 3 else { return nil }
        let cs = RigidFit.mean(source), ct = RigidFit.mean(target)
        var m = [Double](repeating: 0, count: 9)
        var sourceSquares = 0.0, targetSquares = 0.0
        for (s, t) in zip(source, target) {
            let a = [Double(s.x - cs.x), Double(s.y - cs.y), Double(s.z - cs.z)]
            let b = [Double(t.x - ct.x), Double(t.y - ct.y), Double(t.z - ct.z)]
            for i in 0..<3 {
                for j in 0..<3 { m[3 * i + j] += a[i] * b[j] }
                sourceSquares += a[i] * a[i]
                targetSquares += b[i] * b[i]
            }
        }
        guard sourceSquares > 1e-12, targetSquares > 1e-12 else { return nil }
        let n: [[Double]] = [
            [m[0] + m[4] + m[8], m[5] - m[7], m[6] - m[2], m[1] - m[3]],
            [m[5] - m[7], m[0] - m[4] - m[8], m[1] + m[3], m[6] + m[2]],
            [m[6] - m[2], m[1] + m[3], -m[0] + m[4] - m[8], m[5] + m[7]],
            [m[1] - m[3], m[6] + m[2], m[5] + m[7], -m[0] - m[4] + m[8]],
        ]
        let (values, vectors) = SymmetricEigen.jacobi(n)
        guard let best = values.indices.max(by: { values[$0] < values[$1] }) else { return nil }
        let q = (0..<4).map { vectors[$0][best] }
        let (w, x, y, z) = (q[0], q[1], q[2], q[3])
        let r: [Double] = [
            w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z,
        ]
        rotation = Rotation(rows: r.map(Float.init))
        // Trace of R·M over the spread of the source: the scale that minimises the error in the target.
        var aligned = 0.0
        for i in 0..<3 {
            for j in 0..<3 { aligned += r[3 * j + i] * m[3 * i + j] }
        }
        scale = Float(aligned / sourceSquares)
        guard scale.isFinite, scale > 0 else { return nil }
        let moved = rotation.apply(cs)
        translation = Point3(ct.x - scale * moved.x, ct.y - scale * moved.y, ct.z - scale * moved.z)
    }

    package func apply(_ p: Point3) -> Point3 {
        let r = rotation.apply(p)
        return Point3(scale * r.x + translation.x, scale * r.y + translation.y, scale * r.z + translation.z)
    }

    /// Takes points of the target back into the frame of the source.
    package func unapply(_ p: Point3) -> Point3 {
        rotation.transposed.apply(
            Point3((p.x - translation.x) / scale, (p.y - translation.y) / scale, (p.z - translation.z) / scale)
        )
    }

    private static func mean(_ points: [Point3]) -> Point3 {
        var sum = Point3(0, 0, 0)
        for p in points {
            sum.x += p.x
            sum.y += p.y
            sum.z += p.z
        }
        let n = Float(points.count)
        return Point3(sum.x / n, sum.y / n, sum.z / n)
    }
}

/// Eigenvalues of small symmetric matrices.
package enum SymmetricEigen {
    /// Cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, §8.5).
    ///
    /// - Returns: values in no order, and vectors as columns: `vectors[row][k]` belongs to `values[k]`.
    package static func jacobi(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
        var a = matrix
        let n = a.count
        var v = (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0.0 } }
        for _ in 0..<60 {
            var off = 0.0
            for i in 0..<n { for j in (i + 1)..<max(n, i + 1) { off += a[i][j] * a[i][j] } }
            if off < 1e-22 { break }
            for p in 0..<(n - 1) {
                for q in (p + 1)..<n where abs(a[p][q]) > 1e-300 {
                    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                    let sign: Double = theta < 0 ? -1 : 1
                    let t = sign / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot(), s = t * c
                    for k in 0..<n {
                        let akp = a[k][p], akq = a[k][q]
                        a[k][p] = c * akp - s * akq
                        a[k][q] = s * akp + c * akq
                    }
                    for k in 0..<n {
                        let apk = a[p][k], aqk = a[q][k]
                        a[p][k] = c * apk - s * aqk
                        a[q][k] = s * apk + c * aqk
                        let vkp = v[k][p], vkq = v[k][q]
                        v[k][p] = c * vkp - s * vkq
                        v[k][q] = s * vkp + c * vkq
                    }
                }
            }
        }
        return ((0..<n).map { a[$0][$0] }, v)
    }
}
