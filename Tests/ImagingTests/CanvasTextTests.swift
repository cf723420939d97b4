import Imaging
import Testing

@Suite struct CanvasTextTests {
    /// The canvas as rows of '#' and '.', '#' for white.
    private func drawing(_ canvas: Canvas) -> [String] {
        (0..<canvas.size.height).map { y in
            String((0..<canvas.size.width).map { canvas.pixel(x: $0, y: y) == .white ? "#" : "." })
        }
    }

    @Test func glyphsAsDrawn() {
        var canvas = Canvas(size: Size(width: 14, height: 12))
        canvas.text("Ag", at: Point(x: 0, y: 0), color: .white)
        #expect(
            drawing(canvas) == [
                "..##..........",
                "..##..........",
                ".#..#.........",
                ".#..#...###.#.",
                ".#..#..#...##.",
                "######.#....#.",
                "#....#.#....#.",
                "#....#.#...##.",
                "#....#..###.#.",
                "............#.",
                ".......#....#.",
                "........####..",
            ]
        )
    }

    @Test func enlargedGlyphsAreTheSameInBlocks() {
        var small = Canvas(size: Size(width: 14, height: 12)), large = Canvas(size: Size(width: 42, height: 36))
        small.text("Q%", at: Point(x: 0, y: 0), color: .white)
        large.text("Q%", at: Point(x: 0, y: 0), scale: 3, color: .white)
        for y in 0..<36 {
            for x in 0..<42 { #expect(large.pixel(x: x, y: y) == small.pixel(x: x / 3, y: y / 3)) }
        }
    }

    @Test func everyPrintableCharacterDiffersFromEveryOther() {
        let characters = (32...126).compactMap { UnicodeScalar($0).map(Character.init) }
        let glyphs = characters.map { BitmapFont.rows(of: $0) }
        #expect(glyphs.count == 95 && Set(glyphs).count == 95)
        #expect(glyphs.allSatisfy { $0.count == BitmapFont.glyphHeight })
        #expect(BitmapFont.rows(of: " ").allSatisfy { $0 == 0 })
        for character: Character in ["é", "字", "🙂", "\n", "\u{7f}"] {
            #expect(BitmapFont.rows(of: character) == BitmapFont.rows(of: "?"))
        }
        #expect(BitmapFont.rows(of: "°") != BitmapFont.rows(of: "?"))
    }

    @Test func textIsClippedOnAllSides() {
        for (x, y) in [(-3, -4), (8, 5), (-200, 0), (0, 200), (9, -11)] as [(Float, Float)] {
            var canvas = Canvas(size: Size(width: 10, height: 8)), wide = Canvas(size: Size(width: 600, height: 400))
            canvas.text("Wgj", at: Point(x: x, y: y), color: .white)
            wide.text("Wgj", at: Point(x: x + 250, y: y + 200), color: .white)
            for py in 0..<8 {
                for px in 0..<10 { #expect(canvas.pixel(x: px, y: py) == wide.pixel(x: px + 250, y: py + 200)) }
            }
        }
    }

    @Test func labelsLieOnTheirPlate() {
        var canvas = Canvas(size: Size(width: 120, height: 60), color: .white)
        let plate = canvas.label(["one", "three"], at: Point(x: 10, y: 8))
        #expect(Size(width: Int(plate.width), height: Int(plate.height)) == Canvas.labelSize(["one", "three"]))
        #expect(plate.width == 5 * 7 - 1 + 10)
        // Dark on the plate, untouched beside it.
        #expect((canvas.pixel(x: 12, y: 20)?.green ?? 255) < 90)
        #expect(canvas.pixel(x: 9, y: 20) == .white && canvas.pixel(x: 55, y: 20) == .white)
        #expect(canvas.label([], at: Point(x: 1, y: 1)).width == 10)
        #expect(canvas.pixel(x: 2, y: 2) == .white)
    }

    @Test(arguments: [(240, 1), (480, 1), (720, 2), (1080, 3), (2160, 6)])
    func textGrowsWithThePicture(_ height: Int, _ scale: Int) {
        #expect(Canvas(size: Size(width: 2, height: height)).textScale == scale)
    }
}
