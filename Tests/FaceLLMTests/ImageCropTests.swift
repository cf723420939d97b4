import FaceLLM
import Imaging
import Testing

@Suite struct ImageCropTests {
    @Test func theBoxIsInTheMiddleWithItsMargin() throws {
        let crop = try FaceCrop(around: Rect(left: 100, top: 50, width: 40, height: 60))
        // 60 and a quarter of it on each side.
        #expect(crop.side == 90)
        #expect(crop.left == 75 && crop.top == 35)
        let tight = try FaceCrop(around: Rect(left: 100, top: 50, width: 40, height: 60), margin: 0)
        #expect(tight.side == 60 && tight.left == 90 && tight.top == 50)
        let tiny = try FaceCrop(around: Rect(left: 3.2, top: 4.9, width: 0.1, height: 0.1), margin: 0)
        #expect(tiny.side == 1)
    }

    @Test func theBoxIsAlwaysInside() throws {
        for step in 0..<200 {
            let left = Float(step) * 0.37 - 20, top = Float(step) * 1.13 - 50
            let box = Rect(left: left, top: top, width: 5 + Float(step) * 0.21, height: 9 + Float(step) * 0.1)
            let crop = try FaceCrop(around: box)
            // Half a pixel is lost to whole pixels at most, and the margin is larger.
            #expect(Float(crop.left) <= box.left && Float(crop.top) <= box.top)
            #expect(Float(crop.left + crop.side) >= box.right && Float(crop.top + crop.side) >= box.bottom)
        }
    }

    @Test func insidePixelsArriveUnchanged() throws {
        let image = try ImagePattern.noise(width: 67, height: 45)
        let pyramid = Pyramid(image.picture)
        #expect(try RGBImage(pyramid) == image)
        let region = try RGBImage(pyramid, left: 11, top: 7, width: 29, height: 31)
        #expect(try region == image.cropped(left: 11, top: 7, width: 29, height: 31))
    }

    @Test(arguments: [(-5, -9, 20), (60, 40, 20), (-10, -10, 100), (30, -40, 41)])
    func outsideRepeatsTheEdge(_ place: (Int, Int, Int)) throws {
        let image = try ImagePattern.noise(width: 67, height: 45, seed: 3)
        let crop = try FaceCrop(left: place.0, top: place.1, side: place.2)
        let result = try RGBImage(Pyramid(image.picture), crop: crop)
        #expect(result.width == place.2 && result.height == place.2)
        for y in 0..<crop.side {
            for x in 0..<crop.side {
                let source = image[
                    x: max(0, min(66, crop.left + x)),
                    y: max(0, min(44, crop.top + y))
                ]
                #expect(result[x: x, y: y] == source, "\(x), \(y)")
            }
        }
    }

    @Test func greyPicturesBecomeGreyImages() throws {
        let bytes = (0..<63).map { UInt8($0 * 4) }
        let picture = Picture(planes: [bytes], size: Size(width: 9, height: 7))
        let image = try RGBImage(Pyramid(picture))
        #expect(image.bytes == bytes.flatMap { [$0, $0, $0] })
    }

    @Test func paddingIsMeasured() throws {
        let size = Size(width: 100, height: 80)
        #expect(try FaceCrop(left: 10, top: 10, side: 50).padding(in: size) == 0)
        #expect(try FaceCrop(left: -25, top: 10, side: 50).padding(in: size) == 0.5)
        #expect(try FaceCrop(left: -25, top: 55, side: 50).padding(in: size) == 0.75)
        #expect(try FaceCrop(left: 200, top: 10, side: 50).padding(in: size) == 1)
    }

    @Test(arguments: [(-50, 0), (100, 0), (0, 80), (0, -50), (5000, 5000)])
    func aCropOfNothingIsRefused(_ place: (Int, Int)) throws {
        let crop = try FaceCrop(left: place.0, top: place.1, side: 50)
        let picture = Pyramid(try ImagePattern.noise(width: 100, height: 80).picture)
        #expect(throws: ImageError.cropOutsidePicture(crop)) { try RGBImage(picture, crop: crop) }
    }

    @Test(arguments: [
        Rect(left: .nan, top: 0, width: 5, height: 5), Rect(left: 0, top: .infinity, width: 5, height: 5),
        Rect(left: 0, top: 0, width: 0, height: 5), Rect(left: 0, top: 0, width: 5, height: -1),
        Rect(left: 0, top: 0, width: .nan, height: 5), Rect(left: 0, top: 0, width: 5, height: .infinity),
        Rect(left: -1e30, top: 0, width: 5, height: 5), Rect(left: 0, top: 0, width: 3e6, height: 5),
        Rect(left: 0, top: 0, width: 900_000, height: 5),
    ])
    func unusableBoxesAreRefused(_ box: Rect) {
        #expect(throws: ImageError.self) { try FaceCrop(around: box) }
    }

    @Test(arguments: [-0.1, .nan, .infinity, 1e9] as [Float]) func unusableMarginsAreRefused(_ margin: Float) {
        #expect(throws: ImageError.self) {
            try FaceCrop(around: Rect(left: 0, top: 0, width: 5, height: 5), margin: margin)
        }
        #expect(throws: ImageError.self) { try ImageProcessor(.init(faceMargin: margin)) }
    }

    @Test func cropsOfWholeNumbersAreCheckedToo() {
        #expect(throws: ImageError.emptySize(width: 0, height: 0)) { try FaceCrop(left: 0, top: 0, side: 0) }
        #expect(throws: ImageError.self) { try FaceCrop(left: .min, top: 0, side: 5) }
        #expect(throws: ImageError.self) { try FaceCrop(left: 0, top: .max, side: 5) }
        #expect(throws: ImageError.self) { try FaceCrop(left: 0, top: 0, side: .max) }
    }

    @Test func regionsOutsideAnImageAreRefused() throws {
        let image = try ImagePattern.noise(width: 10, height: 8)
        #expect(throws: ImageError.regionOutsideImage(left: 6, top: 0, width: 5, height: 2)) {
            try image.cropped(left: 6, top: 0, width: 5, height: 2)
        }
        for (left, top) in [(-1, 0), (0, -1), (.max, 0), (0, .max), (.min, .min)] {
            #expect(throws: ImageError.self) { try image.cropped(left: left, top: top, width: 5, height: 2) }
        }
        #expect(throws: ImageError.byteCount(expected: 12, found: 11)) {
            try RGBImage(width: 2, height: 2, bytes: [UInt8](repeating: 0, count: 11))
        }
    }
}
