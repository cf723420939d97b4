import Faces
import TestSupport
import Testing

@Suite struct RigidFitTests {
    @Test(arguments: 1...30 as ClosedRange<UInt64>) func recoversASimilarity(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let rotation = Turn.random(&generator)
        let scale = generator.float(0.01...200)
        let shift = Point3(generator.float(-500...500), generator.float(-500...500), generator.float(-500...500))
        let source = cloud(&generator)
        let target = source.map { moved(rotation.apply($0), scale, shift) }
        let fit = try #require(RigidFit(source: source, target: target))
        #expect(distance(fit.rotation, rotation) < 1e-3, "seed \(seed)")
        #expect(abs(fit.scale / scale - 1) < 1e-3, "seed \(seed)")
        for (s, t) in zip(source, target) {
            #expect(distance(fit.apply(s), t) < 1e-3 * scale + 1e-3, "seed \(seed)")
            #expect(distance(fit.unapply(t), s) < 1e-3 + 1e-3 / scale, "seed \(seed)")
        }
    }

    @Test func flatSetsHaveARotationToo() throws {
        var generator = SeededGenerator(seed: 3)
        let rotation = Turn.about(.y, degrees: 40)
        let source = cloud(&generator).map { Point3($0.x, $0.y, 0) }
        let fit = try #require(RigidFit(source: source, target: source.map(rotation.apply)))
        #expect(distance(fit.rotation, rotation) < 1e-3)
    }

    /// The best rotation for a mirrored set is a rotation still.
    @Test(arguments: 1...30 as ClosedRange<UInt64>) func neverAReflection(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let source = cloud(&generator)
        let mirrored = source.map { Point3(-$0.x, $0.y, $0.z) }
        guard let fit = RigidFit(source: source, target: mirrored) else { return }
        #expect(abs(determinant(fit.rotation) - 1) < 1e-4, "seed \(seed)")
    }

    /// No small change of the answer makes it better.
    @Test func isTheLeastSquaresAnswer() throws {
        var generator = SeededGenerator(seed: 11)
        let source = cloud(&generator)
        let rotation = Turn.random(&generator)
        let target = source.map { point -> Point3 in
            var p = rotation.apply(point)
            p.x += generator.float(-0.1...0.1)
            p.y += generator.float(-0.1...0.1)
            p.z += generator.float(-0.1...0.1)
            return p
        }
        let fit = try #require(RigidFit(source: source, target: target))
        func error(_ fit: RigidFit) -> Float {
            zip(source, target).reduce(0) { sum, pair in
                let p = fit.apply(pair.0), q = pair.1
                return sum + (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y) + (p.z - q.z) * (p.z - q.z)
            }
        }
        for axis in Turn.Axis.allCases {
            for degrees in [Float(-1), 1] {
                var other = fit
                other.rotation = Turn.product(Turn.about(axis, degrees: degrees), fit.rotation)
                #expect(error(other) > error(fit))
            }
        }
        for factor in [Float(0.98), 1.02] {
            var other = fit
            other.scale *= factor
            #expect(error(other) > error(fit))
        }
    }

    @Test func degenerateSetsHaveNone() {
        let same = [Point3](repeating: Point3(1, 2, 3), count: 10)
        var generator = SeededGenerator(seed: 1)
        let some = Array(cloud(&generator).prefix(10))
        #expect(RigidFit(source: same, target: some) == nil)
        #expect(RigidFit(source: some, target: same) == nil)
        #expect(RigidFit(source: Array(some.prefix(2)), target: Array(some.prefix(2))) == nil)
        #expect(RigidFit(source: [], target: []) == nil)
    }

    private func cloud(_ generator: inout SeededGenerator) -> [Point3] {
        (0..<20).map { _ in
            Point3(generator.float(-1...1), generator.float(-1...1), generator.float(-0.5...0.5))
        }
    }

    private func moved(_ p: Point3, _ scale: Float, _ shift: Point3) -> Point3 {
        Point3(scale * p.x + shift.x, scale * p.y + shift.y, scale * p.z + shift.z)
    }

    private func distance(_ a: Rotation, _ b: Rotation) -> Float {
        zip(a.rows, b.rows).map { abs($0 - $1) }.max() ?? 0
    }

    private func distance(_ a: Point3, _ b: Point3) -> Float {
        max(abs(a.x - b.x), abs(a.y - b.y), abs(a.z - b.z))
    }

    private func determinant(_ r: Rotation) -> Float {
        let m = r.rows
        return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
            + m[2] * (m[3] * m[7] - m[4] * m[6])
    }
}

@Suite struct SymmetricEigenTests {
    @Test func knownMatrices() {
        #expect(values([[3, 0], [0, -2]]) == [-2, 3])
        expectClose(values([[2, 1], [1, 2]]), [1, 3])
        // 2 − √2, 2, 2 + √2.
        expectClose(values([[2, -1, 0], [-1, 2, -1], [0, -1, 2]]), [0.585786437627, 2, 3.414213562373])
        // Threefold and simple.
        expectClose(
            values([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]),
            [0, 0, 0, 4]
        )
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func vectorsBelongToValues(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let n = Int.random(in: 2...4, using: &generator)
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
        for i in 0..<n {
            for j in 0...i {
                matrix[i][j] = Double.random(in: -10...10, using: &generator)
                matrix[j][i] = matrix[i][j]
            }
        }
        let (values, vectors) = SymmetricEigen.jacobi(matrix)
        for k in 0..<n {
            for i in 0..<n {
                let product = (0..<n).reduce(0.0) { $0 + matrix[i][$1] * vectors[$1][k] }
                #expect(abs(product - values[k] * vectors[i][k]) < 1e-9, "seed \(seed)")
            }
            for other in 0..<n {
                let dot = (0..<n).reduce(0.0) { $0 + vectors[$1][k] * vectors[$1][other] }
                #expect(abs(dot - (k == other ? 1 : 0)) < 1e-9, "seed \(seed)")
            }
        }
    }

    private func values(_ matrix: [[Double]]) -> [Double] { SymmetricEigen.jacobi(matrix).values.sorted() }

    private func expectClose(_ a: [Double], _ b: [Double]) {
        #expect(a.count == b.count)
        for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-10, "\(a), expected \(b)") }
    }
}
