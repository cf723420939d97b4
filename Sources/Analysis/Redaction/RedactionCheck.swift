internal import Faces
internal import Imaging

/// Looks at a frame of a finished copy as any later analysis will, and says what else must be covered.
///
/// Encoding changes pictures, and blocks of colours can look like a face, so only the copy itself tells whether the
/// detector still finds something in it.
struct RedactionCheck {
    /// What is left of a face, or looks like one, and how to cover it; boxes in pixels of the copy.
    enum Correction: Hashable {
        /// A face that was missed, beside all that is covered: this is its box.
        case missed(Rect)
        /// The cover of this number looks like a face: it is to be at least so plain.
        case strengthen(Int, RedactionStrength)
        /// One colour here, for the cover was plain already and a face seems to be there all the same.
        case patch(Rect)
    }

    struct Finding: Hashable {
        /// The detector's highest score in the frame as it is in the copy.
        var score: Float
        var corrections: [Correction]
    }

    /// How far below the threshold a score counts where something is covered already: another decoder or processor may
    /// compute a little more, and there nothing is lost.
    private static let caution: Float = 0.05
    /// Looks at a frame in which something was found, each after covering more of it.
    private static let looks = 6

    private let finder: FaceFinder
    private let method: RedactionRun.Method
    private let margin: Float
    /// The score from which analyses report a face.
    let threshold: Float

    init(
        core: InferenceCore,
        models: ModelFolder,
        perception: Perception.Settings,
        method: RedactionRun.Method,
        margin: Float
    ) throws {
        finder = try FaceFinder(core: core, models: models, mode: perception.tiling, tilesPerPicture: nil)
        self.method = method
        self.margin = margin
        threshold = perception.tracker.confidentScore
    }

    /// - Parameters:
    ///   - picture: a frame of the copy.
    ///   - covers: what is covered in it, pixels of the copy.
    ///   - attempt: how many corrections of the whole copy came before this one.
    /// - Returns: nil when nothing is found.
    func look(at picture: Picture, covers: [RedactionCover], attempt: Int) throws -> Finding? {
        var found = try faces(in: picture, covers: covers)
        guard let score = found.map(\.score).max() else { return nil }
        var canvas = Canvas(picture)
        var covers = covers
        var corrections: [Correction] = []
        // Whether a correction helps is tried here, since another encoding of the whole takes long.
        for look in 0..<Self.looks where !found.isEmpty {
            for face in found {
                let correction = Self.correction(
                    of: face.box,
                    covers: covers,
                    method: method,
                    strength: attempt + look
                )
                switch correction {
                case .missed(let box):
                    let region = box.scaled(by: 1 + 2 * margin)
                    let strength = RedactionStrength.fine
                    let block = strength.block(height: region.height, last: nil)
                    covers.append(RedactionCover(track: -1, region: region, strength: strength, block: block))
                    method.apply(covers[covers.count - 1], to: &canvas)
                case .strengthen(let index, let strength):
                    covers[index].strength = strength
                    covers[index].block = strength.block(height: covers[index].region.height, last: nil)
                    method.apply(covers[index], to: &canvas)
                case .patch(let rect):
                    let cover = RedactionCover(track: -1, region: rect, strength: .plain, block: nil)
                    method.apply(cover, to: &canvas)
                }
                corrections.append(correction)
            }
            found = try faces(in: Picture(canvas), covers: covers)
        }
        return Finding(score: score, corrections: corrections)
    }

    private func faces(in picture: Picture, covers: [RedactionCover]) throws -> [FoundFace] {
        try finder.find(in: Pyramid(picture), threshold: threshold - Self.caution).filter { face in
            face.score >= threshold || covers.contains { Self.isOf($0.region, face.box) }
        }.filter { $0.box.clipped(to: picture.size).area > 0 }
    }

    /// - Parameter strength: how much was tried before, from 0.
    static func correction(
        of box: Rect,
        covers: [RedactionCover],
        method: RedactionRun.Method,
        strength: Int
    ) -> Correction {
        let index = covers.indices.filter { isOf(covers[$0].region, box) }
            .max { covers[$0].region.intersectionArea(box) < covers[$1].region.intersectionArea(box) }
        guard let index else { return .missed(box) }
        if method == .pixelate, let next = covers[index].strength.next { return .strengthen(index, next) }
        // Without its middle hardly anything looks like a face, and what surrounds a head stays to be seen.
        return .patch(box.scaled(by: 0.4 + 0.2 * Float(strength)))
    }

    /// Whether the detector's box means a covered region rather than something beside it.
    private static func isOf(_ region: Rect, _ box: Rect) -> Bool {
        region.intersectionArea(box) >= 0.5 * min(region.area, box.area)
    }
}
