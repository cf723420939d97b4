import Imaging
import Testing

@Suite struct CanvasPictureTests {
    /// How a container may turn a stored picture of `w` x `h`: name, displayed → stored, whether the sides change.
    static func turns(_ w: Float, _ h: Float) -> [(name: String, map: AffineMap, swaps: Bool)] {
        [
            ("upright", .identity, false),
            ("half", AffineMap(a: -1, b: 0, tx: w, c: 0, d: -1, ty: h), false),
            ("mirrored", AffineMap(a: -1, b: 0, tx: w, c: 0, d: 1, ty: 0), false),
            ("upside down", AffineMap(a: 1, b: 0, tx: 0, c: 0, d: -1, ty: h), false),
            ("clockwise", AffineMap(a: 0, b: 1, tx: 0, c: -1, d: 0, ty: h), true),
            ("counterclockwise", AffineMap(a: 0, b: -1, tx: w, c: 1, d: 0, ty: 0), true),
            ("transposed", AffineMap(a: 0, b: 1, tx: 0, c: 1, d: 0, ty: 0), true),
            ("antitransposed", AffineMap(a: 0, b: -1, tx: w, c: -1, d: 0, ty: h), true),
        ]
    }

    @Test(arguments: [(1, 1), (5, 3), (65, 47)])
    func redGreenBlueIsCopied(_ width: Int, _ height: Int) {
        let picture = TestPicture.noise(width: width, height: height)
        let canvas = Canvas(picture)
        for y in 0..<height {
            for x in 0..<width {
                let expected = Canvas.Color(
                    red: picture.byte(0, x: x, y: y),
                    green: picture.byte(1, x: x, y: y),
                    blue: picture.byte(2, x: x, y: y)
                )
                #expect(canvas.pixel(x: x, y: y) == expected)
            }
        }
    }

    @Test func greyIsCopiedToAllChannels() {
        let bytes = (0..<35).map { UInt8($0 * 7) }
        let canvas = Canvas(Picture(planes: [bytes], size: Size(width: 7, height: 5)))
        #expect(canvas.packedBytes == bytes.flatMap { [$0, $0, $0] })
    }

    @Test(arguments: turns(40, 24).indices)
    func turnedPicturesStandUpright(_ index: Int) {
        let stored = TestPicture.noise(width: 40, height: 24)
        let turn = Self.turns(40, 24)[index]
        let size = turn.swaps ? Size(width: 24, height: 40) : Size(width: 40, height: 24)
        let picture = Picture(
            planes: stored.planes,
            color: .identity,
            size: size,
            displayToStored: turn.map,
            storage: stored
        )
        let canvas = Canvas(picture)
        #expect(canvas.size == size)
        for y in 0..<size.height {
            for x in 0..<size.width {
                let from = turn.map.apply(Point(x: Float(x) + 0.5, y: Float(y) + 0.5))
                let (sx, sy) = (Int(from.x), Int(from.y))
                #expect(
                    canvas.pixel(x: x, y: y)
                        == Canvas.Color(
                            red: stored.byte(0, x: sx, y: sy),
                            green: stored.byte(1, x: sx, y: sy),
                            blue: stored.byte(2, x: sx, y: sy)
                        ),
                    "\(turn.name): \(x), \(y)"
                )
            }
        }
    }

    @Test(arguments: PyramidTests.colors)
    func knownColors(_ name: String, _ kr: Float, _ kb: Float, _ full: Bool, _ samples: [UInt8], _ expected: [Float]) {
        for subsampling in [(1, 1), (2, 1), (2, 2)] {
            for (width, height) in [(64, 36), (31, 17)] {
                let picture = TestPicture.yCbCr(
                    width: width,
                    height: height,
                    subsampling: subsampling,
                    color: .yCbCr(kr: kr, kb: kb, fullRange: full)
                ) { plane, _, _ in samples[plane] }
                let canvas = Canvas(picture)
                for (x, y) in [(0, 0), (width / 2, height / 2), (width - 1, height - 1)] {
                    let pixel = canvas.pixel(x: x, y: y) ?? .black
                    for (value, wanted) in zip([pixel.red, pixel.green, pixel.blue], expected) {
                        #expect(abs(Float(value) - wanted) <= 4, "\(name) \(subsampling) \(x), \(y): \(pixel)")
                    }
                }
            }
        }
    }

    /// swscale against the pyramid, on smooth pictures, where both must show the same.
    @Test(arguments: turns(96, 64).indices, [false, true])
    func scaledAndTurnedPicturesLookLikeSampledOnes(_ index: Int, _ full: Bool) {
        let turn = Self.turns(96, 64)[index]
        for factor: Float in [1, 0.5, 1.5] {
            let shown = turn.swaps ? Size(width: 64, height: 96) : Size(width: 96, height: 64)
            let size = Size(width: Int(Float(shown.width) * factor), height: Int(Float(shown.height) * factor))
            let picture = TestPicture.yCbCr(
                width: 96,
                height: 64,
                subsampling: (2, 2),
                color: .yCbCr(kr: 0.2126, kb: 0.0722, fullRange: full),
                displayed: shown,
                displayToStored: turn.map
            ) { plane, u, v in
                [UInt8(60 + 100 * u + 60 * v), UInt8(100 + 40 * v), UInt8(110 + 40 * u)][plane]
            }
            let canvas = Canvas(picture, size: size)
            let sampled = Canvas(
                sampling: Pyramid(picture),
                map: AffineMap(a: 1 / factor, b: 0, tx: 0, c: 0, d: 1 / factor, ty: 0),
                size: size,
                replicatesEdge: true
            )
            let difference = largestDifference(canvas.packedBytes, sampled.packedBytes)
            #expect(difference <= 8, "\(turn.name), \(factor) times: \(difference)")
        }
    }

    @Test func cropsAreSampled() {
        let picture = TestPicture.ramp(width: 60, height: 60, step: 4)
        let square = RotatedSquare(center: Point(x: 30, y: 30), side: 20, angle: .pi / 2)
        let canvas = Canvas(
            sampling: Pyramid(picture),
            map: .crop(square, size: 20),
            size: Size(width: 20, height: 20)
        )
        // The crop's top-left pixel is the picture's at (39, 20).
        #expect(canvas.pixel(x: 0, y: 0) == Canvas.Color(red: 156, green: 80, blue: 77))
        let outside = Canvas(
            sampling: Pyramid(picture),
            map: AffineMap(a: 1, b: 0, tx: 500, c: 0, d: 1, ty: 0),
            size: Size(width: 4, height: 4)
        )
        #expect(outside.packedBytes.allSatisfy { $0 == 0 })
    }

    @Test func skewedPicturesAreResampled() {
        let stored = TestPicture.ramp(width: 50, height: 40)
        let turned = AffineMap.crop(RotatedSquare(center: Point(x: 25, y: 20), side: 20, angle: 0.3), size: 20)
        let picture = Picture(
            planes: stored.planes,
            color: .identity,
            size: Size(width: 20, height: 20),
            displayToStored: turned,
            storage: stored
        )
        let pixel = Canvas(picture).pixel(x: 10, y: 10)
        let from = turned.apply(Point(x: 10.5, y: 10.5))
        #expect(abs(Float(pixel?.red ?? 0) - 2 * (from.x - 0.5)) <= 1)
        #expect(abs(Float(pixel?.green ?? 0) - 2 * (from.y - 0.5)) <= 1)
    }
}
