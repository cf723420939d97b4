import Events
import Foundation
import Imaging
import Synchronization
import TestSupport
import Testing

@testable import Service

/// The pictures that the viewer shows.
@Suite("Viewer: pictures", .timeLimit(.minutes(1)))
struct ViewerFeedTests {
    /// A clock that tests set forward.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { time.withLock { $0 } }

        func advance(by duration: Duration) { time.withLock { $0 += duration } }
    }

    private static func noise(width: Int, height: Int) -> Picture {
        var generator = SeededGenerator(seed: 7)
        let planes = (0..<3).map { _ in (0..<width * height).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        return Picture(planes: planes, size: Size(width: width, height: height))
    }

    private static func face(_ track: String?, quality: Float = 50) -> SeenFace {
        SeenFace(
            track: track,
            label: "happy",
            box: Rect(left: 320, top: 90, width: 128, height: 144),
            pose: [12.34, -5, 0],
            quality: quality
        )
    }

    /// Waits for what the feed's own queue makes.
    private func eventually<Value>(_ body: () -> Value?) async throws -> Value {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let value = body() { return value }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw RawClient.Failure(description: "nothing came")
    }

    @Test("a preview is made for who watches, at most every so often, and has the faces of its moment")
    func previews() async throws {
        let clock = Clock()
        let feed = ViewerFeed { clock.now }
        let picture = Self.noise(width: 1280, height: 720)
        // Nobody watches yet, and a source that nobody knows is not remembered.
        #expect(feed.preview(of: "door", after: 0) == nil)
        feed.offer(picture, of: "door", faces: [])
        #expect(feed.preview(of: "door", after: 0) == nil)
        feed.offer(picture, of: "door", faces: [Self.face("t1"), Self.face(nil)])
        let first = try await eventually { feed.preview(of: "door", after: 0) }
        let jpeg = try #require(first.jpeg)
        #expect(first.number == 1 && jpeg.starts(with: [0xff, 0xd8, 0xff]))
        #expect(
            first.faces == #"[{"box":[0.25,0.125,0.1,0.2],"id":"t1","label":"happy","pose":[12.3,-5,0]},"#
                + #"{"box":[0.25,0.125,0.1,0.2],"label":"happy","pose":[12.3,-5,0]}]"#
        )
        #expect(feed.preview(of: "door", after: 1) == nil)

        // Too early, then in time.
        feed.offer(picture, of: "door", faces: [])
        clock.advance(by: .milliseconds(500))
        feed.offer(picture, of: "door", faces: [])
        let second = try await eventually { feed.preview(of: "door", after: 1) }
        #expect(second.number == 2 && second.faces == "[]")

        // An old picture is not shown as what is there now.
        clock.advance(by: .seconds(11))
        #expect(feed.preview(of: "door", after: 0) == nil)
    }

    @Test("a preview is at most 640 pixels wide")
    func size() async throws {
        let folder = try TemporaryFolder()
        try #require(Installation.ffmpeg != nil, "the ffmpeg command is not installed")
        let feed = ViewerFeed()
        feed.offer(Self.noise(width: 1281, height: 721), of: "door", faces: [])
        _ = feed.preview(of: "door", after: 0)
        feed.offer(Self.noise(width: 1281, height: 721), of: "door", faces: [])
        let preview = try await eventually { feed.preview(of: "door", after: 0) }
        let file = try folder.file("p.jpg", Data(try #require(preview.jpeg)))
        #expect(try await FFmpegCommand.decode(file).count == 640 * 360 * 3)
    }

    @Test("without pictures there are boxes alone")
    func boxes() async throws {
        var settings = ViewerFeed.Settings()
        settings.pictures = .none
        let feed = ViewerFeed(settings)
        feed.offer(Self.noise(width: 64, height: 64), of: "door", faces: [Self.face("t1")])
        _ = feed.preview(of: "door", after: 0)
        feed.offer(Self.noise(width: 64, height: 64), of: "door", faces: [Self.face("t1")])
        let preview = try await eventually { feed.preview(of: "door", after: 0) }
        #expect(preview.jpeg == nil && preview.faces.contains("t1") && feed.shotCount == 0)
    }

    @Test(
        "the best look at a face is kept while it is in view and some minutes more, within bounds"
    )
    func shots() async throws {
        let clock = Clock()
        var settings = ViewerFeed.Settings()
        settings.maximumShots = 3
        let feed = ViewerFeed(settings) { clock.now }
        let picture = Self.noise(width: 1280, height: 720)
        feed.offer(picture, of: "door", faces: [Self.face("t1", quality: 50), Self.face(nil)])
        let first = try await eventually { feed.shot(of: "t1", source: "door", after: 0) }
        #expect(first.number == 1 && first.jpeg.starts(with: [0xff, 0xd8, 0xff]) && feed.shotCount == 1)
        feed.offer(picture, of: "door", faces: [Self.face("t1", quality: 51)])
        feed.offer(picture, of: "door", faces: [Self.face("t1", quality: 60)])
        #expect(try await eventually { feed.shot(of: "t1", source: "door", after: 1) }.number == 2)
        #expect(feed.shot(of: "t1", source: "yard", after: 0) == nil)

        // Seen again, but not better: it stays for the whole time from then on.
        clock.advance(by: .seconds(170))
        feed.offer(picture, of: "door", faces: [Self.face("t1", quality: 10)])
        clock.advance(by: .seconds(170))
        #expect(feed.shot(of: "t1", source: "door", after: 0) != nil)
        clock.advance(by: .seconds(11))
        #expect(feed.shot(of: "t1", source: "door", after: 0) == nil)

        for number in 2...9 {
            feed.offer(picture, of: "door", faces: [Self.face("t\(number)")])
            _ = try await eventually { feed.shot(of: "t\(number)", source: "door", after: 0) }
            clock.advance(by: .seconds(1))
        }
        #expect(feed.shotCount == 3 && feed.shot(of: "t6", source: "door", after: 0) == nil)
    }

    @Test("pictures that nobody may see any more are let go of")
    func lettingGo() async throws {
        var settings = ViewerFeed.Settings()
        settings.shotLifetime = .milliseconds(300)
        settings.freshness = .milliseconds(300)
        let feed = ViewerFeed(settings)
        feed.offer(Self.noise(width: 640, height: 480), of: "door", faces: [Self.face("t1")])
        _ = try await eventually { feed.shotCount == 1 ? true : nil }
        _ = try await eventually { feed.shotCount == 0 ? true : nil }
    }

    @Test("where faces are pixelated nothing of a face is left but blocks, and there are no shots")
    func pixelation() async throws {
        var canvas = Canvas(Self.noise(width: 200, height: 160))
        let before = canvas
        let face = Rect(left: 60, top: 40, width: 60, height: 72)
        ViewerFeed.pixelate(face, in: &canvas)
        var colors: Set<Canvas.Color> = []
        for y in 40..<112 {
            for x in 60..<120 { colors.insert(try #require(canvas.pixel(x: x, y: y))) }
        }
        #expect(colors.count <= 36, "\(colors.count) colours are left of \(60 * 72) pixels")
        #expect(canvas.pixel(x: 10, y: 10) == before.pixel(x: 10, y: 10))
        #expect(canvas.pixel(x: 195, y: 155) == before.pixel(x: 195, y: 155))
        // Over the edge, and what is no rectangle.
        ViewerFeed.pixelate(Rect(left: -50, top: -50, width: 80, height: 80), in: &canvas)
        ViewerFeed.pixelate(Rect(left: .nan, top: 0, width: 10, height: 10), in: &canvas)
        ViewerFeed.pixelate(Rect(left: 0, top: 0, width: .infinity, height: 10), in: &canvas)

        var settings = ViewerFeed.Settings()
        settings.pictures = .pixelated
        let feed = ViewerFeed(settings)
        feed.offer(Self.noise(width: 640, height: 480), of: "door", faces: [Self.face("t1")])
        _ = feed.preview(of: "door", after: 0)
        feed.offer(Self.noise(width: 640, height: 480), of: "door", faces: [Self.face("t1")])
        let preview = try #require(try await eventually { feed.preview(of: "door", after: 0) }.jpeg)
        #expect(feed.shotCount == 0)
        try #require(Installation.ffmpeg != nil, "the ffmpeg command is not installed")
        // What a browser gets: hardly any difference between neighbours in the face, every one elsewhere.
        let folder = try TemporaryFolder()
        let bytes = [UInt8](try await FFmpegCommand.decode(try folder.file("p.jpg", Data(preview))))
        try #require(bytes.count == 640 * 480 * 3)
        func unrest(_ columns: Range<Int>, _ rows: Range<Int>) -> Double {
            var sum = 0
            for y in rows {
                for x in columns { sum += abs(Int(bytes[3 * (640 * y + x)]) - Int(bytes[3 * (640 * y + x + 1)])) }
            }
            return Double(sum) / Double(columns.count * rows.count)
        }
        let (inside, elsewhere) = (unrest(320..<448, 90..<234), unrest(20..<148, 90..<234))
        #expect(inside < 4 && elsewhere > 15, "\(inside), \(elsewhere)")
    }

    @Test("sources that come and go leave nothing behind")
    func comingAndGoing() async throws {
        let clock = Clock()
        var settings = ViewerFeed.Settings()
        settings.maximumSources = 3
        let feed = ViewerFeed(settings) { clock.now }
        for number in 1...50 {
            feed.offer(Self.noise(width: 32, height: 32), of: "camera \(number)", faces: [])
            clock.advance(by: .seconds(1))
        }
        #expect(feed.sourceCount == 3)
        // The newest is one of them.
        _ = feed.preview(of: "camera 50", after: 0)
        feed.offer(Self.noise(width: 32, height: 32), of: "camera 50", faces: [])
        _ = try await eventually { feed.preview(of: "camera 50", after: 0) }
    }
}
