import Imaging
import Testing

@Suite struct GeometryTests {
    private func near(_ a: Point, _ b: Point, _ tolerance: Float = 1e-3) -> Bool { a.distance(to: b) <= tolerance }

    @Test func uprightCropMapsCornersAndCentre() {
        let map = AffineMap.crop(RotatedSquare(center: Point(x: 100, y: 60), side: 40), size: 20)
        #expect(near(map.apply(Point(x: 0, y: 0)), Point(x: 80, y: 40)))
        #expect(near(map.apply(Point(x: 20, y: 20)), Point(x: 120, y: 80)))
        #expect(near(map.apply(Point(x: 10, y: 10)), Point(x: 100, y: 60)))
        #expect(abs(map.scale - 2) < 1e-5)
    }

    @Test func clockwiseCropRunsDownwardsAlongItsTopEdge() {
        // Turned by a quarter clockwise as the viewer sees it: "right" in the crop is "down" in the picture.
        let map = AffineMap.crop(RotatedSquare(center: Point(x: 0, y: 0), side: 10, angle: .pi / 2), size: 10)
        #expect(near(map.apply(Point(x: 0, y: 0)), Point(x: 5, y: -5)))
        #expect(near(map.apply(Point(x: 10, y: 0)), Point(x: 5, y: 5)))
        #expect(near(map.apply(Point(x: 0, y: 10)), Point(x: -5, y: -5)))
    }

    @Test func mirroredCropSwapsLeftAndRight() {
        let square = RotatedSquare(center: Point(x: 30, y: 40), side: 16, angle: 0.4)
        let plain = AffineMap.crop(square, size: 32), mirrored = AffineMap.crop(square, size: 32, mirrored: true)
        for point in [Point(x: 3, y: 5), Point(x: 16, y: 16), Point(x: 31.5, y: 0.5)] {
            #expect(near(mirrored.apply(point), plain.apply(Point(x: 32 - point.x, y: point.y))))
        }
        #expect(abs(mirrored.scale - plain.scale) < 1e-5)
    }

    @Test func thenAppliesLeftToRight() {
        let first = AffineMap(a: 2, b: 0.5, tx: 3, c: -1, d: 1.5, ty: -4)
        let second = AffineMap(a: 0, b: -1, tx: 10, c: 1, d: 0, ty: 7)
        for point in [Point(x: 0, y: 0), Point(x: 5, y: -2), Point(x: -1.25, y: 8)] {
            #expect(near(first.then(second).apply(point), second.apply(first.apply(point))))
        }
        #expect(first.then(.identity) == first)
        #expect(AffineMap.identity.then(first) == first)
    }

    @Test func rectangles() {
        let a = Rect(left: 0, top: 0, width: 10, height: 10), b = Rect(left: 5, top: 5, width: 10, height: 10)
        #expect(a.intersectionArea(b) == 25)
        #expect(abs(a.iou(b) - 25 / 175) < 1e-6)
        #expect(a.iou(Rect(left: 20, top: 0, width: 5, height: 5)) == 0)
        #expect(a.iou(Rect(left: 0, top: 0, width: 0, height: 0)) == 0)
        #expect(
            Rect(left: -5, top: 8, width: 30, height: 30).clipped(to: Size(width: 20, height: 10))
                == Rect(left: 0, top: 8, width: 20, height: 2)
        )
        #expect(b.scaled(by: 2) == Rect(left: 0, top: 0, width: 20, height: 20))
    }
}
