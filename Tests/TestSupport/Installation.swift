package import Foundation
package import Testing

/// What the tests run and where it lies.
package enum Installation {
    /// The root of the package.
    package static let package = URL(filePath: #filePath)
        .resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The programs, which were built into the folder of the test runner.
    package static let facellm = product("facellm")
    package static let facellmd = product("facellmd")

    private static func product(_ name: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: name).path
    }

    package static let prefix: String = {
        if let prefix = ProcessInfo.processInfo.environment["FACELLM_PREFIX"], !prefix.isEmpty { return prefix }
        let record = package.appending(path: ".facellm-prefix")
        let text = (try? String(contentsOf: record, encoding: .utf8)) ?? "/usr/local"
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    package static let models = prefix + "/share/facellm/models"
    /// A portrait in the public domain: one smiling woman.
    package static let portrait = prefix + "/share/facellm/demo/astronaut.png"

    /// Recordings of people, which are no part of the package.
    package static let media: String? = [
        ProcessInfo.processInfo.environment["FACELLM_MEDIA"],
        package.deletingLastPathComponent().appending(path: "shared/media").path,
    ].compactMap(\.self).first { FileManager.default.isReadableFile(atPath: $0 + "/sign-again.mkv") }

    /// A checkpoint of noise, small enough to be run in a moment; no part of the package.
    package static let tinyCheckpoint: String? = [
        ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"],
        package.deletingLastPathComponent().appending(path: "shared/conformance").path,
    ].compactMap(\.self).map { $0 + "/tiny-internvl-hf" }
        .first { FileManager.default.isReadableFile(atPath: $0 + "/config.json") }

    /// Compiled networks are kept here between the tests of a run.
    package static let cache = Result { try TemporaryFolder("facellm-test-cache") }

    package static let ffmpeg = executable("ffmpeg")
    package static let setpriv = executable("setpriv")
    package static let isRoot = geteuid() == 0

    package static func executable(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Why nothing can be tested end to end; nil if all is there.
    package static let missing: String? =
        if ffmpeg == nil {
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
    package static var needsInstallation: Self {
        .enabled(if: Installation.missing == nil, Comment(rawValue: Installation.missing ?? ""))
    }
}
