import Faces
import Imaging

/// How an analysed clip agrees with the reference, where both have the frame.
struct Agreement: Sendable {
    /// The reference's faces of at least 24 pixels, and those that were found at an IoU of 0.5 or more.
    var faces = 0
    var found = 0
    /// The sum of the found ones' IoU.
    var overlap: Float = 0
    /// What was missed: frame and box.
    var missed: [String] = []
    /// The reference's meshes, and the absolute differences of pose for those that both have.
    var meshes = 0
    var yaw: [Float] = []
    var pitch: [Float] = []
    var roll: [Float] = []

    static let smallestFace: Float = 24

    init() {}

    init(of clip: AnalysedClip, with references: [Reference]) {
        for reference in references {
            guard let frame = clip.frame(reference.frame) else { continue }
            for face in reference.detections where face.box.width >= Agreement.smallestFace {
                faces += 1
                let best = frame.faces.map { $0.face.box.iou(face.box) }.max() ?? 0
                if best >= 0.5 {
                    found += 1
                    overlap += best
                } else {
                    missed.append("frame \(reference.frame): \(face.bbox), IoU \(best)")
                }
            }
            for mesh in reference.meshes {
                meshes += 1
                let candidates = frame.faces.compactMap { face in
                    face.face.mesh.map { (pose: face.face.pose, iou: $0.bounds.iou(mesh.box)) }
                }
                guard let best = candidates.max(by: { $0.iou < $1.iou }), best.iou >= 0.5, let pose = best.pose else {
                    continue
                }
                yaw.append(abs(pose.yaw - mesh.poseDegrees.yaw))
                pitch.append(abs(pose.pitch - mesh.poseDegrees.pitch))
                roll.append(abs(pose.roll - mesh.poseDegrees.roll))
            }
        }
    }

    mutating func add(_ other: Agreement) {
        faces += other.faces
        found += other.found
        overlap += other.overlap
        missed += other.missed
        meshes += other.meshes
        yaw += other.yaw
        pitch += other.pitch
        roll += other.roll
    }

    /// 1 where there was nothing to find.
    var recall: Double { faces > 0 ? Double(found) / Double(faces) : 1 }

    static func mean(_ values: [Float]) -> Float { values.isEmpty ? 0 : values.reduce(0, +) / Float(values.count) }

    static func of(_ look: AnalysedClip.Look) async throws -> Agreement {
        Agreement(of: try await AnalysedClip.of(look), with: try Reference.load(look.clip))
    }
}
