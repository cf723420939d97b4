import Foundation
import Imaging
import Testing
import Video

/// Makes the streams of the tests with the `ffmpeg` command.
enum FFmpegCommand {
    static let path: String? = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static let isInstalled = path != nil

    /// Runs it with arguments that hold no blanks; throws with its messages if it fails.
    static func run(_ arguments: String, in folder: URL) async throws {
        try await run(arguments.split(separator: " ").map(String.init), in: folder)
    }

    static func run(_ arguments: [String], in folder: URL) async throws {
        _ = try await output(["-y"] + arguments, in: folder)
    }

    /// What it writes to standard output.
    ///
    /// It waits on a thread of its own, not on one of the few that tests run on.
    static func output(_ arguments: [String], in folder: URL) async throws -> Data {
        let executable = try #require(path)
        return try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Result { try output(executable, ["-v", "error", "-nostdin"] + arguments, in: folder) }
                )
            }.start()
        }
    }

    private static func output(_ executable: String, _ arguments: [String], in folder: URL) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let output = folder.appendingPathComponent("output-\(UUID().uuidString)")
        let errors = folder.appendingPathComponent("errors-\(UUID().uuidString)")
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailed(
                description: "\(arguments.joined(separator: " ")): "
                    + String(decoding: (try? Data(contentsOf: errors)) ?? Data(), as: UTF8.self)
            )
        }
        return try Data(contentsOf: output)
    }

    struct CommandFailed: Error, CustomStringConvertible { let description: String }
}

extension Trait where Self == ConditionTrait {
    /// Streams are made with FFmpeg's command-line program.
    static var needsFFmpeg: Self {
        .enabled(if: FFmpegCommand.isInstalled, "the ffmpeg command is not installed: no streams to test with")
    }
}

/// A folder that lives as long as this object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("video-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func ffmpeg(_ arguments: String) async throws { try await FFmpegCommand.run(arguments, in: url) }
}

/// Everything that a reader delivered.
struct Reading {
    var frames: [VideoFrame] = []
    var epochs: [(info: StreamInfo, reason: EpochReason, afterFrames: Int)] = []
    var statistics = VideoStatistics()
    var info: StreamInfo?
    var error: VideoError?

    init(_ options: VideoReader.Options) async throws {
        do {
            let reader = try await VideoReader.open(options)
            defer {
                statistics = reader.statistics
                info = reader.info
            }
            while let event = try await reader.next() {
                switch event {
                case .frame(let frame): frames.append(frame)
                case .epoch(let info, let reason): epochs.append((info, reason, frames.count))
                }
            }
        } catch let error as VideoError {
            self.error = error
        }
        #expect(statistics.framesDecoded == statistics.framesSampled + statistics.framesUnsampled)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.mediaTime <= $1.mediaTime })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.index < $1.index })
    }

    init(_ path: String, _ sampling: Sampling = .everyFrame) async throws {
        try await self.init(VideoReader.Options(input: .file(path), sampling: sampling))
    }

    var times: [Double] { frames.map(\.mediaTime) }
}

extension Picture {
    /// [height, width, 3], 0–255, as displayed.
    func rgb() -> [Float] {
        Pyramid(self).sample(.identity, as: Pyramid.Format(size: size, layout: .interleaved))
    }

    /// Every byte of every plane, row by row.
    var bytes: [UInt8] {
        planes.flatMap { plane in
            (0..<plane.size.height).flatMap { row in
                UnsafeBufferPointer(start: plane.base + row * plane.stride, count: plane.size.width)
            }
        }
    }
}

/// The mean distance of two pictures of equal size, 0–255.
func meanDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    return zip(a, b).reduce(Float(0)) { $0 + abs($1.0 - $1.1) } / Float(a.count)
}
