import Faces
import Glibc
import Testing

@Suite struct HeadPoseTests {
    /// The nose of a frontal head points at the viewer.
    private let nose = Point3(0, 0, -1)

    // MARK: - Signs, by what can be seen

    @Test func yawIsPositiveTowardsTheRightEdge() {
        let turned = Turn.head(yaw: 30, pitch: 0, roll: 0)
        #expect(turned.apply(nose).x > 0.4)
        expectClose(HeadPose(turned), (30, 0, 0))
    }

    @Test func pitchIsPositiveWhenLookingUp() {
        let turned = Turn.head(yaw: 0, pitch: 20, roll: 0)
        #expect(turned.apply(nose).y < -0.3)
        expectClose(HeadPose(turned), (0, 20, 0))
    }

    @Test func rollIsPositiveClockwise() {
        let turned = Turn.head(yaw: 0, pitch: 0, roll: 25)
        // The crown moves to the right edge, the eye at the right edge down.
        #expect(turned.apply(Point3(0, -1, 0)).x > 0.4)
        #expect(turned.apply(Point3(1, 0, 0)).y > 0.4)
        expectClose(HeadPose(turned), (0, 0, 25))
    }

    @Test func frontalIsZero() {
        expectClose(HeadPose(.identity), (0, 0, 0))
    }

    // MARK: - Together

    static let angles: [(Float, Float, Float)] = [
        (30, 20, 10), (-30, 20, 10), (30, -20, 10), (30, 20, -10), (-45, -25, 60), (70, 35, -80), (-80, 5, 170),
        (5, -85, 5),
    ]

    @Test(arguments: angles) func combined(yaw: Float, pitch: Float, roll: Float) {
        expectClose(HeadPose(Turn.head(yaw: yaw, pitch: pitch, roll: roll)), (yaw, pitch, roll))
    }

    /// Yaw and pitch are where the nose points, whatever the roll.
    @Test(arguments: angles) func rollLeavesTheNoseAlone(yaw: Float, pitch: Float, roll: Float) {
        let a = Turn.head(yaw: yaw, pitch: pitch, roll: roll).apply(nose)
        let b = Turn.head(yaw: yaw, pitch: pitch, roll: 0).apply(nose)
        #expect(abs(a.x - b.x) < 1e-5 && abs(a.y - b.y) < 1e-5 && abs(a.z - b.z) < 1e-5)
    }

    /// From a turned template through the fit to the angles.
    @Test(arguments: angles) func fromAMesh(yaw: Float, pitch: Float, roll: Float) throws {
        let template = try FaceTemplate.standard()
        let rotation = Turn.head(yaw: yaw, pitch: pitch, roll: roll)
        let mesh = FaceMesh(
            points: template.points.map { point in
                let p = rotation.apply(point)
                return Point3(80 * p.x + 300, 80 * p.y + 200, 80 * p.z)
            },
            presence: 40
        )
        let fit = try #require(template.fit(mesh))
        expectClose(HeadPose(fit.rotation), (yaw, pitch, roll))
        #expect(abs(fit.scale - 80) < 0.01)
        for (point, back) in zip(template.points, template.poseFree(mesh, fit: fit)) {
            #expect(abs(point.x - back.x) < 1e-3 && abs(point.y - back.y) < 1e-3 && abs(point.z - back.z) < 1e-3)
        }
    }

    @Test func turnIsTheAngleToTheLineOfSight() {
        #expect(abs(HeadPose(yaw: 0, pitch: 0, roll: 70).turn) < 0.1)
        #expect(abs(HeadPose(yaw: -35, pitch: 0, roll: 0).turn - 35) < 0.01)
        #expect(abs(HeadPose(yaw: 0, pitch: 35, roll: 0).turn - 35) < 0.01)
        let both = HeadPose(yaw: 30, pitch: 40, roll: 0)
        let direction = Turn.head(yaw: 30, pitch: 40, roll: 0).apply(nose)
        #expect(abs(both.turn - acosf(-direction.z) * 180 / .pi) < 0.01)
    }

    private func expectClose(_ pose: HeadPose, _ expected: (Float, Float, Float)) {
        #expect(abs(pose.yaw - expected.0) < 0.05, "\(pose), expected \(expected)")
        #expect(abs(pose.pitch - expected.1) < 0.05, "\(pose), expected \(expected)")
        #expect(abs(pose.roll - expected.2) < 0.05, "\(pose), expected \(expected)")
    }
}
