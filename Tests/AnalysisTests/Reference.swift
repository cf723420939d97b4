import Faces
import Foundation
import Imaging

/// What MediaPipe 0.10.14 answers on a frame: another program's answers, not the truth.
struct Reference: Decodable {
    struct Face: Decodable {
        var score: Float
        var bbox: [Float]

        var box: Rect { Rect(left: bbox[0], top: bbox[1], width: bbox[2], height: bbox[3]) }
    }

    struct Mesh: Decodable {
        struct Pose: Decodable {
            var yaw: Float
            var pitch: Float
            var roll: Float
        }

        var bbox: [Float]
        var poseDegrees: Pose

        enum CodingKeys: String, CodingKey {
            case bbox
            case poseDegrees = "pose_deg"
        }

        /// Around the 468 points.
        var box: Rect { Rect(left: bbox[0], top: bbox[1], width: bbox[2], height: bbox[3]) }
    }

    /// Presentation order, from 0.
    var frame: Int
    var detections: [Face]
    var meshes: [Mesh]

    static func load(_ clip: Clip) throws -> [Reference] {
        let text = try String(contentsOfFile: clip.referencePath, encoding: .utf8)
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode(Reference.self, from: Data($0.utf8))
        }
    }
}
