internal import Faces
internal import Imaging
internal import Video

/// Draws what the analysis saw onto a copy of the video.
///
/// Every frame is drawn, most were never looked at: frames wait until the next sample tells where its faces went, and
/// the overlay moves there evenly. The wait is bounded, for streams that are sampled seldom.
struct Annotator: ~Copyable {
    /// Frames that may wait for the next sample.
    private static let patience = 16

    private var writer: VideoWriter
    private var waiting: [VideoFrame] = []
    private var last: (time: Double, overlays: [FaceOverlay]) = (0, [])

    init(path: String, size: Size, framesPerSecond: Double?) throws {
        writer = try VideoWriter(path: path, size: size, framesPerSecond: framesPerSecond)
    }

    /// - Parameter sightings: the faces of a sampled frame; nil for a frame that was not looked at.
    mutating func see(_ frame: VideoFrame, sightings: [SourceAnalysis.Sighting]?) throws {
        guard let sightings else {
            waiting.append(frame)
            if waiting.count > Annotator.patience { try drain(towards: nil) }
            return
        }
        let overlays = sightings.map(Self.overlay)
        try drain(towards: (frame.mediaTime, overlays))
        last = (frame.mediaTime, overlays)
        try draw(overlays, on: frame)
    }

    mutating func finish() throws {
        try drain(towards: nil)
        try writer.finish()
    }

    private mutating func drain(towards next: (time: Double, overlays: [FaceOverlay])?) throws {
        let frames = waiting
        waiting = []
        for frame in frames {
            guard let next, next.time > last.time else {
                try draw(last.overlays, on: frame)
                continue
            }
            let share = Float((frame.mediaTime - last.time) / (next.time - last.time))
            try draw(Self.between(last.overlays, next.overlays, share: max(0, min(1, share))), on: frame)
        }
    }

    private mutating func draw(_ overlays: [FaceOverlay], on frame: VideoFrame) throws {
        var canvas = Canvas(frame.picture)
        canvas.draw(overlays)
        try writer.append(canvas, at: frame.mediaTime)
    }

    /// Faces that both samples have are moved; the others stay while the nearer sample has them.
    private static func between(_ a: [FaceOverlay], _ b: [FaceOverlay], share: Float) -> [FaceOverlay] {
        var result: [FaceOverlay] = []
        for from in a {
            if let to = b.first(where: { $0.ordinal == from.ordinal && from.ordinal > 0 }) {
                result.append(from.moved(towards: to, share: share))
            } else if share < 0.5 {
                result.append(from)
            }
        }
        if share >= 0.5 {
            result += b.filter { to in !a.contains { $0.ordinal == to.ordinal && to.ordinal > 0 } }
        }
        return result
    }

    private static func overlay(_ sighting: SourceAnalysis.Sighting) -> FaceOverlay {
        let face = sighting.face
        // A face that was not seen often enough yet has a box, but no name.
        var lines: [String] = []
        if let id = sighting.trackID {
            lines.append(([id] + [sighting.label].compactMap { $0 }).joined(separator: " "))
        }
        if let pose = face.pose {
            lines.append(
                "yaw \(Int(pose.yaw.rounded())) pitch \(Int(pose.pitch.rounded())) roll \(Int(pose.roll.rounded()))"
            )
        }
        var pose: FaceOverlay.Pose?
        if let angles = face.pose, let mesh = face.mesh {
            pose = FaceOverlay.Pose(
                origin: mesh.point(1),
                yaw: angles.yaw,
                pitch: angles.pitch,
                roll: angles.roll,
                length: 0.5 * face.box.width
            )
        }
        return FaceOverlay(
            box: face.box,
            ordinal: sighting.ordinal,
            labels: lines,
            contours: face.mesh.map { mesh in MeshTopology.contours.map { $0.map(mesh.point) } } ?? [],
            pose: pose
        )
    }
}

extension FaceOverlay {
    /// The overlay on its way to `other`; words are those of the nearer end.
    fileprivate func moved(towards other: FaceOverlay, share: Float) -> FaceOverlay {
        func mix(_ a: Float, _ b: Float) -> Float { a + share * (b - a) }
        func mix(_ a: Point, _ b: Point) -> Point { Point(x: mix(a.x, b.x), y: mix(a.y, b.y)) }
        var moved = share < 0.5 ? self : other
        moved.box = Rect(
            left: mix(box.left, other.box.left),
            top: mix(box.top, other.box.top),
            width: mix(box.width, other.box.width),
            height: mix(box.height, other.box.height)
        )
        if contours.count == other.contours.count {
            moved.contours = zip(contours, other.contours).map { zip($0, $1).map { mix($0, $1) } }
        }
        if let from = pose, let to = other.pose {
            moved.pose = Pose(
                origin: mix(from.origin, to.origin),
                yaw: mix(from.yaw, to.yaw),
                pitch: mix(from.pitch, to.pitch),
                roll: mix(from.roll, to.roll),
                length: mix(from.length, to.length)
            )
        }
        return moved
    }
}
