import Faces
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct FaceTemplateTests {
    @Test func mirrorIsAnInvolutionAndTheFaceSymmetric() throws {
        let template = try FaceTemplate.standard()
        for index in 0..<FaceMesh.count { #expect(template.mirror[template.mirror[index]] == index) }
        #expect(Set(template.rigid) == Set(template.rigid.map { template.mirror[$0] }))
        for (a, b) in zip(template.points, template.mirrored(template.points)) {
            #expect(abs(a.x - b.x) < 1e-4 && abs(a.y - b.y) < 1e-4 && abs(a.z - b.z) < 1e-4)
        }
    }

    @Test func mirroringTwiceChangesNothing() throws {
        let template = try FaceTemplate.standard()
        var generator = SeededGenerator(seed: 2)
        let points = (0..<FaceMesh.count).map { _ in
            Point3(generator.float(-1...1), generator.float(-1...1), generator.float(-1...1))
        }
        #expect(template.mirrored(template.mirrored(points)) == points)
    }

    /// Outer eye corners 1 apart on a level line, the origin in the middle of the rigid points.
    @Test func frame() throws {
        let template = try FaceTemplate.standard()
        let right = template.points[33], left = template.points[263]
        #expect(abs(left.x - right.x - 1) < 1e-3 && abs(left.y - right.y) < 1e-3)
        let n = Float(template.rigid.count)
        for axis in [\Point3.x, \.y, \.z] {
            #expect(abs(template.rigid.reduce(0) { $0 + template.points[$1][keyPath: axis] } / n) < 1e-3)
        }
        // The nose points at the viewer, the chin lies below the brow.
        #expect(template.points[1].z < template.points[33].z)
        #expect(template.points[152].y > template.points[10].y)
    }

    @Test func writesWhatItReads() throws {
        let template = try FaceTemplate.standard()
        #expect(try FaceTemplate(json: template.json()) == template)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"points": [], "rigid": [], "mirror": []}"#,
        #"{"points": [[1, 2]], "rigid": [0], "mirror": [0]}"#, #"{"points": 1, "rigid": [0], "mirror": [0]}"#,
    ]) func malformedFilesAreRefused(text: String) {
        let error = #expect(throws: FacesError.self) { try FaceTemplate(json: Data(text.utf8)) }
        #expect(error?.operation == .readParameters)
        #expect(error?.description.contains("face-template.json") == true)
    }

    @Test func pointsThatDoNotExistAreRefused() throws {
        let template = try FaceTemplate.standard()
        let error = #expect(throws: FacesError.self) {
            try FaceTemplate(points: template.points, rigid: template.rigid + [468], mirror: template.mirror)
        }
        #expect(error?.reason.contains("468") == true)
        #expect(throws: FacesError.self) {
            try FaceTemplate(points: template.points, rigid: [1, 2, 3], mirror: template.mirror)
        }
        #expect(throws: FacesError.self) {
            try FaceTemplate(points: template.points, rigid: template.rigid, mirror: template.mirror.map { -$0 })
        }
    }

    /// Every truncation is an error, none a trap.
    @Test func truncatedFilesAreRefused() throws {
        let text = try FaceTemplate.standard().json()
        for length in stride(from: 0, to: text.count, by: text.count / 40) {
            #expect(throws: FacesError.self) { try FaceTemplate(json: text.prefix(length)) }
        }
    }
}

@Suite struct FaceMeshTests {
    private func mesh(rolledBy degrees: Float) throws -> FaceMesh {
        let rotation = Turn.head(yaw: 0, pitch: 0, roll: degrees)
        return FaceMesh(
            points: try FaceTemplate.standard().points.map { point in
                let p = rotation.apply(point)
                return Point3(100 * p.x + 300, 100 * p.y + 200, 100 * p.z)
            },
            presence: 30
        )
    }

    @Test(arguments: [Float(0), 30, -75, 150]) func theRegionTurnsWithTheHead(degrees: Float) throws {
        let upright = try mesh(rolledBy: 0), mesh = try mesh(rolledBy: degrees)
        #expect(abs(mesh.eyeLineAngle - degrees * .pi / 180) < 1e-3)
        #expect(abs(mesh.meshRegion.side - upright.meshRegion.side) < 0.05)
        #expect(abs(mesh.interEyeDistance - upright.interEyeDistance) < 0.05)
        #expect(mesh.interEyeDistance > 50 && mesh.interEyeDistance < 100)
    }

    @Test func boundsHoldEveryPoint() throws {
        let mesh = try mesh(rolledBy: 20)
        let bounds = mesh.bounds
        for point in mesh.points {
            #expect(point.x >= bounds.left && point.y >= bounds.top)
            #expect(point.x <= bounds.right + 1e-3 && point.y <= bounds.bottom + 1e-3)
        }
    }

    @Test func finiteIsChecked() throws {
        var mesh = try mesh(rolledBy: 0)
        #expect(mesh.isFinite)
        mesh.points[200].z = .nan
        #expect(!mesh.isFinite)
        mesh.points[200].z = .infinity
        #expect(!mesh.isFinite)
    }
}

@Suite struct FaceMeasuresTests {
    /// The mean face with its mouth corners, lower lip and so on moved.
    private func measures(_ change: (inout [Point3]) -> Void = { _ in }) throws -> FaceMeasures {
        let template = try FaceTemplate.standard()
        var points = template.points
        change(&points)
        return FaceMeasures(poseFree: points, template: template, pitch: 0)
    }

    private static let lowerLip = [14, 87, 317, 17, 84, 314, 178, 402]

    /// The mean of photographs of all expressions has its lips apart, so the test begins below.
    @Test func anOpeningMouth() throws {
        var last = -Float.infinity
        var seen: [MouthOpening] = []
        for step in -5...10 {
            let open = try measures { points in
                for index in Self.lowerLip { points[index].y += 0.02 * Float(step) }
            }
            #expect(open.mouthGap > last)
            last = open.mouthGap
            if seen.last != open.mouth { seen.append(open.mouth) }
        }
        #expect(seen == [.closed, .open, .wideOpen])
    }

    /// On a limit the state stays what it was.
    @Test func aMouthOnALimitDoesNotFlicker() throws {
        let steps = try (-20...20).map { step in
            try measures { points in
                for index in Self.lowerLip { points[index].y += 0.005 * Float(step) }
            }
        }
        let ajar = try #require(steps.first { abs($0.mouthGap - FaceMeasures.openGap) < 0.004 })
        #expect(ajar.mouth(after: .closed) == .closed)
        #expect(ajar.mouth(after: .open) == .open)
        #expect(ajar.mouth(after: nil) == ajar.mouth)
    }

    @Test func aSmileRaisesItsUnits() throws {
        let still = try measures().actionUnits
        let smile = try measures { points in
            for index in [61, 291] {
                points[index].x *= 1.35
                points[index].y -= 0.05
            }
        }.actionUnits
        #expect(try #require(smile[.lipCornerPuller]) > #require(still[.lipCornerPuller]) + 1)
    }

    @Test func raisedBrowsRaiseTheirUnits() throws {
        let still = try measures().actionUnits
        let raised = try measures { points in
            for index in [55, 107, 66, 285, 336, 296, 70, 63, 105, 300, 293, 334] { points[index].y -= 0.06 }
        }.actionUnits
        #expect(try #require(raised[.innerBrowRaiser]) > #require(still[.innerBrowRaiser]))
        #expect(try #require(raised[.outerBrowRaiser]) > #require(still[.outerBrowRaiser]))
    }

    /// One brow up on either side gives the same.
    @Test func sidesCountAlike() throws {
        let right = try measures { $0[70].y -= 0.1 }
        let left = try measures { $0[300].y -= 0.1 }
        #expect(abs(right.outerBrowHeight - left.outerBrowHeight) < 1e-5)
    }

    @Test func eyes() throws {
        var measures = try measures()
        #expect(measures.eyeOpenness == nil)
        #expect(measures.actionUnits[.eyesClosed] == nil)
        measures.eyeOpennessLeft = 0.3
        #expect(measures.eyeOpenness == 0.3)
        measures.eyeOpennessRight = 0.1
        #expect(abs((measures.eyeOpenness ?? 0) - 0.2) < 1e-6)
    }

    @Test func intensitiesStayInRange() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var measures = try measures { points in
                for index in points.indices {
                    points[index].x += generator.float(-0.3...0.3)
                    points[index].y += generator.float(-0.3...0.3)
                }
            }
            measures.eyeOpennessLeft = generator.float(-1...2)
            #expect(measures.actionUnits.values.allSatisfy { (0...5).contains($0) }, "seed \(seed)")
        }
    }
}
