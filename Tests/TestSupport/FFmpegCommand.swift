package import Foundation
package import Testing

/// FFmpeg's command-line program, which makes the streams of the tests and is a second opinion about our files.
package enum FFmpegCommand {
    package static let path: String? = Installation.executable("ffmpeg")

    /// Runs it with arguments that hold no blanks; throws with its messages if it fails.
    package static func run(_ arguments: String, in folder: TemporaryFolder) async throws {
        try await run(arguments.split(separator: " ").map(String.init), in: folder)
    }

    package static func run(_ arguments: [String], in folder: TemporaryFolder) async throws {
        _ = try await output(["-y"] + arguments, in: folder)
    }

    /// What it writes to standard output.
    package static func output(_ arguments: [String], in folder: TemporaryFolder? = nil) async throws -> Data {
        let executable = try #require(path)
        var options = RunningCommand.Options()
        options.folder = folder?.path
        options.seconds = 300
        let run = try await CommandLineRun.of(executable, ["-v", "error", "-nostdin"] + arguments, options)
        guard run.status == 0 else {
            throw CommandFailed(description: "\(arguments.joined(separator: " ")): \(run.standardError)")
        }
        return run.standardOutput
    }

    /// Red, green, blue bytes of the picture in a file.
    package static func decode(_ file: String) async throws -> [UInt8] {
        [UInt8](try await output(["-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]))
    }

    package struct CommandFailed: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }
}

extension Trait where Self == ConditionTrait {
    package static var needsFFmpeg: Self {
        .enabled(if: FFmpegCommand.path != nil, "the ffmpeg command is not installed: no streams to test with")
    }
}
