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

        /// Where the axes end: x to the right of the picture, y to the crown of the head, z out of the face.
        ///
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
    /// Draws one face: contours, pose, the corners of its box, and the label plate above it, or where there is room.
    package mutating func draw(_ face: FaceOverlay) {
        draw([face])
    }

    /// Draws faces so that no box or mesh lies on a label, and labels beside faces and each other where there is room.
    package mutating func draw(_ faces: [FaceOverlay]) {
        let unit = max(1, Float(size.height) / 540)
        for face in faces {
            let color = Canvas.palette(face.ordinal)
            if !face.contours.isEmpty {
                strokes(face.contours, thickness: unit, color: color.mixed(with: .white, 0.45).opacity(0.55))
            }
            draw(face.box, color: color, unit: unit)
            if let pose = face.pose { draw(pose, unit: unit) }
        }
        var plates: [Rect] = []
        for (index, face) in faces.enumerated() {
            let lines = lines(of: face)
            let others = faces.indices.filter { $0 != index }.map { faces[$0].box }
            guard let plate = place(lines, beside: face.box, plates: plates, others: others) else { continue }
            plates.append(plate)
            label(
                lines,
                at: Point(x: plate.left, y: plate.top),
                scale: textScale,
                firstLine: Canvas.palette(face.ordinal)
            )
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

    /// The lines there is room for: a small face in a crowd gets its first line alone.
    private func lines(of face: FaceOverlay) -> [String] {
        let widest = Float(Canvas.labelSize(face.labels, scale: textScale).width)
        return widest > 4 * face.box.width ? Array(face.labels.prefix(1)) : face.labels
    }

    /// Where the plate of a face goes: above its box, below it, beside it, or inside at its top; of the places in the
    /// picture the first one that hides neither a plate nor another face, else the one that hides least.
    private func place(_ lines: [String], beside box: Rect, plates: [Rect], others: [Rect]) -> Rect? {
        guard !lines.isEmpty, box.left.isFinite, box.top.isFinite, box.width.isFinite, box.height.isFinite else {
            return nil
        }
        let plate = Canvas.labelSize(lines, scale: textScale)
        let gap = Float(3 * textScale)
        let width = Float(plate.width), height = Float(plate.height)
        let limit = Point(x: Float(size.width) - width, y: Float(size.height) - height)
        let left = max(0, min(box.left - gap / 2, limit.x)), right = max(0, min(box.right + gap / 2 - width, limit.x))
        let above = box.top - gap - height, below = box.bottom + gap, inside = box.top + gap
        let origins = [
            (left, above), (right, above), (left, below), (right, below), (box.right + gap, box.top),
            (box.left - gap - width, box.top), (left, inside),
        ]
        // Not in the list when it lies outside; the box itself may do so too.
        let places = origins.filter { $0.0 >= 0 && $0.0 <= max(0, limit.x) && $0.1 >= 0 && $0.1 <= limit.y }.map {
            Rect(left: $0.0.rounded(), top: $0.1.rounded(), width: width, height: height)
        }
        func hidden(_ place: Rect) -> Float {
            plates.reduce(0) { $0 + 3 * $1.intersectionArea(place) }
                + others.reduce(0) { $0 + $1.intersectionArea(place) }
        }
        var best: (place: Rect, hidden: Float)?
        for place in places {
            let hidden = hidden(place)
            if hidden == 0 { return place }
            if hidden < best?.hidden ?? .infinity { best = (place, hidden) }
        }
        return best?.place
            ?? Rect(left: left.rounded(), top: max(0, min(above, limit.y)).rounded(), width: width, height: height)
    }
}
