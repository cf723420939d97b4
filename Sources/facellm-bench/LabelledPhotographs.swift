import Faces
import Foundation
import Imaging
import Video

/// A folder of photographs with one expression label each: `labels.tsv` (label, tab, file) and `images/`.
struct LabelledPhotographs {
    struct Photograph {
        var path: String
        var label: Expression
        /// File names without their number: photographs of one person should not lie on both sides of a test.
        var person: String
    }

    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    let photographs: [Photograph]

    /// The words of the labels, as data sets write them.
    private static let words: [String: Expression] = [
        "neutral": .neutral, "happiness": .happy, "happy": .happy, "sadness": .sad, "sad": .sad,
        "surprise": .surprised, "fear": .fearful, "disgust": .disgusted, "anger": .angry, "contempt": .contemptuous,
    ]

    init(folder: String) throws {
        let path = folder + "/labels.tsv"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Problem(description: "\(path): it cannot be read; the folder needs labels.tsv and images/")
        }
        var found: [Photograph] = []
        for (number, line) in text.split(separator: "\n").enumerated() where number > 0 {
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 2, let label = Self.words[parts[0]] else {
                throw Problem(
                    description: "\(path):\(number + 1): expected a label, a tab and a file, found \"\(line)\""
                )
            }
            found.append(
                Photograph(path: "\(folder)/images/\(parts[1])", label: label, person: Self.person(parts[1]))
            )
        }
        guard !found.isEmpty else { throw Problem(description: "\(path): it has no labels") }
        photographs = found
    }

    private static func person(_ file: String) -> String {
        guard let dot = file.lastIndex(of: "."), let line = file[..<dot].lastIndex(of: "_"),
            file[file.index(after: line)..<dot].allSatisfy(\.isNumber)
        else { return file }
        return String(file[..<line])
    }
}

/// Finds the face that a portrait is of, also where it fills the whole picture.
struct PortraitFinder {
    let finder: FaceFinder
    let mesher: FaceMesher

    init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        finder = try FaceFinder(core: core, models: models, mode: .off, tilesPerPicture: nil)
        mesher = try FaceMesher(core: core, models: models)
    }

    func mesh(in pyramid: Pyramid) throws(FacesError) -> FaceMesh? {
        let found = try finder.findInPortrait(pyramid, threshold: 0.5).map(\.closest)
        let width = Float(pyramid.size.width), height = Float(pyramid.size.height)
        func importance(_ detection: Detection) -> Float {
            let dx = detection.box.center.x / width - 0.5, dy = detection.box.center.y / height - 0.5
            return detection.box.width / max(width, height) * Geometry.exp(-4 * (dx * dx + dy * dy))
        }
        let region =
            found.max { importance($0) < importance($1) }?.meshRegion
            ?? RotatedSquare(center: Point(x: width / 2, y: height / 2), side: 1.3 * min(width, height))
        return try mesher.refinedMesh(in: pyramid, region: region)
    }
}

/// Foundation has an `Expression` too.
typealias Expression = Faces.Expression
