import Imaging
import Testing

@Suite struct PyramidTests {
    private func whole(_ size: Size, layout: Pyramid.Format.Layout = .interleaved) -> Pyramid.Format {
        Pyramid.Format(size: size, layout: layout)
    }

    @Test(arguments: [(1, 1), (2, 2), (7, 5), (33, 17), (64, 48)])
    func identityReproducesEveryPixel(_ width: Int, _ height: Int) {
        let picture = TestPicture.noise(width: width, height: height)
        let values = Pyramid(picture).sample(.identity, as: whole(picture.size))
        for y in 0..<height {
            for x in 0..<width {
                let expected = (0..<3).map { Float(picture.byte($0, x: x, y: y)) }
                #expect(rgb(values, picture.size, x: x, y: y) == expected, "pixel \(x), \(y)")
            }
        }
    }

    @Test(arguments: [(2, 2), (9, 7), (64, 32)])
    func halvingIsTheRoundedMean(_ width: Int, _ height: Int) {
        let picture = TestPicture.noise(width: width, height: height, seed: 5)
        let size = Size(width: (width + 1) / 2, height: (height + 1) / 2)
        let values = Pyramid(picture).sample(
            AffineMap(a: 2, b: 0, tx: 0, c: 0, d: 2, ty: 0),
            as: whole(size)
        )
        for y in 0..<size.height {
            for x in 0..<size.width {
                // An odd last column or row is averaged with itself.
                let right = min(2 * x + 1, width - 1), below = min(2 * y + 1, height - 1)
                let expected = (0..<3).map { plane -> Float in
                    let sum = [(2 * x, 2 * y), (right, 2 * y), (2 * x, below), (right, below)].reduce(0) {
                        $0 + Int(picture.byte(plane, x: $1.0, y: $1.1))
                    }
                    return Float((sum + 2) / 4)
                }
                #expect(rgb(values, size, x: x, y: y) == expected, "pixel \(x), \(y)")
            }
        }
    }

    @Test(arguments: [0, 0.3, -0.7, Float.pi / 2, Float.pi], [false, true])
    func turnedAndMirroredCropsFollowTheirMap(_ angle: Float, _ mirrored: Bool) {
        let picture = TestPicture.ramp(width: 100, height: 90)
        let size = Size(width: 24, height: 24)
        let map = AffineMap.crop(
            RotatedSquare(center: Point(x: 48, y: 41), side: 30, angle: angle),
            size: 24,
            mirrored: mirrored
        )
        let values = Pyramid(picture).sample(map, as: whole(size))
        for (x, y) in [(0, 0), (23, 0), (0, 23), (23, 23), (12, 12), (5, 18)] {
            let source = map.apply(Point(x: Float(x) + 0.5, y: Float(y) + 0.5))
            let pixel = rgb(values, size, x: x, y: y)
            // The interpolation has steps of 1/128 of the two counts between neighbours.
            #expect(abs(pixel[0] - 2 * (source.x - 0.5)) < 0.05)
            #expect(abs(pixel[1] - 2 * (source.y - 0.5)) < 0.05)
            #expect(pixel[2] == 77)
        }
    }

    @Test func outsideIsTheEdgeOrBlack() {
        let picture = TestPicture.ramp(width: 10, height: 10, step: 20)
        let shift = AffineMap(a: 1, b: 0, tx: -5, c: 0, d: 1, ty: 3)
        let size = Size(width: 20, height: 10)
        let pyramid = Pyramid(picture)
        let edge = pyramid.sample(shift, as: Pyramid.Format(size: size, layout: .interleaved))
        let black = pyramid.sample(
            shift,
            as: Pyramid.Format(size: size, layout: .interleaved, replicatesEdge: false)
        )
        #expect(rgb(edge, size, x: 0, y: 0) == [0, 60, 77])
        #expect(rgb(edge, size, x: 19, y: 9) == [180, 180, 77])
        #expect(rgb(edge, size, x: 8, y: 2) == [60, 100, 77])
        #expect(rgb(black, size, x: 0, y: 0) == [0, 0, 0])
        #expect(rgb(black, size, x: 19, y: 9) == [0, 0, 0])
        #expect(rgb(black, size, x: 8, y: 2) == [60, 100, 77])
    }

    @Test func layoutsScaleAndBias() {
        let picture = TestPicture.noise(width: 6, height: 4)
        let pyramid = Pyramid(picture)
        let planar = pyramid.sample(
            .identity,
            as: Pyramid.Format(size: picture.size, layout: .planar, scale: [2, 0.5, 1], bias: [0, 1, -127.5])
        )
        let grey = pyramid.sample(.identity, as: whole(picture.size, layout: .grey))
        #expect(planar.count == 72 && grey.count == 24)
        for (i, (x, y)) in [(0, 0), (5, 0), (2, 3)].map({ ($0.0 + 6 * $0.1, $0) }) {
            let (r, g, b) = (
                Float(picture.byte(0, x: x, y: y)), Float(picture.byte(1, x: x, y: y)),
                Float(picture.byte(2, x: x, y: y))
            )
            #expect(planar[i] == 2 * r && planar[24 + i] == 0.5 * g + 1 && planar[48 + i] == b - 127.5)
            #expect(abs(grey[i] - (0.299 * r + 0.587 * g + 0.114 * b)) < 0.01)
        }
    }

    @Test func extremeMapsAreHarmless() {
        let pyramid = Pyramid(TestPicture.ramp(width: 5, height: 3))
        let size = Size(width: 3, height: 3)
        for value: Float in [1e9, -1e9, 1e30, 0] {
            let map = AffineMap(a: value, b: 0, tx: value, c: 0, d: value, ty: -value)
            #expect(pyramid.sample(map, as: whole(size)).allSatisfy { $0 >= 0 && $0 <= 255 })
        }
    }

    /// Names, samples and the red, green and blue that the standards give.
    static let colors: [(String, Float, Float, Bool, [UInt8], [Float])] = [
        ("601 limited red", 0.299, 0.114, false, [81, 90, 240], [255, 0, 0]),
        ("601 limited white", 0.299, 0.114, false, [235, 128, 128], [255, 255, 255]),
        ("601 limited black", 0.299, 0.114, false, [16, 128, 128], [0, 0, 0]),
        ("601 full red", 0.299, 0.114, true, [76, 85, 255], [254, 0, 0]),
        ("601 full grey", 0.299, 0.114, true, [128, 128, 128], [128, 128, 128]),
        ("709 limited red", 0.2126, 0.0722, false, [63, 102, 240], [255, 0, 0]),
        ("709 limited green", 0.2126, 0.0722, false, [173, 42, 26], [0, 255, 0]),
        ("709 limited blue", 0.2126, 0.0722, false, [32, 240, 118], [0, 0, 255]),
        ("709 full green", 0.2126, 0.0722, true, [182, 30, 12], [0, 255, 0]),
    ]

    @Test(arguments: colors)
    func knownColors(_ name: String, _ kr: Float, _ kb: Float, _ full: Bool, _ samples: [UInt8], _ expected: [Float]) {
        // Odd sides, so that chroma planes are rounded up.
        let picture = TestPicture.yCbCr(
            width: 7,
            height: 5,
            subsampling: (2, 2),
            color: .yCbCr(kr: kr, kb: kb, fullRange: full)
        ) { plane, _, _ in samples[plane] }
        let values = Pyramid(picture).sample(.identity, as: whole(picture.size))
        for (x, y) in [(0, 0), (3, 2), (6, 4)] {
            for (value, wanted) in zip(rgb(values, picture.size, x: x, y: y), expected) {
                #expect(abs(value - wanted) <= 2.5, "\(name): \(value), not \(wanted)")
            }
        }
    }

    @Test func rotationByTheContainerIsFoldedIn() {
        // Stored 8 x 4, shown 4 x 8: the stored right edge is shown on top.
        let stored = TestPicture.ramp(width: 8, height: 4, step: 10)
        let picture = Picture(
            planes: stored.planes,
            color: .identity,
            size: Size(width: 4, height: 8),
            displayToStored: AffineMap(a: 0, b: -1, tx: 8, c: 1, d: 0, ty: 0),
            storage: stored
        )
        let values = Pyramid(picture).sample(.identity, as: whole(picture.size))
        for (x, y) in [(0, 0), (3, 0), (0, 7), (2, 5)] {
            #expect(
                rgb(values, picture.size, x: x, y: y) == [Float(10 * (7 - y)), Float(10 * x), 77],
                "pixel \(x), \(y)"
            )
        }
    }
}
