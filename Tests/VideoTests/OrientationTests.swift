import Imaging
import Testing
import Video

@Suite("Orientation")
struct OrientationTests {
    private static let one: Int32 = 65536

    private static func matrix(_ a: Int32, _ b: Int32, _ c: Int32, _ d: Int32) -> [Int32] {
        [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
    }

    @Test(
        "the eight of them",
        arguments: [
            (1, 0, 0, 1, 0, false), (0, 1, -1, 0, 90, false), (-1, 0, 0, -1, 180, false), (0, -1, 1, 0, 270, false),
            (-1, 0, 0, 1, 0, true), (0, -1, -1, 0, 90, true), (1, 0, 0, -1, 180, true), (0, 1, 1, 0, 270, true),
        ] as [(Int32, Int32, Int32, Int32, Int, Bool)]
    )
    func eight(a: Int32, b: Int32, c: Int32, d: Int32, degrees: Int, isMirrored: Bool) throws {
        let orientation = try #require(Orientation(matrix: Self.matrix(a, b, c, d)))
        #expect(orientation.rotationDegrees == degrees)
        #expect(orientation.isMirrored == isMirrored)
        let geometry = PictureGeometry(
            stored: Size(width: 40, height: 30),
            orientation: orientation,
            pixelAspect: Rational(numerator: 2, denominator: 1)
        )
        let size = geometry.displayed
        #expect(size == (a == 0 ? Size(width: 30, height: 80) : Size(width: 80, height: 30)))
        // The stored origin lies where the matrix puts it, and all corners inside.
        let corners = [(0, 0), (size.width, 0), (0, size.height), (size.width, size.height)]
        for (x, y) in corners {
            let stored = geometry.displayToStored.apply(Point(x: Float(x), y: Float(y)))
            #expect([0, 40].contains(stored.x) && [0, 30].contains(stored.y))
        }
        let origin = Point(
            x: Float(a < 0 || c < 0 ? size.width : 0),
            y: Float(b < 0 || d < 0 ? size.height : 0)
        )
        #expect(geometry.displayToStored.apply(origin) == Point(x: 0, y: 0))
    }

    @Test("nonsense is shown as stored")
    func nonsense() {
        #expect(Orientation(matrix: []) == nil)
        #expect(Orientation(matrix: Self.matrix(0, 0, 0, 0)) == nil)
        #expect(Orientation(matrix: Self.matrix(1, 1, -1, 1)) == nil)
        #expect(Orientation(matrix: [Int32](repeating: .min, count: 9)) == nil)
        let mark = FFmpegLog.mark()
        let short = [UInt8](repeating: 0, count: 12)
        #expect(Orientation(sideData: short, size: short.count) == .upright)
        #expect(FFmpegLog.lines(since: mark).contains { $0.contains("36 expected") })
    }

    @Test("pixels that cannot be are taken as square", arguments: [(0, 0), (1, 0), (1, 1000), (1000, 1), (-1, 1)])
    func pixelAspect(numerator: Int32, denominator: Int32) {
        let geometry = PictureGeometry(
            stored: Size(width: 40, height: 30),
            orientation: .upright,
            pixelAspect: Rational(numerator: numerator, denominator: denominator)
        )
        #expect(geometry.displayed == Size(width: 40, height: 30))
        #expect(geometry.displayToStored == .identity)
    }
}
