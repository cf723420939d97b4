internal import Events
internal import Glibc

/// A pose in the angles of OpenFace.
///
/// Both count in the camera's frame: x to the right, y down, z into the picture. Ours is
/// Ry(−yaw) · Rx(−pitch) · Rz(roll), so that yaw and pitch are the direction of the nose; OpenFace's is
/// Rx · Ry · Rz (`Euler2RotationMatrix` in its RotationHelpers.h). So the rotation is put together from the one and
/// taken apart in the order of the other. There a head that looks up has Rx < 0, and one that turns towards the left
/// edge of the picture has Ry > 0.
struct HeadRotation {
    /// Radians.
    let rx: Double
    let ry: Double
    let rz: Double

    init(_ pose: PoseRecord) {
        let a = -pose.yawDegrees * .pi / 180, b = -pose.pitchDegrees * .pi / 180, c = pose.rollDegrees * .pi / 180
        // The five elements of Ry(a) · Rx(b) · Rz(c) that OpenFace's angles are read from.
        let r00 = cos(a) * cos(c) + sin(a) * sin(b) * sin(c)
        let r01 = -cos(a) * sin(c) + sin(a) * sin(b) * cos(c)
        let r02 = sin(a) * cos(b)
        let r12 = -sin(b)
        let r22 = cos(a) * cos(b)
        rx = atan2(-r12, r22)
        ry = asin(min(max(r02, -1), 1))
        rz = atan2(-r01, r00)
    }
}
