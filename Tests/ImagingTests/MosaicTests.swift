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
        after.pixelate(Rect(left: 6, top: 5, width: 20, height: 19), block: 4)
        for y in 0..<30 {
            for x in 0..<40 {
                let pixel = try #require(after.pixel(x: x, y: y)), old = try #require(before.pixel(x: x, y: y))
                guard (6..<26).contains(x), (5..<24).contains(y) else {
                    #expect(pixel == old)
                    continue
                }
                // The grid begins in the corner of the canvas, and a block at the edge has the mean of all of it.
                let (left, top) = (x / 4 * 4, y / 4 * 4)
                var red = 0
                for dy in 0..<4 { for dx in 0..<4 { red += Int(before.pixel(x: left + dx, y: top + dy)?.red ?? 0) } }
                #expect(Int(pixel.red) == red / 16)
            }
        }
    }

    @Test("a rectangle that trembles leaves its blocks where and what they are")
    func calm() throws {
        let before = pattern(Size(width: 64, height: 64))
        var still = before
        still.pixelate(Rect(left: 10, top: 10, width: 40, height: 40), block: 8)
        for (dx, dy) in [(1, 0), (-1, 2), (2.5, -1.5), (-2, -2)] as [(Float, Float)] {
            var moved = before
            moved.pixelate(Rect(left: 10 + dx, top: 10 + dy, width: 40, height: 40), block: 8)
            for y in 14..<46 { for x in 14..<46 { #expect(moved.pixel(x: x, y: y) == still.pixel(x: x, y: y)) } }
        }
    }

    @Test("one colour is the mean of the whole")
    func flat() throws {
        let before = pattern(Size(width: 40, height: 30))
        var after = before
        after.flatten(Rect(left: 8, top: 4, width: 20, height: 20))
        var sum = 0
        for y in 4..<24 { for x in 8..<28 { sum += Int(try #require(before.pixel(x: x, y: y)).green) } }
        for (x, y) in [(8, 4), (27, 23), (15, 11)] { #expect(Int(after.pixel(x: x, y: y)?.green ?? 0) == sum / 400) }
        #expect(after.pixel(x: 7, y: 4) == before.pixel(x: 7, y: 4))
        #expect(after.pixel(x: 28, y: 23) == before.pixel(x: 28, y: 23))
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
        canvas.pixelate(rect, block: 3)
        canvas.pixelate(rect, block: 0)
        canvas.pixelate(rect, block: .max / 2)
        canvas.flatten(rect)
        #expect(canvas.size == Size(width: 40, height: 30))
        #expect(canvas.pixel(x: 20, y: 20) == pattern(Size(width: 40, height: 30)).pixel(x: 20, y: 20))
    }

    @Test("a canvas becomes a picture and the same canvas again", arguments: [1, 2, 17, 40])
    func picture(width: Int) {
        let canvas = pattern(Size(width: width, height: 9))
        #expect(Canvas(Picture(canvas)).packedBytes == canvas.packedBytes)
    }
}
