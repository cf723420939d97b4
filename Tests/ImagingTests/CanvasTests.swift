import Imaging
import TestSupport
import Testing

@Suite struct CanvasTests {
    private static let red = Canvas.Color(red: 200, green: 30, blue: 10)

    private func canvas(_ width: Int = 24, _ height: Int = 16) -> Canvas {
        Canvas(size: Size(width: width, height: height))
    }

    /// Pixels that are not black.
    private func touched(_ canvas: Canvas) -> Int {
        (0..<canvas.size.height).reduce(0) { sum, y in
            sum + (0..<canvas.size.width).count { canvas.pixel(x: $0, y: y) != .black }
        }
    }

    @Test func lineThroughPixelCentresCoversThemWhole() {
        var canvas = canvas()
        canvas.line(from: Point(x: 2.5, y: 5.5), to: Point(x: 12.5, y: 5.5), thickness: 1, color: Self.red)
        for x in 0..<24 {
            #expect(canvas.pixel(x: x, y: 5) == ((2...12).contains(x) ? Self.red : .black), "column \(x)")
        }
        #expect(touched(canvas) == 11)
    }

    @Test func lineBetweenPixelsIsSharedByBothRows() {
        var canvas = canvas()
        canvas.line(from: Point(x: 2.5, y: 5), to: Point(x: 12.5, y: 5), thickness: 1, color: .white)
        for y in [4, 5] { #expect(canvas.pixel(x: 7, y: y) == Canvas.Color(red: 128, green: 128, blue: 128)) }
        #expect(canvas.pixel(x: 7, y: 3) == .black && canvas.pixel(x: 7, y: 6) == .black)
    }

    @Test func thickDiagonalIsAsThickAsItShouldBe() {
        var canvas = canvas(64, 64)
        canvas.line(from: Point(x: 10, y: 10), to: Point(x: 54, y: 54), thickness: 5, color: .white)
        // The light of a shape is its area: a capsule of length 44√2.
        let light = (0..<64).reduce(0) { sum, y in
            sum + (0..<64).reduce(0) { $0 + Int(canvas.pixel(x: $1, y: y)?.red ?? 0) }
        }
        let area = Float(light) / 255
        #expect(abs(area - (62.225 * 5 + 19.635)) < 3, "area \(area)")
        #expect(canvas.pixel(x: 30, y: 30) == .white)
    }

    @Test func crossingTranslucentStrokesCoverOnce() {
        var canvas = canvas()
        canvas.strokes(
            [
                [Point(x: 2, y: 8.5), Point(x: 12.5, y: 8.5), Point(x: 20, y: 8.5)],
                [Point(x: 8.5, y: 2), Point(x: 8.5, y: 14)],
            ],
            thickness: 1,
            color: Canvas.Color.white.opacity(0.5)
        )
        let half = Canvas.Color(red: 128, green: 128, blue: 128)
        for x in [5, 8, 12, 15] { #expect(canvas.pixel(x: x, y: 8) == half, "column \(x)") }
        // A stroke that is drawn later lies on the first one.
        canvas.line(from: Point(x: 5.5, y: 2), to: Point(x: 5.5, y: 14), thickness: 1, color: .white.opacity(0.5))
        #expect(canvas.pixel(x: 5, y: 8) == Canvas.Color(red: 192, green: 192, blue: 192))
    }

    @Test func outlinesAndCorners() {
        let box = Rect(left: 2.5, top: 2.5, width: 16, height: 10)
        var sharp = canvas()
        sharp.outline(box, thickness: 1, color: Self.red)
        #expect(sharp.pixel(x: 2, y: 2) == Self.red && sharp.pixel(x: 18, y: 12) == Self.red)
        #expect(sharp.pixel(x: 10, y: 2) == Self.red && sharp.pixel(x: 2, y: 7) == Self.red)
        #expect(sharp.pixel(x: 10, y: 7) == .black && touched(sharp) == 2 * 17 + 2 * 9)
        var round = canvas()
        round.outline(box, cornerRadius: 4, thickness: 1, color: Self.red)
        #expect(round.pixel(x: 2, y: 2) == .black && round.pixel(x: 10, y: 2) == Self.red)
        var corners = canvas()
        corners.corners(box, arm: 3, thickness: 1, color: Self.red)
        #expect(corners.pixel(x: 5, y: 2) == Self.red && corners.pixel(x: 2, y: 5) == Self.red)
        #expect(corners.pixel(x: 15, y: 12) == Self.red && corners.pixel(x: 18, y: 9) == Self.red)
        #expect(corners.pixel(x: 10, y: 2) == .black && corners.pixel(x: 2, y: 7) == .black)
    }

    @Test func fillsMixByCoverAndByOpacity() {
        var canvas = canvas()
        canvas.fill(Rect(left: 4, top: 3, width: 6, height: 5), color: Self.red)
        #expect(touched(canvas) == 30)
        #expect(canvas.pixel(x: 4, y: 3) == Self.red && canvas.pixel(x: 9, y: 7) == Self.red)
        canvas.fill(Rect(left: 15.5, top: 3, width: 4, height: 5), color: .white)
        #expect(canvas.pixel(x: 15, y: 4) == Canvas.Color(red: 128, green: 128, blue: 128))
        #expect(canvas.pixel(x: 16, y: 4) == .white)
        canvas.fill(Rect(left: 0, top: 0, width: 24, height: 16), color: Canvas.Color.black.opacity(0.5))
        #expect(canvas.pixel(x: 17, y: 4) == Canvas.Color(red: 127, green: 127, blue: 127))
        var round = self.canvas()
        round.fill(Rect(left: 2, top: 2, width: 12, height: 12), cornerRadius: 4, color: .white)
        #expect(round.pixel(x: 2, y: 2) == .black && round.pixel(x: 13, y: 13) == .black)
        #expect(round.pixel(x: 8, y: 2) == .white && round.pixel(x: 4, y: 4) == .white)
    }

    @Test func dotIsRound() {
        var canvas = canvas()
        canvas.dot(Point(x: 10.5, y: 8.5), radius: 3, color: .white)
        #expect(canvas.pixel(x: 10, y: 8) == .white && canvas.pixel(x: 12, y: 8) == .white)
        #expect(canvas.pixel(x: 13, y: 8) == Canvas.Color(red: 128, green: 128, blue: 128))
        #expect(canvas.pixel(x: 13, y: 11) == .black && canvas.pixel(x: 14, y: 8) == .black)
    }

    @Test func shapesAreClipped() {
        var canvas = canvas()
        canvas.line(from: Point(x: -1e7, y: 5.5), to: Point(x: 1e7, y: 5.5), thickness: 1, color: Self.red)
        #expect((0..<24).allSatisfy { canvas.pixel(x: $0, y: 5) == Self.red })
        #expect(touched(canvas) == 24)
        canvas.fill(Rect(left: 20, top: 12, width: 1e6, height: 1e6), color: .white)
        #expect(canvas.pixel(x: 23, y: 15) == .white && canvas.pixel(x: 19, y: 15) == .black)
        canvas.dot(Point(x: -50, y: -50), radius: 10, color: .white)
        canvas.line(from: Point(x: -9, y: -9), to: Point(x: 40, y: -9), thickness: 3, color: .white)
        #expect(canvas.pixel(x: 0, y: 0) == .black)
        #expect(canvas.pixel(x: 24, y: 0) == nil && canvas.pixel(x: 0, y: -1) == nil)
    }

    @Test func copiesAreValues() {
        let original = canvas()
        var copy = original
        copy.fill(.white)
        #expect(original.pixel(x: 0, y: 0) == .black && copy.pixel(x: 0, y: 0) == .white)
        #expect(copy.packedBytes == [UInt8](repeating: 255, count: 24 * 16 * 3))
        #expect(Canvas(size: Size(width: -4, height: 1 << 40)).size == Size(width: 1, height: Canvas.longestSide))
    }

    /// Everything with numbers that no picture has.
    @Test func wildNumbersNeverTrap() {
        let wild: [Float] = [
            .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e20, -1e9, 0,
            .leastNonzeroMagnitude, -0.5, 3, 7.25, 100,
        ]
        var generator = SeededGenerator(seed: 11)
        var canvas = canvas()
        func any() -> Float { wild.randomElement(using: &generator) ?? 0 }
        func point() -> Point { Point(x: any(), y: any()) }
        for _ in 0..<3000 {
            let color = Self.red.opacity(any()).mixed(with: .white, any())
            let rect = Rect(left: any(), top: any(), width: any(), height: any())
            canvas.line(from: point(), to: point(), thickness: any(), color: color)
            canvas.polyline([point(), point(), point()], closed: true, thickness: any(), color: color)
            canvas.outline(rect, cornerRadius: any(), thickness: any(), color: color)
            canvas.corners(rect, arm: any(), cornerRadius: any(), thickness: any(), color: color)
            canvas.fill(rect, cornerRadius: any(), color: color)
            canvas.dot(point(), radius: any(), color: color)
            canvas.text("Ay", at: point(), scale: 3, color: color)
            canvas.label(["a", ""], at: point(), scale: 1, color: color)
            canvas.draw(
                FaceOverlay(
                    box: rect,
                    ordinal: .min,
                    labels: ["wild"],
                    contours: [[point(), point()], [], [point()]],
                    pose: FaceOverlay.Pose(origin: point(), yaw: any(), pitch: any(), roll: any(), length: any())
                )
            )
        }
        canvas.polyline([], closed: true, thickness: 1, color: .white)
        canvas.text("x", at: Point(x: 0, y: 0), scale: .max, color: .white)
        canvas.label(["x"], at: Point(x: 0, y: 0), scale: .min)
        #expect(canvas.size == Size(width: 24, height: 16))
    }
}
