import Foundation
import TestSupport
import Testing
import Video

@Suite("Damaged and odd inputs", .needsFFmpeg, .timeLimit(.minutes(2)))
struct FaultTests {
    private let folder: TemporaryFolder
    private static let video = "-f lavfi -i testsrc2=s=320x240:r=25:d=4 -c:v libx264 -g 50"

    init() throws { folder = try TemporaryFolder() }

    private func write(_ bytes: Data, _ name: String) throws {
        try bytes.write(to: folder.url.appendingPathComponent(name))
    }

    private func read(_ name: String) throws -> Data {
        try Data(contentsOf: folder.url.appendingPathComponent(name))
    }

    private func error(_ name: String) async throws -> VideoError {
        let reading = try await Reading(folder.path(name))
        #expect(reading.frames.isEmpty)
        let error = try #require(reading.error)
        #expect(error.exitStatus == 3)
        #expect(error.description.hasPrefix(folder.path(name) + ": "))
        return error
    }

    @Test("what is no file")
    func files() async throws {
        try write(Data(), "empty.mp4")
        try write(Data("hello, world\n".utf8), "text.mp4")
        try write(Data("hello, world\n".utf8), "text.txt")
        try write(Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 2_654_435 >> 7) }), "noise.mp4")
        #expect(try await error("missing.mp4").reason == .missing)
        #expect(try await error("empty.mp4").reason == .empty)
        #expect(try await error("text.mp4").reason == .notAVideo)
        #expect(try await error("text.txt").reason == .notAVideo)
        #expect(try await error("noise.mp4").reason == .notAVideo)
        #expect(try await error("empty.mp4/x").exitStatus == 3)
        #expect(try await error("").reason == .isDirectory)
    }

    @Test("what may not be read", .enabled(if: geteuid() != 0, "root may read everything"))
    func permissions() async throws {
        try write(Data("x".utf8), "secret.mp4")
        chmod(folder.path("secret.mp4"), 0)
        #expect(try await error("secret.mp4").reason == .permissionDenied)
    }

    @Test("what has no video")
    func noVideo() async throws {
        try await folder.ffmpeg("-f lavfi -i sine=d=1 audio.wav")
        try await folder.ffmpeg("-f lavfi -i sine=d=1 -c:a aac audio.mp4")
        try await folder.ffmpeg("-f lavfi -i color=red:s=64x64 -frames:v 1 cover.png")
        try await folder.ffmpeg(
            "-i audio.wav -i cover.png -map 0 -map 1 -c:a flac -c:v copy -disposition:v attached_pic cover.flac"
        )
        #expect(try await error("audio.wav").reason == .noVideoStream(coverArt: false))
        #expect(try await error("audio.mp4").reason == .noVideoStream(coverArt: false))
        #expect(try await error("cover.flac").reason == .noVideoStream(coverArt: true))
        #expect(try await error("cover.flac").description.contains("has no video stream"))
    }

    @Test("a cover picture beside a video is not the video")
    func coverBesideVideo() async throws {
        try await folder.ffmpeg("-f lavfi -i color=red:s=640x640 -frames:v 1 cover.png")
        try await folder.ffmpeg("\(Self.video) video.mp4")
        try await folder.ffmpeg(
            "-i cover.png -i video.mp4 -map 0 -map 1 -c copy -disposition:v:0 attached_pic both.mp4"
        )
        let reading = try await Reading(folder.path("both.mp4"))
        #expect(reading.frames.count == 100)
        #expect(reading.frames.first?.width == 320)
    }

    @Test("streams without one picture")
    func noPicture() async throws {
        for name in ["zero.mkv", "zero.avi", "zero.mp4", "zero.ts"] {
            try await folder.ffmpeg("-f lavfi -i color=s=64x64:d=1 -vf select=0 \(name)")
            #expect(try await error(name).exitStatus == 3)
        }
        #expect(try await error("zero.avi").reason == .noFrames)
    }

    @Test("a codec that nobody knows")
    func noDecoder() async throws {
        try await folder.ffmpeg("\(Self.video) video.mp4")
        var bytes = try read("video.mp4")
        while let place = bytes.range(of: Data("avc1".utf8)) { bytes.replaceSubrange(place, with: Data("zzz1".utf8)) }
        try write(bytes, "unknown.mp4")
        let error = try await error("unknown.mp4")
        #expect(error.reason == .noDecoder(codec: "zzz1"))
    }

    @Test("an MP4 cut short keeps what it has")
    func truncated() async throws {
        try await folder.ffmpeg("\(Self.video) -movflags +faststart front.mp4")
        try await folder.ffmpeg("\(Self.video) back.mp4")
        for name in ["front.mp4", "back.mp4"] {
            let bytes = try read(name)
            try write(bytes.prefix(bytes.count / 2), "cut-\(name)")
        }
        #expect(try await error("cut-back.mp4").reason == .unfinished)
        let reading = try await Reading(folder.path("cut-front.mp4"))
        #expect(reading.error == nil)
        #expect((20...80).contains(reading.frames.count))
        let statistics = reading.statistics
        #expect(statistics.isTruncated)
        #expect(statistics.packetsCorrupt + statistics.decodeErrors + statistics.framesCorrupt >= 1)
        let whole = try await Reading(folder.path("front.mp4"))
        #expect(!whole.statistics.isTruncated)
        #expect(
            zip(reading.frames, whole.frames).filter { !$0.0.isCorrupt }.dropLast(2)
                .allSatisfy { $0.picture.bytes == $1.picture.bytes }
        )
    }

    @Test("damaged packets are counted, and too many are told", arguments: [50, 3000])
    func noise(amount: Int) async throws {
        try await folder.ffmpeg("\(Self.video) -bf 0 clean.mp4")
        try await folder.ffmpeg("-i clean.mp4 -c copy -bsf:v noise=amount=\(amount) noise.mp4")
        var options = VideoReader.Options(input: .file(folder.path("noise.mp4")), sampling: .everyFrame)
        options.maximumDecodeErrors = 10000
        let tolerant = try await Reading(options)
        let errors = tolerant.statistics.framesCorrupt + tolerant.statistics.decodeErrors
        #expect(errors > 5)
        #expect(tolerant.frames.filter(\.isCorrupt).count == tolerant.statistics.framesCorrupt)
        #expect(tolerant.error == nil)
        options.maximumDecodeErrors = 3
        let strict = try await Reading(options)
        #expect(strict.error?.exitStatus == 4)
        #expect(strict.error?.description.contains("3 allowed") == true)
        options.maximumDecodeErrors = errors
        #expect(try await Reading(options).error == nil)
    }

    @Test("flipped bytes never trap", arguments: ["mp4", "mkv", "ts", "gif", "avi"], 0..<6)
    func flippedBytes(container: String, seed: Int) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=96x64:r=25:d=1 clean.\(container)")
        var bytes = try read("clean.\(container)")
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<max(4, bytes.count / 500) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        try write(bytes, "flipped.\(container)")
        for sampling in [Sampling.everyFrame, .rate(5), .keyframes] {
            let reading = try await Reading(folder.path("flipped.\(container)"), sampling)
            #expect(reading.error == nil || reading.error?.exitStatus != 0)
        }
    }
}

@Suite("Breaks in a stream", .needsFFmpeg, .timeLimit(.minutes(2)))
struct BreakTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func join(_ names: [String], _ result: String) throws {
        let bytes = try names.reduce(Data()) { try $0 + Data(contentsOf: folder.url.appendingPathComponent($1)) }
        try bytes.write(to: folder.url.appendingPathComponent(result))
    }

    @Test("another size is a new epoch", arguments: [Sampling.everyFrame, .rate(5)])
    func size(sampling: Sampling) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -c:v libx264 a.ts")
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=240x320:r=25:d=2 -c:v libx264 -bf 0 b.ts")
        try join(["a.ts", "b.ts"], "both.ts")
        let reading = try await Reading(folder.path("both.ts"), sampling)
        #expect(reading.error == nil)
        #expect(reading.epochs.count == 1)
        let epoch = try #require(reading.epochs.first)
        #expect(epoch.reason == [.sizeChanged, .timestampsWentBack])
        #expect(epoch.info.width == 240)
        #expect(reading.frames.allSatisfy { ($0.epoch == 1) == ($0.width == 240) })
        #expect(reading.frames.prefix(epoch.afterFrames).allSatisfy { $0.epoch == 0 })
        #expect(abs((reading.times.last ?? 0) - 3.96) < 0.05)
        if sampling == .everyFrame { #expect(reading.frames.count == 100) }
    }

    @Test("a clock that jumps by an hour", arguments: ["3600", "-3600"])
    func jump(seconds: String) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -c:v libx264 -output_ts_offset 4000 a.ts")
        let second = 4000 + (Int(seconds) ?? 0)
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -c:v libx264 -output_ts_offset \(second) b.ts")
        try join(["a.ts", "b.ts"], "both.ts")
        let reading = try await Reading(folder.path("both.ts"))
        #expect(reading.frames.count == 100)
        // A step back is taken for the wrap of the 33-bit clock by FFmpeg, which makes it a jump ahead.
        #expect(reading.epochs.map(\.reason) == [.timestampsJumpedAhead])
        #expect(abs((reading.times.last ?? 0) - 3.96) < 0.05)
    }

    @Test("a still of half a minute is no break")
    func still() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=0.03:d=100 -c:v libx264 slow.mkv")
        let reading = try await Reading(folder.path("slow.mkv"))
        #expect(reading.epochs.isEmpty)
        #expect(reading.times.map { Int($0.rounded()) } == [0, 33, 67])
    }
}
