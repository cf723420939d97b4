import Faces
import Imaging
import TestSupport
import Testing

@Suite struct FaceQualityTests {
    private let frame = Size(width: 640, height: 480)
    private let frontal = HeadPose(yaw: 0, pitch: 0, roll: 0)

    /// Smooth shading with detail on it, like a face.
    private static let sharp: [Float] = {
        var generator = SeededGenerator(seed: 5)
        return (0..<64 * 64).map { index in
            let x = Float(index % 64), y = Float(index / 64)
            return 128 + 0.8 * (x - 32) + 0.3 * (y - 32) + generator.float(-15...15)
        }
    }()

    private func quality(
        _ grey: [Float] = sharp,
        interEyeDistance: Float = 60,
        pose: HeadPose? = nil,
        box: Rect = Rect(left: 100, top: 100, width: 150, height: 150)
    ) -> FaceQuality {
        FaceQuality(
            grey: grey,
            interEyeDistance: interEyeDistance,
            pose: pose ?? frontal,
            box: box,
            frame: frame
        )
    }

    /// The mean of the 3 x 3 pixels around each.
    private func blurred(_ grey: [Float]) -> [Float] {
        (0..<64 * 64).map { index in
            let x = index % 64, y = index / 64
            var sum: Float = 0
            for dy in -1...1 {
                for dx in -1...1 { sum += grey[max(0, min(63, y + dy)) * 64 + max(0, min(63, x + dx))] }
            }
            return sum / 9
        }
    }

    @Test func aGoodFaceIsGood() {
        let good = quality()
        #expect(good.unifiedScore > 80 && good.unifiedScore <= 100)
        #expect(good.isReadable)
        #expect(good.clipped == 0)
        #expect(good.interEyeDistance == 60)
    }

    @Test func blurLowersSharpness() {
        var grey = Self.sharp
        var last = quality(grey)
        for _ in 0..<4 {
            grey = blurred(grey)
            let next = quality(grey)
            #expect(next.sharpness < last.sharpness)
            #expect(next.unifiedScore < last.unifiedScore)
            last = next
        }
        #expect(last.sharpness < 0.05)
    }

    @Test func darknessLowersIllumination() {
        var last = quality()
        for factor in [Float(0.4), 0.25, 0.15] {
            let next = quality(Self.sharp.map { $0 * factor })
            #expect(next.illumination < last.illumination, "\(factor)")
            #expect(next.unifiedScore < last.unifiedScore, "\(factor)")
            last = next
        }
        #expect(last.illumination == 0)
        #expect(last.unifiedScore == 0)
    }

    @Test func glareAndFogLowerIllumination() {
        #expect(quality(Self.sharp.map { min(255, $0 + 100) }).illumination < 0.8)
        #expect(quality(Self.sharp.map { 128 + ($0 - 128) * 0.1 }).illumination < 0.3)
    }

    @Test func smallTurnedAndCutFacesAreWorse() {
        let best = quality()
        #expect(quality(interEyeDistance: 15).unifiedScore < best.unifiedScore)
        #expect(quality(interEyeDistance: 4).unifiedScore == 0)
        #expect(quality(pose: HeadPose(yaw: 50, pitch: 0, roll: 0)).unifiedScore < best.unifiedScore)
        #expect(quality(pose: HeadPose(yaw: -80, pitch: 0, roll: 0)).unifiedScore == 0)
        // Tilting costs nothing: crops are turned upright.
        #expect(quality(pose: HeadPose(yaw: 0, pitch: 0, roll: 60)).unifiedScore == best.unifiedScore)
    }

    @Test func outsideOfThePictureLowers() {
        let half = quality(box: Rect(left: -75, top: 100, width: 150, height: 150))
        #expect(abs(half.clipped - 0.5) < 1e-5)
        #expect(half.unifiedScore < quality().unifiedScore)
        #expect(!half.isReadable)
        #expect(quality(box: Rect(left: -500, top: 0, width: 100, height: 100)).clipped == 1)
        #expect(quality(box: Rect(left: 0, top: 0, width: 0, height: 0)).clipped == 1)
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>) func everythingStaysInRange(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let level = generator.float(0...255), contrast = generator.float(0...128)
        let grey = (0..<64 * 64).map { _ in max(0, min(255, level + generator.float(-contrast...contrast))) }
        let found = quality(
            grey,
            interEyeDistance: generator.float(0...300),
            pose: HeadPose(
                yaw: generator.float(-180...180),
                pitch: generator.float(-90...90),
                roll: generator.float(-180...180)
            ),
            box: Rect(
                left: generator.float(-200...700),
                top: generator.float(-200...500),
                width: generator.float(0...300),
                height: generator.float(0...300)
            )
        )
        #expect((0...100).contains(found.unifiedScore), "seed \(seed)")
        #expect((0...1).contains(found.sharpness), "seed \(seed)")
        #expect((0...1).contains(found.illumination), "seed \(seed)")
        #expect((0...1).contains(found.clipped), "seed \(seed)")
    }
}
