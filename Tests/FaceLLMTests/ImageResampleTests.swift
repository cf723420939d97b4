import FaceLLM
import Imaging
import Testing

@Suite struct ImageResampleTests {
    // MARK: - Against the slow way

    @Test(
        arguments: [
            (1, 1), (1, 2), (2, 1), (1, 1000), (1000, 1), (2, 3), (3, 5), (7, 7), (31, 33), (64, 1), (127, 65),
        ],
        [(1, 1), (1, 7), (9, 1), (5, 4), (32, 32), (33, 63)]
    )
    func equalsTheIntegerLoops(_ from: (Int, Int), _ to: (Int, Int)) throws {
        let image = try ImagePattern.noise(width: from.0, height: from.1, seed: UInt64(from.0 * 4099 + from.1))
        let size = Size(width: to.0, height: to.1)
        let result = try image.resized(to: size)
        #expect(try result == SlowBicubic.resize(image, to: size))
    }

    @Test func blackAndWhiteOvershootIsClipped() throws {
        // The filter's negative lobes take a hard edge beyond both ends of a byte.
        let bytes = (0..<24 * 24).flatMap { [UInt8](repeating: $0 / 5 % 2 == 0 ? 0 : 255, count: 3) }
        let image = try RGBImage(width: 24, height: 24, bytes: bytes)
        for size in [Size(width: 61, height: 61), Size(width: 17, height: 19)] {
            #expect(try image.resized(to: size) == SlowBicubic.resize(image, to: size))
        }
    }

    // MARK: - Properties

    @Test(arguments: [(1, 1), (1, 50), (13, 29), (64, 64)]) func theSameSizeChangesNothing(_ size: (Int, Int)) throws {
        let image = try ImagePattern.noise(width: size.0, height: size.1)
        #expect(try image.resized(to: image.size) == image)
        // One unchanged axis is left alone too: doing nothing to it in between gives the same.
        let wider = Size(width: image.width * 2, height: image.height)
        #expect(try image.resized(to: wider) == SlowBicubic.resize(image, to: wider))
    }

    @Test(arguments: [0, 1, 127, 128, 254, 255] as [UInt8], [(1, 1), (3, 1000), (100, 37), (50, 50)])
    func aConstantImageStaysConstant(_ value: UInt8, _ size: (Int, Int)) throws {
        let image = try RGBImage(width: size.0, height: size.1, red: value, green: 255 - value, blue: 7)
        let result = try image.resized(to: Size(width: 56, height: 40))
        #expect(try result == RGBImage(width: 56, height: 40, red: value, green: 255 - value, blue: 7))
    }

    /// Weights are computed from the left, so a mirrored weight may round to another multiple of 2⁻²², and one value in
    /// thousands to its neighbour.
    @Test(arguments: [(60, 40, 30, 20), (33, 21, 64, 56), (90, 91, 45, 46), (10, 200, 28, 28)])
    func aMirroredImageGivesAMirroredResult(_ sizes: (Int, Int, Int, Int)) throws {
        let image = try ImagePattern.noise(width: sizes.0, height: sizes.1, seed: 11)
        let size = Size(width: sizes.2, height: sizes.3)
        let expected = try image.resized(to: size)
        for (result, name) in [
            (try image.mirrored().resized(to: size).mirrored(), "mirrored"),
            (try image.flipped().resized(to: size).flipped(), "flipped"),
        ] {
            let difference = try ImageDifference(result, expected)
            #expect(difference.largest <= 1 && difference.fraction < 0.001, "\(name): \(difference)")
        }
    }

    @Test func channelsDoNotMix() throws {
        let image = try ImagePattern.noise(width: 37, height: 23)
        let size = Size(width: 20, height: 31)
        let whole = try image.resized(to: size)
        for channel in 0..<3 {
            var bytes = image.bytes
            for index in bytes.indices where index % 3 != channel { bytes[index] = 0 }
            let alone = try RGBImage(width: 37, height: 23, bytes: bytes).resized(to: size)
            for index in alone.bytes.indices {
                #expect(alone.bytes[index] == (index % 3 == channel ? whole.bytes[index] : 0))
            }
        }
    }

    @Test func aResamplerIsUsedAgain() throws {
        let resampler = try BicubicResampler(from: Size(width: 40, height: 31), to: Size(width: 17, height: 44))
        for seed in 1...3 as ClosedRange<UInt64> {
            let image = try ImagePattern.noise(width: 40, height: 31, seed: seed)
            #expect(try resampler.resize(image) == SlowBicubic.resize(image, to: resampler.target))
        }
    }

    @Test func anAbsurdImageBetweenThePassesIsRefused() {
        // Both ends are harmless.
        #expect(throws: ImageError.tooLarge(width: 60_000, height: 60_000)) {
            try BicubicResampler(from: Size(width: 1, height: 60_000), to: Size(width: 60_000, height: 1))
        }
    }

    @Test(arguments: [(0, 5), (5, 0), (-1, 5), (Int.max, 2), (65_536, 1), (Int.max, Int.max), (65_535, 65_535)])
    func impossibleSizesAreRefused(_ size: (Int, Int)) throws {
        let image = try RGBImage(width: 2, height: 2, red: 1, green: 2, blue: 3)
        let expected: ImageError =
            size.0 <= 0 || size.1 <= 0
            ? .emptySize(width: size.0, height: size.1) : .tooLarge(width: size.0, height: size.1)
        #expect(throws: expected) { try image.resized(to: Size(width: size.0, height: size.1)) }
        #expect(throws: expected) {
            try BicubicResampler(from: Size(width: size.0, height: size.1), to: image.size)
        }
        #expect(throws: expected) { try RGBImage(width: size.0, height: size.1, bytes: []) }
        #expect(throws: expected) { try RGBImage(width: size.0, height: size.1, red: 0, green: 0, blue: 0) }
    }
}
