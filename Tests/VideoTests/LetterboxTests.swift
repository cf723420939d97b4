import Imaging
import Testing
import Video

@Suite("Where a picture lies in a video of another size")
struct LetterboxTests {
    private static let video = Size(width: 640, height: 360)

    @Test(
        "a region is found again where it was placed",
        arguments: [
            Size(width: 640, height: 360), Size(width: 641, height: 361), Size(width: 360, height: 640),
            Size(width: 1920, height: 1080), Size(width: 33, height: 20),
        ]
    )
    func roundTrip(size: Size) {
        let letterbox = Letterbox(size, in: Self.video)
        let rect = Rect(left: 3, top: 5, width: 12, height: 9)
        let placed = letterbox.place(rect), again = letterbox.origin(of: placed)
        #expect(abs(again.left - rect.left) < 0.01 && abs(again.top - rect.top) < 0.01)
        #expect(abs(again.width - rect.width) < 0.01 && abs(again.height - rect.height) < 0.01)
        #expect(placed.clipped(to: Self.video).area > 0.99 * placed.area)
    }

    @Test("the whole picture fills what the borders leave; an odd row is cut, not scaled")
    func whole() {
        let tall = Letterbox(Size(width: 360, height: 640), in: Self.video)
        let placed = tall.place(Rect(left: 0, top: 0, width: 360, height: 640))
        #expect(placed.top == 0 && placed.height == 360 && abs(placed.center.x - 320) <= 2)
        #expect(abs(placed.width - 202.5) <= 1)
        let odd = Letterbox(Size(width: 641, height: 361), in: Self.video)
        let rect = Rect(left: 100, top: 50, width: 20, height: 30)
        #expect(odd.place(rect) == rect)
    }
}
