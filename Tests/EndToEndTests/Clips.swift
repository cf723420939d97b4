import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// The clips of the tests, each made once, when it is first asked for.
enum Clips {
    private static let folder = Result { () throws -> TemporaryFolder in
        let folder = try TemporaryFolder("facellm-test-clips")
        paths.withLock { $0.append(folder.path) }
        // Statics are never let go of.
        atexit { Clips.removeAll() }
        return folder
    }

    private static let paths = Mutex<[String]>([])

    private static func removeAll() {
        var all = paths.withLock { $0 }
        if let cache = try? Facellm.cache.get() { all.append(cache.path) }
        for path in all { try? FileManager.default.removeItem(atPath: path) }
    }

    struct CommandFailed: Error, CustomStringConvertible { let description: String }

    /// Runs `ffmpeg` with arguments that hold no blanks.
    static func ffmpeg(_ arguments: String) async throws {
        let words = arguments.split(separator: " ").map(String.init)
        try await run(try #require(Installation.ffmpeg), ["-nostdin", "-v", "error", "-y"] + words)
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        var options = RunningCommand.Options()
        options.environment = try Facellm.environment()
        let run = try await CommandLineRun.of(program, arguments, options)
        guard run.status == 0 else {
            throw CommandFailed(description: "\(program) \(arguments.joined(separator: " ")): \(run.standardError)")
        }
    }

    static func clip(_ name: String, _ make: @escaping @Sendable (String) async throws -> Void) -> Clip {
        Clip { () async throws -> String in
            let path = try folder.get().path(name)
            try await make(path)
            return path
        }
    }

    static let lossless = "-c:v libx264 -preset ultrafast -qp 0 -pix_fmt yuv420p"

    /// 8 s of 960x540 at 25 fps: one face, while the camera pans, zooms and rolls.
    static let demo = clip("demo.mp4") { path in
        try await run(Installation.package.appending(path: "scripts/make-demo-clip").path, [path])
    }

    /// 2 s of 480x270, 50 frames, a key frame every 10, B-frames, the index in front.
    static let small = clip("small.mp4") { path in
        try await ffmpeg(
            "-i \(await demo.path) -t 2 -vf scale=480:270 -c:v libx264 -preset veryfast -crf 18 -g 10 -bf 2"
                + " -sc_threshold 0 -movflags +faststart \(path)"
        )
    }

    /// The same as Matroska, which can be read from a pipe.
    static let stream = clip("stream.mkv") { path in try await ffmpeg("-i \(await small.path) -c copy \(path)") }

    /// `stream` a hundred times: 200 s.
    static let long = clip("long.mkv") { path in
        try await ffmpeg("-stream_loop 99 -i \(await small.path) -c copy \(path)")
    }

    /// `small` decoded and stored without further loss: what the clips below are made of.
    static let upright = clip("upright.mp4") { path in
        try await ffmpeg("-i \(await small.path) \(lossless) \(path)")
    }

    /// `small` ten times: 20 s.
    static let tenfold = clip("tenfold.mkv") { path in
        try await ffmpeg("-stream_loop 9 -i \(await small.path) -c copy \(path)")
    }

    /// `upright` as in a mirror.
    static let mirrored = clip("mirrored.mp4") { path in
        try await ffmpeg("-i \(await upright.path) -vf hflip \(lossless) \(path)")
    }

    /// `upright` without some of its frames, the others at their times.
    static let irregular = clip("irregular.mkv") { path in
        let choice = irregularFrames.map { "eq(n\\,\($0))" }.joined(separator: "+")
        try await ffmpeg("-i \(await upright.path) -vf select=\(choice) \(lossless) \(path)")
    }

    /// The first 15 frames, then every fourth, then every seventh.
    private static let irregularFrames = Array(0..<15) + [16, 20, 24, 28, 35, 42, 49]
    static let irregularTimes = irregularFrames.map { Double($0) / 25 }

    /// A transport stream whose picture grows after 2 s.
    static let growing = clip("growing.ts") { path in
        var whole = Data()
        for (number, size) in ["480:270", "640:360"].enumerated() {
            let part = "\(path).\(number).ts"
            try await ffmpeg(
                "-i \(await small.path) -vf scale=\(size) -c:v libx264 -preset veryfast -crf 18"
                    + " -output_ts_offset \(2 * number) -f mpegts \(part)"
            )
            whole += try Data(contentsOf: URL(filePath: part))
        }
        try whole.write(to: URL(filePath: path))
    }

    /// `small` with damage in many packets.
    static let damaged = clip("damaged.mkv") { path in
        try await ffmpeg("-i \(await small.path) -c copy -bsf:v noise=amount=3000 \(path)")
    }

    /// `small` with damage in every packet.
    static let ruined = clip("ruined.mkv") { path in
        try await ffmpeg("-i \(await small.path) -c copy -bsf:v noise=amount=100 \(path)")
    }

    static let audio = clip("audio.m4a") { path in
        try await ffmpeg("-f lavfi -i sine=duration=1 -c:a aac \(path)")
    }

    /// Sound with a picture of the record's cover.
    static let coverArt = clip("cover.m4a") { path in
        try await ffmpeg(
            "-i \(await audio.path) -i \(Installation.portrait) -map 0 -map 1 -c:a copy -c:v mjpeg"
                + " -disposition:v:0 attached_pic \(path)"
        )
    }

    /// A video stream without a single packet.
    static let nothing = clip("nothing.mp4") { path in
        try await ffmpeg("-ss 100 -i \(await small.path) -c copy \(path)")
    }
}

/// A file that is made when it is first needed; tests that need it at the same time wait for one another.
final class Clip: Sendable {
    private let make: @Sendable () async throws -> String
    private let task = Mutex<Task<String, any Error>?>(nil)

    init(_ make: @escaping @Sendable () async throws -> String) {
        self.make = make
    }

    var path: String {
        get async throws {
            let task = task.withLock { task in
                let known = task ?? Task { try await make() }
                task = known
                return known
            }
            return try await task.value
        }
    }

    var data: Data {
        get async throws { try Data(contentsOf: URL(filePath: await path)) }
    }
}
