package import Imaging

/// A point in space: x and y in displayed pixels, z in the same unit, growing away from the camera.
package struct Point3: Sendable, Hashable {
    package var x: Float
    package var y: Float
    package var z: Float

    package init(_ x: Float, _ y: Float, _ z: Float) {
        self.x = x
        self.y = y
        self.z = z
    }
}

/// The 468 points of a face in MediaPipe's numbering.
package struct FaceMesh: Sendable, Hashable {
    package static let count = 468

    package var points: [Point3]
    /// How sure the network is that its crop showed a face: a logit.
    ///
    /// Faces of 48 pixels and more have 25 to 50, small ones −11 to 21, other things −14 to −1.5.
    package var presence: Float

    package init(points: [Point3], presence: Float) {
        precondition(points.count == FaceMesh.count, "a mesh has 468 points, not \(points.count)")
        self.points = points
        self.presence = presence
    }

    package func point(_ index: Int) -> Point { Point(x: points[index].x, y: points[index].y) }

    /// The smallest upright rectangle around all points.
    package var bounds: Rect {
        var left = Float.infinity, top = Float.infinity, right = -Float.infinity, bottom = -Float.infinity
        for point in points {
            left = min(left, point.x)
            right = max(right, point.x)
            top = min(top, point.y)
            bottom = max(bottom, point.y)
        }
        return Rect(left: left, top: top, width: right - left, height: bottom - top)
    }

    /// The angle of the line through the outer eye corners, clockwise as seen, radians.
    package var eyeLineAngle: Float {
        let right = point(33), left = point(263)
        return Geometry.atan2(left.y - right.y, left.x - right.x)
    }

    /// Distance between the eye centres, pixels.
    package var interEyeDistance: Float {
        let right = point(33), rightInner = point(133), left = point(263), leftInner = point(362)
        return Point(x: (right.x + rightInner.x) / 2, y: (right.y + rightInner.y) / 2)
            .distance(to: Point(x: (left.x + leftInner.x) / 2, y: (left.y + leftInner.y) / 2))
    }

    /// The centre and the longer side of the points' rectangle along the axes turned by `angle`.
    package func alignedSquare(angle: Float, scale: Float) -> RotatedSquare {
        let cosine = Geometry.cos(angle), sine = Geometry.sin(angle)
        var left = Float.infinity, top = Float.infinity, right = -Float.infinity, bottom = -Float.infinity
        for point in points {
            let u = cosine * point.x + sine * point.y
            let v = -sine * point.x + cosine * point.y
            left = min(left, u)
            right = max(right, u)
            top = min(top, v)
            bottom = max(bottom, v)
        }
        let u = (left + right) / 2, v = (top + bottom) / 2
        return RotatedSquare(
            center: Point(x: cosine * u - sine * v, y: sine * u + cosine * v),
            side: scale * max(right - left, bottom - top),
            angle: angle
        )
    }

    /// Where to look for the same face in the next picture, or once more in this one: 1.5 x the points' rectangle with
    /// the eyes level (MediaPipe's face_landmarks_to_roi).
    package var meshRegion: RotatedSquare { alignedSquare(angle: eyeLineAngle, scale: 1.5) }

    /// All coordinates are finite.
    package var isFinite: Bool { points.allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.z.isFinite } }
}
