import Imaging
import TestSupport
import Testing

@Suite struct SceneChangeTests {
    private let size = Size(width: 160, height: 90)

    /// A scene of large soft patches, shifted and brightened.
    private func picture(
        seed: UInt64,
        shift: Int = 0,
        gain: Float = 1,
        mixedWith other: UInt64? = nil,
        share: Float = 0
    )
        -> Pyramid
    {
        func patches(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return (0..<3 * 40 * 10).map { _ in Float.random(in: 0...255, using: &generator) }
        }
        let a = patches(seed), b = other.map(patches)
        let planes = (0..<3).map { channel in
            (0..<size.width * size.height).map { index -> UInt8 in
                let x = (index % size.width + shift) / 10, y = index / size.width / 10
                let place = channel * 400 + y * 40 + x % 40
                let value = b.map { a[place] * (1 - share) + $0[place] * share } ?? a[place]
                return UInt8(max(0, min(255, value * gain)))
            }
        }
        return Pyramid(Picture(planes: planes, size: size))
    }

    @Test func theFirstPictureIsNoCut() {
        var scene = SceneChange()
        #expect(scene.see(picture(seed: 1)) == false)
    }

    @Test func eachCutIsToldOnce() {
        var scene = SceneChange()
        var cuts: [Int] = []
        for index in 0..<30 where scene.see(picture(seed: UInt64(index / 10 + 1), shift: index % 10)) {
            cuts.append(index)
        }
        #expect(cuts == [10, 20])
    }

    @Test func cutsInARowAreAllTold() {
        var scene = SceneChange()
        _ = scene.see(picture(seed: 1))
        _ = scene.see(picture(seed: 1))
        #expect((2..<6).map { scene.see(picture(seed: UInt64($0))) } == [true, true, true, true])
    }

    @Test func stillnessAndPansAreNoCuts() {
        for speed in [0, 1] {
            var scene = SceneChange()
            for index in 0..<60 {
                #expect(scene.see(picture(seed: 4, shift: index * speed)) == false, "\(speed), \(index)")
            }
        }
    }

    /// A camera that swings changes the picture as much as a cut does, but every time: a few at first are taken for
    /// cuts, not all of them.
    @Test func aSwingIsMovementAfterAWhile() {
        var scene = SceneChange()
        let cuts = (0..<60).filter { scene.see(picture(seed: 4, shift: $0 * 3)) }
        #expect(cuts.allSatisfy { $0 <= 4 }, "\(cuts)")
    }

    @Test func flickerIsNoCut() {
        var scene = SceneChange()
        for index in 0..<40 {
            let isCut = scene.see(picture(seed: 5, gain: index.isMultiple(of: 2) ? 1 : 0.88))
            #expect(!isCut, "\(index)")
        }
    }

    /// A dissolve over two seconds has no moment of change.
    @Test func dissolvesAreNoCuts() {
        var scene = SceneChange()
        for index in 0...20 {
            let share = Float(max(0, min(10, index - 5))) / 10
            #expect(scene.see(picture(seed: 6, mixedWith: 7, share: share)) == false, "\(index)")
        }
    }

    /// A new size is a new timeline for the caller, but no trap here.
    @Test func otherSizesAreCompared() {
        var scene = SceneChange()
        let grey = [UInt8](repeating: 80, count: 64 * 64)
        #expect(scene.see(Pyramid(Picture(planes: [grey], size: Size(width: 64, height: 64)))) == false)
        #expect(scene.see(Pyramid(Picture(planes: [grey], size: Size(width: 128, height: 32)))) == false)
        #expect(scene.see(Pyramid(Picture(planes: [[80]], size: Size(width: 1, height: 1)))) == false)
    }
}
