import FaceLLM
import TestSupport
import Testing

@testable import Analysis

@Suite struct FaceAlbumTests {
    private func moment(_ time: Double, _ quality: Float) throws -> FaceAlbum.Moment {
        let shade = UInt8(Int(time * 10) % 256)
        return FaceAlbum.Moment(
            time: time,
            quality: quality,
            picture: try RGBImage(width: 1, height: 1, red: shade, green: 0, blue: 0)
        )
    }

    @Test func theMomentsOfAFaceThatStaysAreSpreadOverItsTime() throws {
        var album = FaceAlbum(capacity: 4)
        for step in 0..<300 { album.add(try moment(Double(step) / 5, 50)) }
        let times = album.moments.map(\.time)
        #expect(times.count == 4 && times == times.sorted() && times[0] == 0)
        // A minute by four pictures: no two of them within a few seconds of one another.
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 5 }, "\(times)")
    }

    @Test func ofMomentsThatLieCloseTheBestStays() throws {
        var album = FaceAlbum(capacity: 2)
        for (time, quality) in [(0, 40), (0.2, 70), (0.4, 60), (10, 30), (10.2, 55), (10.4, 50)] as [(Double, Float)] {
            album.add(try moment(time, quality))
        }
        #expect(album.moments.map(\.time) == [0.2, 10.2])
        #expect(album.moments.map(\.quality) == [70, 55])
    }

    /// A picture is cut out only where it is kept.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func whatIsWantedIsKept(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var album = FaceAlbum(capacity: Int.random(in: 1...8, using: &generator))
        var time = 0.0
        for _ in 0..<200 {
            time += Double.random(in: 0.01...2, using: &generator)
            let quality = Float.random(in: 0...100, using: &generator)
            let isWanted = album.wants(quality, at: time)
            album.add(try moment(time, quality))
            #expect(album.moments.contains { $0.time == time } == isWanted, "seed \(seed)")
            #expect(album.moments.count <= album.capacity, "seed \(seed)")
            #expect(album.moments.map(\.time) == album.moments.map(\.time).sorted(), "seed \(seed)")
        }
        #expect(album.moments.count == album.capacity)
    }
}
