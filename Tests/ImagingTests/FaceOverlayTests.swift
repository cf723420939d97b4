import Imaging
import Testing

@Suite struct FaceOverlayTests {
    private func axes(yaw: Float = 0, pitch: Float = 0, roll: Float = 0) -> [(tip: Point, depth: Float)] {
        FaceOverlay.Pose(origin: Point(x: 100, y: 100), yaw: yaw, pitch: pitch, roll: roll, length: 50).axes
    }

    private func near(_ point: Point, _ x: Float, _ y: Float) -> Bool {
        point.distance(to: Point(x: x, y: y)) < 0.01
    }

    @Test func uprightFaceLooksAtTheViewer() {
        let axes = axes()
        #expect(near(axes[0].tip, 150, 100) && near(axes[1].tip, 100, 50) && near(axes[2].tip, 100, 100))
        #expect(axes[2].depth == 1)
    }

    @Test func signsOfTheAngles() {
        #expect(axes(yaw: 30)[2].tip.x > 120)
        #expect(axes(yaw: -30)[2].tip.x < 80)
        #expect(axes(pitch: 30)[2].tip.y < 80)
        // Clockwise as the viewer sees it: the crown goes right, the right-hand side down.
        let rolled = axes(roll: 30)
        #expect(rolled[1].tip.x > 120 && rolled[0].tip.y > 120)
        #expect(near(rolled[2].tip, 100, 100))
    }

    @Test func gazeIsIndependentOfRoll() {
        let tilted = axes(yaw: 40, pitch: 20, roll: 70)[2], straight = axes(yaw: 40, pitch: 20)[2]
        #expect(near(tilted.tip, straight.tip.x, straight.tip.y))
    }

    @Test func axesStayOrthogonal() {
        let axes = axes(yaw: 35, pitch: -20, roll: 15).map {
            [($0.tip.x - 100) / 50, ($0.tip.y - 100) / 50, $0.depth]
        }
        for (i, a) in axes.enumerated() {
            for (j, b) in axes.enumerated() {
                let dot = zip(a, b).reduce(Float(0)) { $0 + $1.0 * $1.1 }
                #expect(abs(dot - (i == j ? 1 : 0)) < 1e-4)
            }
        }
    }

    @Test func neighboursInThePaletteDiffer() {
        for ordinal in -3..<30 {
            let a = Canvas.palette(ordinal), b = Canvas.palette(ordinal + 1)
            let distance =
                abs(Int(a.red) - Int(b.red)) + abs(Int(a.green) - Int(b.green)) + abs(Int(a.blue) - Int(b.blue))
            #expect(distance > 100)
            #expect(Canvas.palette(ordinal + 12) == a)
        }
        #expect(Canvas.palette(.min).alpha == 255)
    }

    /// Where the plate lies on a white picture: the rows in which the column is dark.
    private func plateRows(_ canvas: Canvas, x: Int) -> ClosedRange<Int>? {
        let dark = (0..<canvas.size.height).filter { (canvas.pixel(x: x, y: $0)?.green ?? 255) < 110 }
        guard let first = dark.first, let last = dark.last else { return nil }
        return first...last
    }

    private func drawn(_ faces: [FaceOverlay]) -> Canvas {
        var canvas = Canvas(size: Size(width: 300, height: 200), color: .white)
        canvas.draw(faces)
        return canvas
    }

    @Test func plateLiesAboveOrBelowOrInside() {
        let above = drawn([FaceOverlay(box: Rect(left: 60, top: 80, width: 70, height: 70), ordinal: 0, labels: ["ab"])]
        )
        let rows = plateRows(above, x: 62)
        #expect(rows.map { $0.upperBound < 80 && $0.lowerBound > 50 } == true, "\(String(describing: rows))")
        let below = drawn([FaceOverlay(box: Rect(left: 60, top: 5, width: 70, height: 70), ordinal: 0, labels: ["ab"])])
        #expect(plateRows(below, x: 62).map { $0.lowerBound > 75 } == true)
        let inside = drawn([
            FaceOverlay(box: Rect(left: 5, top: 2, width: 290, height: 196), ordinal: 0, labels: ["ab"])
        ])
        #expect((inside.pixel(x: 10, y: 7)?.green ?? 255) < 110)
    }

    @Test func smallFacesGetTheirFirstLineAlone() {
        let lines = ["t1", "yaw -12 pitch 5 roll 30"], box = Rect(left: 60, top: 100, width: 20, height: 20)
        let small = drawn([FaceOverlay(box: box, ordinal: 0, labels: lines)])
        let one = drawn([FaceOverlay(box: box, ordinal: 0, labels: ["t1"])])
        #expect(small.packedBytes == one.packedBytes)
        let large = Rect(left: 60, top: 100, width: 60, height: 60)
        let both = drawn([FaceOverlay(box: large, ordinal: 0, labels: lines)])
        #expect(both.packedBytes != drawn([FaceOverlay(box: large, ordinal: 0, labels: ["t1"])]).packedBytes)
    }

    @Test func platesHideNoOtherFace() {
        // Above the lower face lies the upper one: its plate goes elsewhere.
        let upper = FaceOverlay(box: Rect(left: 60, top: 40, width: 50, height: 50), ordinal: 0)
        let lower = FaceOverlay(box: Rect(left: 60, top: 95, width: 50, height: 50), ordinal: 1, labels: ["lower"])
        let canvas = drawn([upper, lower])
        #expect(canvas.pixel(x: 85, y: 80) == .white)
        #expect(plateRows(canvas, x: 64).map { $0.lowerBound > 145 } == true)
    }

    @Test func platesDoNotCoverEachOther() {
        // Above the second box lies the first one's plate.
        let faces = [
            FaceOverlay(box: Rect(left: 60, top: 80, width: 60, height: 60), ordinal: 0, labels: ["long label one"]),
            FaceOverlay(box: Rect(left: 110, top: 80, width: 60, height: 60), ordinal: 1, labels: ["two"]),
        ]
        let canvas = drawn(faces)
        #expect(
            (canvas.pixel(x: 112, y: 160)?.green ?? 255) < 110 || (canvas.pixel(x: 112, y: 150)?.green ?? 255) < 110
        )
    }

    @Test func contoursAreThinAndTranslucent() {
        let canvas = drawn([
            FaceOverlay(
                box: Rect(left: 20, top: 20, width: 100, height: 100),
                ordinal: 0,
                contours: [[Point(x: 40, y: 70.5), Point(x: 100, y: 70.5)]]
            )
        ])
        let pixel = canvas.pixel(x: 70, y: 70) ?? .white
        #expect(pixel != .white && pixel.red > 150)
        #expect(canvas.pixel(x: 70, y: 68) == .white && canvas.pixel(x: 70, y: 73) == .white)
    }
}
