import Imaging
import TestSupport
import Testing

@testable import Faces

private func detection(_ left: Float, _ top: Float, _ side: Float, score: Float) -> Detection {
    let box = Rect(left: left, top: top, width: side, height: side)
    return Detection(box: box, score: score, keypoints: [Point](repeating: box.center, count: 6))
}

@Suite struct NonMaximumSuppressionTests {
    @Test func answersAboutOneFaceAreAveragedByScore() {
        let merged = NonMaximumSuppression.weighted(
            [detection(14, 10, 40, score: 0.3), detection(10, 10, 40, score: 0.9)],
            overlap: 0.3
        )
        #expect(merged.count == 1)
        #expect(merged[0].score == 0.9)
        #expect(abs(merged[0].box.left - 11) < 1e-4)
        #expect(abs(merged[0].keypoints[3].x - 31) < 1e-4)
    }

    @Test func apartStaysApartBestFirst() {
        let faces = [detection(10, 10, 40, score: 0.5), detection(200, 10, 40, score: 0.8)]
        #expect(NonMaximumSuppression.weighted(faces, overlap: 0.3) == [faces[1], faces[0]])
    }

    /// The group is what overlaps the best one, not what overlaps a member: a chain does not melt into one.
    @Test func chainsAreCut() {
        let chain = (0..<5).map { detection(Float($0) * 18, 0, 40, score: 0.9 - 0.1 * Float($0)) }
        #expect(NonMaximumSuppression.weighted(chain, overlap: 0.3).count == 3)
    }

    @Test func emptyAndDegenerate() {
        #expect(NonMaximumSuppression.weighted([], overlap: 0.3) == [])
        let flat = detection(10, 10, 0, score: 0.9)
        #expect(NonMaximumSuppression.weighted([flat, flat], overlap: 0.3) == [flat, flat])
    }

    @Test func resultsOverlapLittle() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let faces = (0..<40).map { _ in
                detection(
                    generator.float(0...300),
                    generator.float(0...200),
                    generator.float(20...60),
                    score: generator.float(0.3...1)
                )
            }
            let merged = NonMaximumSuppression.weighted(faces, overlap: 0.3)
            #expect(!merged.isEmpty && merged.count <= faces.count)
            #expect(merged.map(\.score) == merged.map(\.score).sorted(by: >), "seed \(seed)")
            #expect(merged[0].score == faces.map(\.score).max(), "seed \(seed)")
        }
    }
}

@Suite struct TilingTests {
    @Test func offHasNoTiles() {
        #expect(Tiling(size: Size(width: 640, height: 480), mode: .off).tiles == [])
    }

    @Test(arguments: [
        (480, 270, 6), (768, 432, 6), (1920, 1080, 6), (640, 480, 9), (512, 512, 9), (1080, 1920, 6),
    ]) func counts(width: Int, height: Int, count: Int) {
        #expect(Tiling(size: Size(width: width, height: height), mode: .auto).tiles.count == count)
    }

    @Test(arguments: [1, 2, 3, 5]) func across(count: Int) {
        let tiles = Tiling(size: Size(width: 1000, height: 100), mode: .across(count)).tiles
        #expect(tiles.count == count)
    }

    @Test(
        arguments: [(480, 270), (1920, 1080), (640, 480), (512, 512), (270, 480), (4000, 500), (33, 31), (1, 1)],
        [Tiling.Mode.auto, .across(1), .across(4), .across(1000), .across(0)]
    )
    func coversEveryPixelAndOverlaps(size: (Int, Int), mode: Tiling.Mode) {
        let size = Size(width: size.0, height: size.1)
        let tiles = Tiling(size: size, mode: mode).tiles
        #expect(!tiles.isEmpty)
        for tile in tiles {
            #expect(tile.width == tile.height && tile.width == tiles[0].width)
            #expect(tile.clipped(to: size).area > 0)
        }
        check(spans: tiles.map { ($0.left, $0.right) }, length: Float(size.width))
        check(spans: tiles.map { ($0.top, $0.bottom) }, length: Float(size.height))
    }

    /// Along one axis: from end to end, and neighbours share a quarter of a tile.
    private func check(spans: [(Float, Float)], length: Float) {
        let starts = Set(spans.map(\.0)).sorted()
        let side = spans[0].1 - spans[0].0
        let tolerance = 1e-3 * side
        #expect(starts[0] <= tolerance)
        #expect(starts[starts.count - 1] + side >= length - tolerance)
        for (a, b) in zip(starts, starts.dropFirst()) {
            #expect(b > a)
            #expect(a + side - b >= 0.25 * side - tolerance, "\(a), \(b), side \(side)")
        }
    }

    /// A face that is not too large is seen whole by some tile that answers for it.
    @Test(arguments: [(480, 270), (640, 480), (1920, 1080), (270, 480)]) func everySmallFaceHasATile(
        width: Int,
        height: Int
    ) {
        let size = Size(width: width, height: height)
        let tiles = Tiling(size: size, mode: .auto).tiles
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let side = generator.float(0.03...0.09) * Float(max(width, height))
            let box = Rect(
                left: generator.float(0...Float(width) - side),
                top: generator.float(0...Float(height) - side),
                width: side,
                height: side
            )
            #expect(tiles.contains { FaceFinder.belongs(box, to: $0, in: size) }, "\(box)")
        }
    }
}

@Suite struct FaceFinderTests {
    private let size = Size(width: 480, height: 270)
    private let tile = Rect(left: 144, top: 0, width: 192, height: 192)

    @Test func aTileAnswersForWhatItShowsWhole() {
        #expect(FaceFinder.belongs(Rect(left: 200, top: 50, width: 30, height: 30), to: tile, in: size))
        // Cut by its left edge, by its lower edge.
        #expect(!FaceFinder.belongs(Rect(left: 140, top: 50, width: 30, height: 30), to: tile, in: size))
        #expect(!FaceFinder.belongs(Rect(left: 200, top: 175, width: 30, height: 30), to: tile, in: size))
        // Touching is as good as cut.
        #expect(!FaceFinder.belongs(Rect(left: 145, top: 50, width: 30, height: 30), to: tile, in: size))
    }

    @Test func thePicturesOwnEdgeCutsNothing() {
        #expect(FaceFinder.belongs(Rect(left: 200, top: -5, width: 30, height: 30), to: tile, in: size))
        let corner = Rect(left: 288, top: 78, width: 192, height: 192)
        #expect(FaceFinder.belongs(Rect(left: 455, top: 245, width: 30, height: 30), to: corner, in: size))
    }

    @Test func largeFacesAreTheWholeFramesBusiness() {
        #expect(!FaceFinder.belongs(Rect(left: 180, top: 40, width: 90, height: 90), to: tile, in: size))
    }

    @Test func theWholeFramesBoxIsPublishedAndTheBestLookIsMeasured() throws {
        let whole = detection(100, 100, 26, score: 0.4), close = detection(103, 103, 20, score: 0.8)
        let faces = FaceFinder.merge(whole: [whole], close: [close])
        #expect(faces.count == 1)
        let face = try #require(faces.first)
        #expect(face.box == whole.box)
        #expect(face.score == 0.8)
        #expect(face.closest == close)
    }

    @Test func aTileAloneIsEnough() {
        let close = detection(103, 103, 14, score: 0.6)
        #expect(FaceFinder.merge(whole: [], close: [close]).map(\.box) == [close.box])
    }

    @Test func containedIsTheSame() {
        // IoU 0.16, but the smaller lies in the larger.
        let faces = FaceFinder.merge(
            whole: [detection(100, 100, 50, score: 0.9)],
            close: [detection(115, 115, 20, score: 0.5)]
        )
        #expect(faces.count == 1)
    }

    @Test func neighboursAreTwo() {
        let faces = FaceFinder.merge(
            whole: [detection(100, 100, 30, score: 0.9)],
            close: [detection(125, 100, 30, score: 0.5), detection(126, 101, 30, score: 0.4)]
        )
        #expect(faces.count == 2)
    }

    @Test func nothingIsNothing() {
        #expect(FaceFinder.merge(whole: [], close: []) == [])
    }
}

@Suite struct DetectionTests {
    /// The mesh looks at one and a half boxes, turned with the eyes.
    @Test func meshRegion() {
        var face = detection(100, 100, 40, score: 1)
        face.keypoints[0] = Point(x: 110, y: 110)
        face.keypoints[1] = Point(x: 130, y: 130)
        #expect(face.meshRegion.side == 60)
        #expect(face.meshRegion.center == face.box.center)
        #expect(abs(face.meshRegion.angle - .pi / 4) < 1e-5)
    }

    @Test func wholeFrameIsTheSquareAround() {
        let region = BlazeFace.wholeFrame(Size(width: 480, height: 270))
        #expect(region == RotatedSquare(center: Point(x: 240, y: 135), side: 480))
    }
}
