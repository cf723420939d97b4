internal import Imaging

/// How a head is turned.
///
/// Yaw > 0 turns towards the right edge of the image, pitch > 0 looks up, roll > 0 tilts clockwise as the viewer sees
/// it; frontal and upright is zero.
package struct HeadPose: Sendable, Hashable {
    package var yaw: Float
    package var pitch: Float
    package var roll: Float

    /// - Parameters: degrees.
    package init(yaw: Float, pitch: Float, roll: Float) {
        self.yaw = yaw
        self.pitch = pitch
        self.roll = roll
    }

    /// The angles of the rotation that takes the template onto a face, yaw · pitch · roll: the head is first rolled about
    /// its own nose, so that yaw and pitch are those of the direction in which the nose points.
    package init(_ rotation: Rotation) {
        let r = rotation.rows
        yaw = Geometry.degrees(Geometry.atan2(-r[2], r[8]))
        pitch = Geometry.degrees(Geometry.asin(r[5]))
        roll = Geometry.degrees(Geometry.atan2(r[3], r[4]))
    }

    /// The angle between the line of sight and the direction of the face, degrees.
    package var turn: Float {
        Geometry.degrees(
            Geometry.acos(Geometry.cos(Geometry.radians(yaw)) * Geometry.cos(Geometry.radians(pitch)))
        )
    }
}
