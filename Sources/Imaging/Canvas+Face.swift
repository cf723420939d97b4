/// What there is to see of one face, in displayed pixels: plain values, whoever measured them.
package struct FaceOverlay: Sendable, Hashable {
    /// The way a head is turned, drawn as three axes.
    ///
    /// All angles are zero for an upright face that looks into the camera. The face turns about its own axis by
    /// `roll` first, then up by `pitch`, then sideways by `yaw`: where the blue axis points is where the face looks.
    package struct Pose: Sendable, Hashable {
        package var origin: Point
        /// Degrees; > 0: turned towards the right edge of the picture.
        package var yaw: Float
        /// Degrees; > 0: looks up.
        package var pitch: Float
        /// Degrees; > 0: tilted clockwise as the viewer sees it.
        package var roll: Float
        /// Length of an axis that lies in the plane of the picture, pixels.
        package var length: Float

        package init(origin: Point, yaw: Float, pitch: Float, roll: Float, length: Float) {
            self.origin = origin
            self.yaw = yaw
            self.pitch = pitch
            self.roll = roll
            self.length = length
        }

        /// Where the axes end: x to the face's right-hand side of the picture, y to its crown, z out of it.
        /// `depth` > 0 lies nearer to the viewer than the origin. Parallel projection.
        package var axes: [(tip: Point, depth: Float)] {
            let cy = Geometry.cos(Geometry.radians(yaw)), sy = Geometry.sin(Geometry.radians(yaw))
            let cp = Geometry.cos(Geometry.radians(pitch)), sp = Geometry.sin(Geometry.radians(pitch))
            let cr = Geometry.cos(Geometry.radians(roll)), sr = Geometry.sin(Geometry.radians(roll))
            // Right, up and towards the viewer; roll runs clockwise, so x sinks as it grows.
            let units: [(Float, Float, Float)] = [(cr, -sr, 0), (sr, cr, 0), (0, 0, 1)]
            return units.map { unit in
                let (x, y, z) = unit
                let up = y * cp + z * sp, out = z * cp - y * sp
                let right = x * cy + out * sy, near = out * cy - x * sy
                return (Point(x: origin.x + right * length, y: origin.y - up * length), near)
            }
        }
    }

    package var box: Rect
    /// Picks the colour; the same for the same track.
    package var ordinal: Int
    /// Lines of the label plate, the first one in the face's colour.
    package var labels: [String]
    /// Lines over the features of the face.
    package var contours: [[Point]]
    package var pose: Pose?

    package init(box: Rect, ordinal: Int, labels: [String] = [], contours: [[Point]] = [], pose: Pose? = nil) {
        self.box = box
        self.ordinal = ordinal
        self.labels = labels
        self.contours = contours
        self.pose = pose
    }
}

extension Canvas {
    /// Draws one face: contours, pose, the corners of its box, and the label plate above it, or below where there is
    /// no room, or inside as the last resort.
    package mutating func draw(_ face: FaceOverlay) {
        let color = Canvas.palette(face.ordinal)
        let unit = max(1, Float(size.height) / 540)
        if !face.contours.isEmpty {
            strokes(face.contours, thickness: unit, color: color.mixed(with: .white, 0.45).opacity(0.55))
        }
        draw(face.box, color: color, unit: unit)
        if let pose = face.pose { draw(pose, unit: unit) }
        if !face.labels.isEmpty { label(face.labels, beside: face.box, color: color) }
    }

    /// Draws faces so that no box or mesh lies on another one's label.
    package mutating func draw(_ faces: [FaceOverlay]) {
        for var face in faces {
            face.labels = []
            draw(face)
        }
        for face in faces where !face.labels.isEmpty {
            label(face.labels, beside: face.box, color: Canvas.palette(face.ordinal))
        }
    }

    /// A colour that differs from its neighbours in hue and can be read on dark and on light; repeats after twelve.
    package static func palette(_ ordinal: Int) -> Color {
        let index = ordinal % colors.count
        return colors[index < 0 ? index + colors.count : index]
    }

    private static let colors: [Color] = [
        Color(red: 64, green: 200, blue: 255), Color(red: 255, green: 176, blue: 32),
        Color(red: 112, green: 224, blue: 96), Color(red: 255, green: 112, blue: 160),
        Color(red: 180, green: 144, blue: 255), Color(red: 255, green: 228, blue: 72),
        Color(red: 48, green: 222, blue: 190), Color(red: 255, green: 124, blue: 80),
        Color(red: 120, green: 160, blue: 255), Color(red: 200, green: 230, blue: 60),
        Color(red: 240, green: 130, blue: 240), Color(red: 222, green: 184, blue: 140),
    ]

    // MARK: - Parts

    private mutating func draw(_ box: Rect, color: Color, unit: Float) {
        let side = min(box.width, box.height)
        guard side > 0 else { return }
        let radius = min(side / 8, 8 * unit)
        outline(box, cornerRadius: radius, thickness: unit, color: color.opacity(0.4))
        // A dark rim keeps the corners apart from a picture of their own colour.
        let arm = min(side / 3.5, 60 * unit), thickness = min(3 * unit, max(1.5, side / 16))
        corners(box, arm: arm, cornerRadius: radius, thickness: thickness + 2 * unit, color: Color.black.opacity(0.35))
        corners(box, arm: arm, cornerRadius: radius, thickness: thickness, color: color)
    }

    private mutating func draw(_ pose: FaceOverlay.Pose, unit: Float) {
        let hues = [
            Color(red: 255, green: 72, blue: 64), Color(red: 64, green: 224, blue: 80),
            Color(red: 72, green: 136, blue: 255),
        ]
        let thickness = max(1.5, min(3 * unit, pose.length / 12))
        // The farthest axis first.
        for (axis, color) in zip(pose.axes, hues).sorted(by: { $0.0.depth < $1.0.depth }) {
            line(from: pose.origin, to: axis.tip, thickness: thickness + 2 * unit, color: Color.black.opacity(0.35))
            line(from: pose.origin, to: axis.tip, thickness: thickness, color: color)
            dot(axis.tip, radius: thickness * 0.9, color: color)
        }
        dot(pose.origin, radius: thickness * 0.75, color: .white)
    }

    private mutating func label(_ lines: [String], beside box: Rect, color: Color) {
        guard box.left.isFinite, box.top.isFinite, box.width.isFinite, box.height.isFinite else { return }
        let scale = textScale
        let plate = Canvas.labelSize(lines, scale: scale)
        let gap = Float(3 * scale)
        var top = box.top - gap - Float(plate.height)
        if top < 0 {
            top = box.bottom + gap
            // Neither above nor below: in the box, or as near to it as the picture allows.
            if top + Float(plate.height) > Float(size.height) { top = max(0, box.top + gap) }
        }
        top = max(0, min(top, Float(size.height - plate.height)))
        let left = max(0, min(box.left - gap / 2, Float(size.width - plate.width)))
        let drawn = label(lines, at: Point(x: left.rounded(), y: top.rounded()), scale: scale)
        // The first line once more, in the colour of the face.
        if let first = lines.first {
            text(
                first, at: Point(x: drawn.left + Float(5 * scale), y: drawn.top + Float(4 * scale)), scale: scale,
                color: color)
        }
    }
}
