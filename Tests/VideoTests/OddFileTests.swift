import Foundation
import TestSupport
import Testing
import Video

/// Files that are in order and that nobody expects, and files that change under the reader.
@Suite("Odd files", .needsFFmpeg, .timeLimit(.minutes(2)))
struct OddFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("one pixel", arguments: ["dot.png", "dot.nut", "dot.mkv"])
    func onePixel(name: String) async throws {
        let codec = ["dot.png": "-frames:v 1", "dot.nut": "-c:v rawvideo", "dot.mkv": "-c:v ffv1"]
        try await folder.ffmpeg(
            "-f lavfi -i color=red:s=16x16:r=5:d=1,format=rgb24,crop=1:1:0:0:exact=1 -pix_fmt rgb24 "
                + "\(codec[name] ?? "") \(name)"
        )
        let reading = try await Reading(folder.path(name))
        #expect(reading.error == nil)
        #expect(reading.frames.count == (name == "dot.png" ? 1 : 5))
        #expect(reading.frames.allSatisfy { $0.width == 1 && $0.height == 1 })
        #expect(reading.frames.first?.picture.rgb().map { $0 > 200 } == [true, false, false])
    }

    @Test("narrow, flat and odd sizes", arguments: ["1x200", "200x1", "3x3", "33x17", "1281x719"])
    func sizes(size: String) async throws {
        let crop = size.replacing("x", with: ":")
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=1300x720:r=5:d=1,format=yuv444p,crop=\(crop):0:0:exact=1 -c:v ffv1 odd.mkv"
        )
        let reading = try await Reading(folder.path("odd.mkv"))
        #expect(reading.error == nil && reading.frames.count == 5)
        #expect(reading.frames.allSatisfy { "\($0.width)x\($0.height)" == size })
    }

    @Test("8K")
    func large() async throws {
        try await folder.ffmpeg(
            "-f lavfi -i color=blue:s=7680x4320:r=5 -frames:v 3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p large.mp4"
        )
        let reading = try await Reading(folder.path("large.mp4"))
        #expect(reading.error == nil && reading.frames.count == 3)
        #expect(reading.info?.width == 7680 && reading.info?.height == 4320)
    }

    @Test("AV1, in 8 and in 10 bits", arguments: ["yuv420p", "yuv420p10le"])
    func av1(format: String) async throws {
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -pix_fmt \(format) -c:v libaom-av1 -cpu-used 8 -usage realtime "
                + "-lag-in-frames 0 -b:v 300k video.mkv"
        )
        let reading = try await Reading(folder.path("video.mkv"))
        #expect(reading.error == nil && reading.frames.count == 25)
        #expect(reading.info?.codec == "av1" && reading.info?.pixelFormat == format)
        #expect(reading.statistics.framesCorrupt == 0)
    }

    @Test("a file that is deleted while it is read is read to its end")
    func deleted() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=8 -c:v libx264 -g 25 video.mkv")
        let path = folder.path("video.mkv")
        let reader = try await VideoReader.open(.init(input: .file(path), sampling: .everyFrame))
        _ = try await reader.next()
        try FileManager.default.removeItem(atPath: path)
        var frames = 1
        while try await reader.next() != nil { frames += 1 }
        #expect(frames == 200)
        #expect(try await Reading(path).error?.reason == .missing)
    }

    @Test("a file that is cut short while it is read ends early, and that is told")
    func cut() async throws {
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=320x240:r=25:d=40 -c:v libx264 -g 25 -movflags +faststart video.mp4"
        )
        let path = folder.path("video.mp4")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        let reader = try await VideoReader.open(.init(input: .file(path), sampling: .everyFrame))
        _ = try await reader.next()
        #expect(truncate(path, size / 2) == 0)
        var frames = 1
        do {
            while try await reader.next() != nil { frames += 1 }
        } catch let error as VideoError {
            #expect(error.exitStatus == 3 || error.exitStatus == 4, "\(error)")
        }
        #expect((2..<1000).contains(frames))
        #expect(reader.statistics.isTruncated)
        #expect(reader.statistics.framesDecoded == reader.statistics.framesSampled + reader.statistics.framesUnsampled)
    }

    @Test("a file that grows while it is read is read as far as it has come", arguments: ["ts", "mkv"])
    func growing(container: String) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=20 -c:v libx264 -g 25 whole.\(container)")
        let whole = try Data(contentsOf: folder.url.appending(path: "whole.\(container)"))
        let path = try folder.file("growing.\(container)", whole.prefix(whole.count / 2))
        let reader = try await VideoReader.open(.init(input: .file(path), sampling: .everyFrame))
        _ = try await reader.next()
        // The reader stands still, since nobody takes its frames: what is written now it finds.
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: whole.suffix(from: whole.count / 2))
        try handle.close()
        var frames = 1
        while try await reader.next() != nil { frames += 1 }
        // What was written later may be beyond an end that was known before, and need not be looked for.
        #expect((200...500).contains(frames), "\(frames)")
        #expect(reader.statistics.framesDecoded == frames)
        #expect(reader.statistics.framesCorrupt + reader.statistics.decodeErrors <= 1)
    }
}
