import FaceLLM
import Imaging
import Testing

@Suite struct ImageDetailCropsTests {
    private let box = Rect(left: 100, top: 200, width: 400, height: 400)

    @Test func usualPlacesInTheBox() throws {
        let details = try DetailCrops.choose(face: box, tokenBudget: 768)
        #expect(details.map(\.part) == [.eyes, .mouth])
        // 0.8 and 0.52 of the box, around 0.32 and 0.74 of its height.
        #expect(try details[0].crop == FaceCrop(left: 140, top: 168, side: 320))
        #expect(try details[1].crop == FaceCrop(left: 196, top: 392, side: 208))
    }

    @Test func landmarksDecideWhereTheyAreGiven() throws {
        let eyes = (Point(x: 220, y: 310), Point(x: 380, y: 330))
        let landmarks = DetailCrops.Landmarks(rightEye: eyes.0, leftEye: eyes.1, mouth: Point(x: 290, y: 500))
        let details = try DetailCrops.choose(face: box, landmarks: landmarks, tokenBudget: 768)
        // Twice and 1.3 times the distance of 161.2.
        #expect(details.map(\.crop.side) == [323, 210])
        for point in [eyes.0, eyes.1] {
            let area = details[0].crop.rect
            #expect(point.x > area.left && point.x < area.right && point.y > area.top && point.y < area.bottom)
        }
        #expect(details[1].crop.rect.center.distance(to: landmarks.mouth) < 1)
        // A profile: the eyes nearly coincide.
        let profile = DetailCrops.Landmarks(
            rightEye: Point(x: 200, y: 300),
            leftEye: Point(x: 201, y: 300),
            mouth: Point(x: 190, y: 500)
        )
        #expect(
            try DetailCrops.choose(face: box, landmarks: profile, tokenBudget: 768).map(\.crop.side) == [160, 120]
        )
    }

    @Test(arguments: [
        (767, 1), (768, 2), (10_000, 2), (512, 1), (511, 0), (256, 0), (0, 0), (-1, 0), (.min, 0),
    ])
    func theBudgetIsKept(budget: Int, count: Int) throws {
        let details = try DetailCrops.choose(face: box, tokenBudget: budget)
        #expect(details.map(\.part) == Array([.eyes, .mouth].prefix(count)))
        #expect(details.isEmpty || (details.count + 1) * 256 <= budget)
    }

    @Test func smallPartsAreLeftOut() throws {
        let small = Rect(left: 0, top: 0, width: 80, height: 80)
        // 64 and 42 pixels.
        #expect(try DetailCrops.choose(face: small, tokenBudget: 768).map(\.part) == [.eyes])
        #expect(try DetailCrops.choose(face: small, tokenBudget: 768, smallestSide: 65).isEmpty)
        #expect(try DetailCrops.choose(face: small, tokenBudget: .min, tokensPerTile: 1).isEmpty)
        #expect(try DetailCrops.choose(face: small, tokenBudget: 768, tokensPerTile: 0).isEmpty)
    }

    @Test(arguments: [
        Rect(left: 0, top: 0, width: 0, height: 0), Rect(left: .nan, top: 0, width: 9, height: 9),
        Rect(left: 0, top: 0, width: .infinity, height: 9), Rect(left: 1e30, top: 0, width: 9, height: 9),
    ])
    func unusableBoxes(box: Rect) {
        #expect(throws: ImageError.self) { try DetailCrops.choose(face: box, tokenBudget: 768) }
    }
}
