import Foundation
import Testing

/// What the tests run and where it lies.
enum Installation {
    /// The root of the package.
    static let package = URL(filePath: #filePath)
        .resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The daemon, which was built into the folder of the test runner.
    static let facellmd = URL(filePath: "/proc/self/exe")
        .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "facellmd").path

    static let prefix: String = {
        if let prefix = ProcessInfo.processInfo.environment["FACELLM_PREFIX"], !prefix.isEmpty { return prefix }
        let record = package.appending(path: ".facellm-prefix")
        let text = (try? String(contentsOf: record, encoding: .utf8)) ?? "/usr/local"
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    static let models = prefix + "/share/facellm/models"
    /// A portrait in the public domain: one smiling woman.
    static let portrait = prefix + "/share/facellm/demo/astronaut.png"

    static let ffmpeg = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Compiled networks are kept here between the tests of a run.
    static let cache = Result { try TemporaryFolder("facellm-supervision-cache") }

    /// Why nothing can be watched; nil if all is there.
    static let missing: String? =
        if ffmpeg == nil {
            "the ffmpeg command is not installed: no clips to test with"
        } else if !FileManager.default.isReadableFile(atPath: portrait) {
            "\(portrait) is missing: run scripts/setup"
        } else if !FileManager.default.isReadableFile(atPath: models + "/models.json") {
            "no models in \(models): run scripts/setup"
        } else {
            nil
        }

    static func run(_ executable: String, _ arguments: [String]) async throws {
        let run = try await CommandLineRun.of(executable, arguments)
        guard run.status == 0 else { throw CommandFailed(description: "\(executable): \(run.standardError)") }
    }

    struct CommandFailed: Error, CustomStringConvertible { let description: String }
}

extension Trait where Self == ConditionTrait {
    /// Pictures can be looked at: models, the portrait and the ffmpeg command are there.
    static var needsInstallation: Self {
        .enabled(if: Installation.missing == nil, Comment(rawValue: Installation.missing ?? ""))
    }
}

/// A folder that lives as long as this object.
final class TemporaryFolder: Sendable {
    let path: String

    init(_ name: String = "facellm-supervision") throws {
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(base)/\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    /// Makes a file with the `ffmpeg` command; blanks in `arguments` separate.
    func ffmpeg(_ arguments: String, _ name: String) async throws -> String {
        let words = arguments.split(separator: " ").map(String.init)
        let ffmpeg = try #require(Installation.ffmpeg)
        try await Installation.run(ffmpeg, ["-nostdin", "-v", "error", "-y"] + words + [path(name)])
        return path(name)
    }
}

/// The clips of the tests.
extension TemporaryFolder {
    /// A portrait that moves a little; `seconds` of 640x480, 25 frames a second.
    func portrait(seconds: Int, rate: Int = 25, _ name: String = "portrait.mp4") async throws -> String {
        try await ffmpeg(
            "-loop 1 -framerate \(rate) -t \(seconds) -i \(Installation.portrait) -vf "
                + "scale=720:720,crop=640:480:x=40+20*sin(t):y=15,format=yuv420p -c:v libx264 -preset ultrafast",
            name
        )
    }

    /// What cameras play, over and over: 2 s of nobody, then 4 s of a face.
    func cameraFile() async throws -> String {
        try await ffmpeg(
            "-f lavfi -i color=gray:s=640x480:r=25:d=2 -loop 1 -framerate 25 -t 4 -i \(Installation.portrait) "
                + "-filter_complex [1:v]scale=720:720,crop=640:480:x=40+20*sin(t):y=15,setsar=1,format=yuv420p[b];"
                + "[0:v]format=yuv420p,setsar=1[a];[a][b]concat=n=2:v=1[o] -map [o] -c:v libx264 -preset ultrafast "
                + "-bf 0 -g 25 -x264-params aud=1 -f h264",
            "video.h264"
        )
    }
}
