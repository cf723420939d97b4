import Foundation
import Testing

/// What the tests run and where it lies.
enum Installation {
    /// The root of the package.
    static let package = URL(filePath: #filePath)
        .resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The program, which was built into the folder of the test runner.
    static let facellm = URL(filePath: "/proc/self/exe")
        .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "facellm").path

    static let prefix: String = {
        if let prefix = ProcessInfo.processInfo.environment["FACELLM_PREFIX"], !prefix.isEmpty { return prefix }
        let record = package.appending(path: ".facellm-prefix")
        let text = (try? String(contentsOf: record, encoding: .utf8)) ?? "/usr/local"
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    static let models = prefix + "/share/facellm/models"
    /// A portrait in the public domain: one smiling woman.
    static let portrait = prefix + "/share/facellm/demo/astronaut.png"

    /// Recordings of people, which are no part of the package.
    static let media: String? = [
        ProcessInfo.processInfo.environment["FACELLM_MEDIA"],
        package.deletingLastPathComponent().appending(path: "shared/media").path,
    ].compactMap(\.self).first { FileManager.default.isReadableFile(atPath: $0 + "/sign-again.mkv") }

    /// A checkpoint of noise, small enough to be run in a moment; no part of the package.
    static let tinyCheckpoint: String? = [
        ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"],
        package.deletingLastPathComponent().appending(path: "shared/conformance").path,
    ].compactMap(\.self).map { $0 + "/tiny-internvl-hf" }
        .first { FileManager.default.isReadableFile(atPath: $0 + "/config.json") }

    static let ffmpeg = executable("ffmpeg")
    static let setpriv = executable("setpriv")
    static let isRoot = geteuid() == 0

    static func executable(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Why nothing can be tested end to end; nil if all is there.
    static let missing: String? =
        if !FileManager.default.isExecutableFile(atPath: facellm) {
            "the program was not built: \(facellm) is missing"
        } else if ffmpeg == nil {
            "the ffmpeg command is not installed: no clips to test with"
        } else if !FileManager.default.isReadableFile(atPath: portrait) {
            "\(portrait) is missing: run scripts/setup"
        } else if !FileManager.default.isReadableFile(atPath: models + "/models.json") {
            "no models in \(models): run scripts/setup"
        } else {
            nil
        }
}

extension Trait where Self == ConditionTrait {
    /// Real runs need the program, its models, the portrait and the ffmpeg command.
    static var needsInstallation: Self {
        .enabled(if: Installation.missing == nil, Comment(rawValue: Installation.missing ?? ""))
    }
}

/// A folder that lives as long as this object.
final class TemporaryFolder: Sendable {
    let path: String

    init(_ name: String = "facellm-test") throws {
        // A path without symbolic links, so that it can be compared; open to other users, who play a part here.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(base)/\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func file(_ name: String, _ content: Data = Data()) throws -> String {
        try content.write(to: URL(filePath: path(name)))
        return path(name)
    }

    /// Every file in it, by its path from here.
    var files: [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder) && !isFolder.boolValue
        }.sorted()
    }
}
