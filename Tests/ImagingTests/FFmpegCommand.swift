import Foundation
import Imaging
import Testing

/// FFmpeg's command-line program, as a second opinion about our files.
enum FFmpegCommand {
    static let path: String? = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Red, green, blue bytes of the picture in a file.
    ///
    /// Waits on a thread of its own.
    static func decode(_ file: String) async throws -> [UInt8] {
        let executable = try #require(path)
        return try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Result {
                        let process = Process()
                        process.executableURL = URL(fileURLWithPath: executable)
                        process.arguments = [
                            "-v", "error", "-nostdin", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
                        ]
                        let pipe = Pipe()
                        process.standardOutput = pipe
                        try process.run()
                        let data = pipe.fileHandleForReading.readDataToEndOfFile()
                        process.waitUntilExit()
                        return [UInt8](data)
                    }
                )
            }.start()
        }
    }
}

extension Trait where Self == ConditionTrait {
    static var needsFFmpeg: Self {
        .enabled(if: FFmpegCommand.path != nil, "the ffmpeg command is not installed: nothing to compare with")
    }
}

/// A folder that lives as long as this object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("imaging-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] }
}

/// The same numbers on every machine (xorshift64*).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
