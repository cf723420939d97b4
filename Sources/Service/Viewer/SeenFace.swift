internal import FoundationEssentials
package import Imaging

/// A face in a picture that a source looked at.
package struct SeenFace: Sendable, Hashable {
    /// Absent until there is a track; `"t1"`.
    package var track: String?
    /// The expression, where it is confident.
    package var label: String?
    /// Displayed pixels.
    package var box: Rect
    /// Yaw, pitch, roll in degrees; absent when they were not measured.
    package var pose: [Float]?
    /// How well it shows, 0–100.
    package var quality: Float

    package init(track: String?, label: String?, box: Rect, pose: [Float]?, quality: Float) {
        self.track = track
        self.label = label
        self.box = box
        self.pose = pose
        self.quality = quality
    }

    // MARK: - For the page

    /// Faces that are told of one picture: they travel in a header beside it, so both are of the same moment.
    private static let maximumTold = 48

    private struct Told: Encodable {
        let id: String?
        let label: String?
        /// Left, top, width, height as ratios of the picture.
        let box: [Double]
        let pose: [Double]?
    }

    /// A JSON array in ASCII; an empty one where that cannot be.
    static func json(_ faces: [SeenFace], in size: Size) -> String {
        let width = Float(max(1, size.width)), height = Float(max(1, size.height))
        let told = faces.prefix(maximumTold).map { face in
            Told(
                id: face.track,
                label: face.label,
                box: [
                    face.box.left / width, face.box.top / height, face.box.width / width, face.box.height / height,
                ].map { rounded($0, 10_000) },
                pose: face.pose.map { $0.map { rounded($0, 10) } }
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(told), data.allSatisfy({ (0x20..<0x7f).contains($0) }) else { return "[]" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func rounded(_ value: Float, _ unit: Double) -> Double {
        guard value.isFinite else { return 0 }
        return (Double(value) * unit).rounded() / unit
    }
}
