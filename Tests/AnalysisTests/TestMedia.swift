import Faces
import Foundation
import Testing

/// The clips that accuracy is measured on.
///
/// They are not part of the repository: FACELLM_MEDIA names their folder, or they lie in `../shared/media` beside the
/// checkout.
enum TestMedia {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["FACELLM_MEDIA"], !path.isEmpty {
            return URL(fileURLWithPath: path)
        }
        return URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("shared/media")
    }()

    static let models = ModelFolder.standard(environment: ProcessInfo.processInfo.environment)

    static let arePresent = Clip.allCases.allSatisfy { clip in
        [clip.path, clip.referencePath].allSatisfy(FileManager.default.isReadableFile)
    }

    static let hasModels = ModelCatalogue.all.allSatisfy {
        FileManager.default.isReadableFile(atPath: models.path + "/" + $0.file)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test where the networks are not installed.
    static var withModels: Self {
        .enabled(if: TestMedia.hasModels, "the networks are not installed: run scripts/setup")
    }

    /// Skips a test where the clips or the networks are missing.
    static var withMedia: Self {
        .enabled(
            if: TestMedia.arePresent && TestMedia.hasModels,
            "the test clips (folder in FACELLM_MEDIA) or the networks (scripts/setup) are missing"
        )
    }
}

enum Clip: String, Sendable, Hashable, CaseIterable {
    /// A portrait: a smiling woman, nearly frontal.
    case astronaut = "astronaut.png"
    /// Four seated people, 13 to 20 pixels each.
    case classroom = "classroom.gif"
    /// Two people walk towards the camera: 13 to 25 pixels.
    case walking = "face-demographics-walking.gif"
    /// Two heads that turn and tilt.
    case pair = "head-pose-face-detection-female-and-male.gif"
    /// A man with a broad smile who blinks once.
    case male = "head-pose-face-detection-male.gif"
    /// A man with a skull printed on his shirt.
    case sign = "sign-again.mkv"
    /// Nobody at all.
    case cars = "no-faces-cars.mp4"
    /// male, pair, walking and classroom, looped, enlarged and joined by hard cuts.
    case joined = "faces-1080p.mp4"

    var path: String { TestMedia.folder.appendingPathComponent(rawValue).path }
    var referencePath: String { TestMedia.folder.appendingPathComponent("reference/\(rawValue).jsonl").path }

    /// Looked at frame by frame.
    static let short: [Clip] = [.astronaut, .classroom, .walking, .pair, .male, .sign]
}
