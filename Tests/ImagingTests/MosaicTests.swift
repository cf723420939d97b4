import Imaging
import Testing

@Suite("Mosaics")
struct MosaicTests {
    /// Every pixel differs from its neighbours.
    private func pattern(_ size: Size) -> Canvas {
        var canvas = Canvas(size: size)
        for y in 0..<size.height {
            for x in 0..<size.width {
                canvas.set(
                    x: x,
                    y: y,
                    .init(red: UInt8(x * 5 % 256), green: UInt8(y * 7 % 256), blue: UInt8((x + y) % 2 * 255))
                )
            }
        }
        return canvas
    }

    @Test("a block has the mean of its pixels, and what lies outside is as it was")
    func blocks() throws {
        let before = pattern(Size(width: 40, height: 30))
        var after = before
        after.pixelate(Rect(left: 8, top: 4, width: 20, height: 20), across: 5)
        for y in 0..<30 {
            for x in 0..<40 {
                let pixel = try #require(after.pixel(x: x, y: y)), old = try #require(before.pixel(x: x, y: y))
                guard (8..<28).contains(x), (4..<24).contains(y) else {
                    #expect(pixel == old)
                    continue
                }
                let (left, top) = (8 + (x - 8) / 4 * 4, 4 + (y - 4) / 4 * 4)
                var red = 0
                for dy in 0..<4 { for dx in 0..<4 { red += Int(before.pixel(x: left + dx, y: top + dy)?.red ?? 0) } }
                #expect(Int(pixel.red) == red / 16)
                #expect(pixel == after.pixel(x: left, y: top))
            }
        }
    }

    @Test(
        "rectangles over the edge, without area or without a number",
        arguments: [
            Rect(left: -10, top: -10, width: 15, height: 15), Rect(left: 35, top: 25, width: 100, height: 100),
            Rect(left: 5, top: 5, width: 0, height: 0), Rect(left: .nan, top: 0, width: 5, height: 5),
            Rect(left: 0, top: 0, width: .infinity, height: 5), Rect(left: -1e30, top: 0, width: 2e30, height: 9),
        ]
    )
    func edges(rect: Rect) {
        var canvas = pattern(Size(width: 40, height: 30))
        canvas.pixelate(rect, across: 3)
        canvas.pixelate(rect, across: 0)
        #expect(canvas.size == Size(width: 40, height: 30))
        #expect(canvas.pixel(x: 20, y: 20) == pattern(Size(width: 40, height: 30)).pixel(x: 20, y: 20))
    }

    @Test("a canvas becomes a picture and the same canvas again", arguments: [1, 2, 17, 40])
    func picture(width: Int) {
        let canvas = pattern(Size(width: width, height: 9))
        #expect(Canvas(Picture(canvas)).packedBytes == canvas.packedBytes)
    }
}
