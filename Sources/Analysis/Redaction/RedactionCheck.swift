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
        /// The covered region of this number looks like a face: one colour instead of its blocks.
        case plain(Int)
        /// One colour here, for the region was plain already and a face seems to be there all the same.
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
    ///   - covered: what is covered in it, pixels of the copy.
    ///   - patched: what is covered by one colour.
    ///   - attempt: how many corrections of the whole copy came before this one.
    /// - Returns: nil when nothing is found.
    func look(at picture: Picture, covered: [Rect], patched: [Rect], attempt: Int) throws -> Finding? {
        var found = try faces(in: picture, covered: covered)
        guard let score = found.map(\.score).max() else { return nil }
        var canvas = Canvas(picture)
        var covered = covered, patched = patched
        var corrections: [Correction] = []
        // Whether a correction helps is tried here, since another encoding of the whole takes long.
        for look in 0..<Self.looks where !found.isEmpty {
            for face in found {
                let correction = Self.correction(
                    of: face.box,
                    covered: covered,
                    patched: patched,
                    method: method,
                    strength: attempt + look
                )
                switch correction {
                case .missed(let box):
                    let region = box.scaled(by: 1 + 2 * margin)
                    method.cover(region, on: &canvas)
                    covered.append(region)
                case .plain(let index):
                    method.coverPlainly(covered[index], on: &canvas)
                    patched.append(covered[index])
                case .patch(let rect):
                    method.coverPlainly(rect, on: &canvas)
                    patched.append(rect)
                }
                corrections.append(correction)
            }
            found = try faces(in: Picture(canvas), covered: covered)
        }
        return Finding(score: score, corrections: corrections)
    }

    private func faces(in picture: Picture, covered: [Rect]) throws -> [FoundFace] {
        try finder.find(in: Pyramid(picture), threshold: threshold - Self.caution).filter { face in
            face.score >= threshold || covered.contains { Self.isOf($0, face.box) }
        }.filter { $0.box.clipped(to: picture.size).area > 0 }
    }

    /// - Parameter strength: how much was tried before, from 0.
    static func correction(
        of box: Rect,
        covered: [Rect],
        patched: [Rect],
        method: RedactionRun.Method,
        strength: Int
    ) -> Correction {
        let region = covered.indices.filter { isOf(covered[$0], box) }
            .max { covered[$0].intersectionArea(box) < covered[$1].intersectionArea(box) }
        guard let region else { return .missed(box) }
        if method == .pixelate,
            !patched.contains(where: { $0.intersectionArea(covered[region]) >= 0.99 * covered[region].area })
        {
            return .plain(region)
        }
        // Without its middle hardly anything looks like a face, and what surrounds a head stays to be seen.
        return .patch(box.scaled(by: 0.4 + 0.2 * Float(strength)))
    }

    /// Whether the detector's box means a covered region rather than something beside it.
    private static func isOf(_ region: Rect, _ box: Rect) -> Bool {
        region.intersectionArea(box) >= 0.5 * min(region.area, box.area)
    }
}
