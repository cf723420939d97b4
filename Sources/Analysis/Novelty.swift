internal import Faces

/// Whether a face shows anything that the last answer of the classifiers was not about: asking twice about the same
/// thing costs time and tells nothing.
enum Novelty {
    /// Seconds after which an answer is renewed whatever the face does.
    private static let lifetime = 2.0
    /// Mean way of a pose-free point since the last answer, in outer eye distances; the mesh jitters by about 0.006.
    private static let movement: Float = 0.012
    /// Points of the quality score that a better picture has to gain.
    private static let gain: Float = 10

    static func isNew(
        _ shape: [Point3],
        quality: Float,
        time: Double,
        after last: (shape: [Point3], quality: Float, time: Double)
    ) -> Bool {
        time - last.time >= lifetime || quality >= last.quality + gain
            || meanDistance(shape, last.shape) >= movement
    }

    /// Over every fourth point, in the image plane, where the mesh is most sure.
    private static func meanDistance(_ a: [Point3], _ b: [Point3]) -> Float {
        var total: Float = 0
        var count: Float = 0
        for index in stride(from: 0, to: min(a.count, b.count), by: 4) {
            let dx = a[index].x - b[index].x, dy = a[index].y - b[index].y
            total += (dx * dx + dy * dy).squareRoot()
            count += 1
        }
        return count > 0 ? total / count : .infinity
    }
}
