import Faces
import Imaging

/// The mean face of a set of meshes: generalised Procrustes analysis (Gower, Psychometrika 40, 1975), symmetrised.
struct TemplateFit {
    /// The mesh network flattens heads a little: depth is stretched by so much.
    private static let depth: Float = 1.10
    /// Degrees by which the mean of portraits is turned to make frontal and upright zero: the mesh sees a level head
    /// from a little below its brow.
    ///
    /// Calibrated on the reference poses of the test clips, like `depth`.
    private static let pitch: Float = 14

    /// - Parameter old: gives the rigid points, the mirrored ones and the frame to begin with.
    static func fit(_ meshes: [FaceMesh], old: FaceTemplate) throws(FacesError) -> FaceTemplate {
        var mean = old.points.map { point in
            let p = rotated(point, by: -pitch)
            return Point3(p.x, p.y, p.z / depth)
        }
        for _ in 0..<6 {
            var sum = [Point3](repeating: Point3(0, 0, 0), count: FaceMesh.count)
            for mesh in meshes {
                guard let fit = RigidFit(source: mean, target: mesh.points) else { continue }
                for (index, point) in mesh.points.enumerated() {
                    let p = fit.unapply(point)
                    sum[index] = Point3(sum[index].x + p.x, sum[index].y + p.y, sum[index].z + p.z)
                }
            }
            let symmetric = old.mirror.indices.map { index in
                let a = sum[index], b = sum[old.mirror[index]]
                return Point3((a.x - b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2)
            }
            mean = normalised(symmetric, rigid: old.rigid)
        }
        let posed = mean.map { rotated(Point3($0.x, $0.y, $0.z * depth), by: pitch) }
        return try FaceTemplate(points: normalised(posed, rigid: old.rigid), rigid: old.rigid, mirror: old.mirror)
    }

    /// Outer eye corners 1 apart, the rigid points' centre at the origin.
    private static func normalised(_ points: [Point3], rigid: [Int]) -> [Point3] {
        let a = points[33], b = points[263]
        let (dx, dy, dz) = (b.x - a.x, b.y - a.y, b.z - a.z)
        let size = (dx * dx + dy * dy + dz * dz).squareRoot()
        let n = Float(rigid.count)
        let center = rigid.reduce(Point3(0, 0, 0)) {
            Point3($0.x + points[$1].x / n, $0.y + points[$1].y / n, $0.z + points[$1].z / n)
        }
        return points.map { Point3(($0.x - center.x) / size, ($0.y - center.y) / size, ($0.z - center.z) / size) }
    }

    /// About the axis from ear to ear.
    private static func rotated(_ p: Point3, by degrees: Float) -> Point3 {
        let c = Geometry.cos(Geometry.radians(degrees)), s = Geometry.sin(Geometry.radians(degrees))
        return Point3(p.x, c * p.y - s * p.z, s * p.y + c * p.z)
    }
}
