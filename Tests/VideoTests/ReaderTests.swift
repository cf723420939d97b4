import Foundation
import Imaging
import TestSupport
import Testing
import Video

@Suite("Reading whole videos", .needsFFmpeg)
struct ReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func options(_ name: String, _ sampling: Sampling = .rate(5)) -> VideoReader.Options {
        .init(input: .file(folder.path(name)), sampling: sampling)
    }

    @Test("the decoder is drained", arguments: ["mp4", "mkv", "ts", "avi"])
    func drained(container: String) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 50 -c:v libx264 -bf 3 all.\(container)")
        let reading = try await Reading(folder.path("all.\(container)"))
        #expect(reading.error == nil)
        #expect(reading.frames.map(\.index) == Array(0..<50))
        #expect(zip(reading.times, 0..<50).allSatisfy { abs($0 - Double($1) / 25) < 0.002 })
        #expect(reading.frames.first?.isKeyframe == true)
        #expect(reading.info?.codec == "h264")
        #expect(reading.info?.pixelFormat == "yuv420p")
    }

    @Test("samples lie near their times", arguments: ["24000/1001", "25", "30000/1001", "60"])
    func samples(rate: String) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=\(rate):d=6 -c:v libx264 -g 50 video.mp4")
        let reading = try await Reading(options("video.mp4"))
        #expect(reading.statistics.framesSkipped > 0)
        // Half a frame, and 0.05 s for a picture that others need anyway. The last one may belong to
        // a time behind the end.
        for (number, time) in reading.times.dropLast().enumerated() {
            #expect(abs(time - Double(number) * 0.2) < 0.025 + 0.05)
        }
        #expect((30...31).contains(reading.frames.count))
        let all = try await Reading(folder.path("video.mp4"))
        for frame in reading.frames { #expect(all.frames[frame.index].pts == frame.pts) }
        let statistics = reading.statistics
        #expect(statistics.framesDecoded + statistics.framesSkipped == all.frames.count)
    }

    @Test("variable frame rate keeps its times")
    func variableRate() async throws {
        let pick = "select='not(mod(n\\,7))+lt(mod(n\\,60)\\,13)'"
        try await FFmpegCommand.run(
            [
                "-f", "lavfi", "-i", "testsrc2=s=160x120:r=60:d=5", "-vf", pick, "-vsync", "vfr", "-c:v", "libx264",
                "v.mkv",
            ],
            in: folder
        )
        let numbers: [Int] = (0..<300).filter { $0 % 7 == 0 || $0 % 60 < 13 }
        let expected: [Double] = numbers.map { Double($0) / 60 }
        let all = try await Reading(folder.path("v.mkv"))
        #expect(all.frames.count == expected.count)
        #expect(zip(all.times, expected).allSatisfy { abs($0 - $1) < 0.001 })
        let sampled = try await Reading(options("v.mkv"))
        #expect((25...26).contains(sampled.frames.count))
        for (number, time) in sampled.times.enumerated() { #expect(abs(time - Double(number) * 0.2) <= 0.1015) }
    }

    @Test(
        "leaving frames undecoded changes no sample",
        arguments: [
            ("libx264 -bf 3 -b_strategy 0 -g 30", 1), ("libx264 -bf 3 -g 30", 2), ("libx264 -bf 3 -g 30", 4),
            ("libx265 -x265-params log-level=none:bframes=3", 2), ("mpeg2video -bf 2 -q:v 3", 2),
            ("libx265 -x265-params log-level=none:temporal-layers=1", 2), ("mjpeg -q:v 3", 2),
            ("libvpx-vp9 -b:v 1M", 2),
            ("mpeg4 -bf 2 -q:v 3", 2),
        ]
    )
    func skipping(codec: String, threads: Int) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=30:d=3 -pix_fmt yuv420p -c:v \(codec) video.mkv")
        var some = options("video.mkv")
        some.decoderThreads = threads
        var all = some
        all.deliversUnsampledFrames = true
        let few = try await Reading(some), every = try await Reading(all)
        #expect(every.frames.count == 90)
        let samples = every.frames.filter(\.isSampled)
        #expect(few.frames.map(\.index) == samples.map(\.index))
        #expect(few.frames.map(\.pts) == samples.map(\.pts))
        #expect(zip(few.frames, samples).allSatisfy { $0.picture.bytes == $1.picture.bytes })
        #expect(few.statistics.framesCorrupt == 0)
        let canSkip = ["libx264", "mpeg2video", "mjpeg"].contains { codec.hasPrefix($0) } || codec.contains("bframes")
        #expect((few.statistics.framesSkipped > 20) == canSkip)
        #expect(every.statistics.framesSkipped == 0)
    }

    @Test("copies in other codecs and containers give the same samples")
    func copies() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=24:d=4 -c:v libx264 -bf 3 a.mp4")
        try await folder.ffmpeg("-i a.mp4 -c:v libx264 -bf 0 -g 7 b.mkv")
        try await folder.ffmpeg("-i a.mp4 -c:v mpeg2video -q:v 3 c.ts")
        try await folder.ffmpeg("-i a.mp4 -c:v mjpeg -q:v 3 d.mov")
        let expected = try await Reading(options("b.mkv")).frames.map(\.index)
        #expect(expected.prefix(6) == [0, 5, 10, 14, 19, 24])
        for name in ["c.ts", "d.mov"] {
            #expect(try await Reading(options(name)).frames.map(\.index) == expected, "\(name)")
        }
        // With pictures that no other needs, the neighbour may be taken that is decoded anyway.
        let preferred = try await Reading(options("a.mp4")).frames.map(\.index)
        #expect(preferred.count == expected.count)
        #expect(zip(preferred, expected).allSatisfy { abs($0 - $1) <= 1 })
        #expect(preferred != expected)
    }

    @Test("only keyframes")
    func keyframes() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -g 20 -sc_threshold 0 video.mp4")
        let reading = try await Reading(options("video.mp4", .keyframes))
        #expect(reading.frames.map(\.index) == [0, 20, 40, 60, 80])
        #expect(reading.frames.allSatisfy { $0.isKeyframe })
        #expect(reading.statistics.framesDecoded == 5)
    }

    @Test("a stretch in the middle", arguments: ["mp4", "ts", "mkv"], [true, false])
    func stretch(container: String, seeks: Bool) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=8 -c:v libx264 -g 50 video.\(container)")
        var options = options("video.\(container)")
        options.start = 5.1
        options.duration = 1.5
        if !seeks {
            guard container != "mp4" else { return }
            options.input = try Pipe(feeding: folder.path("video.\(container)"), in: folder).input
        }
        let reading = try await Reading(options)
        #expect(reading.error == nil)
        #expect(reading.frames.count == 8)
        for (number, time) in reading.times.enumerated() { #expect(abs(time - 5.1 - Double(number) * 0.2) < 0.025) }
        // 5.1 s lies between two frames at this rate.
        #expect(reading.frames.map(\.index) == reading.times.map { Int(($0 * 25).rounded()) })
        let last = try await Reading(folder.path("video.\(container)"))
        for frame in reading.frames { #expect(last.frames[frame.index].pts == frame.pts) }
    }

    @Test("no duration, no index, from a FIFO", arguments: ["matroska", "mpegts", "h264"])
    func fifo(format: String) async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -live 1 -f \(format) stream")
        let reading = try await Reading(
            .init(input: try Pipe(feeding: folder.path("stream"), in: folder).input, sampling: .everyFrame)
        )
        #expect(reading.error == nil)
        #expect(reading.frames.count == 50)
        #expect(format == "mpegts" || reading.info?.duration == nil)
        #expect(abs((reading.times.last ?? 0) - 1.96) < 0.01)
    }

    @Test("audio beside the video costs nothing and changes nothing")
    func audio() async throws {
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=d=3 -c:v libx264 -c:a aac -shortest both.mp4"
        )
        let reading = try await Reading(folder.path("both.mp4"))
        #expect(reading.frames.count == 50)
        #expect(reading.statistics.packetsRead == 50)
    }
}

/// A FIFO that a thread writes a file into.
struct Pipe {
    let path: String
    var input: VideoInput { .file(path) }

    init(feeding file: String, in folder: TemporaryFolder, limit: Int = .max, staysOpenFor seconds: Double = 0) throws {
        let path = folder.path("fifo-\(UUID().uuidString)")
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw FFmpegCommand.CommandFailed(description: "mkfifo: \(errno)") }
        let data = try Data(contentsOf: URL(fileURLWithPath: file)).prefix(limit)
        Thread {
            signal(SIGPIPE, SIG_IGN)
            let descriptor = open(path, O_WRONLY)
            data.withUnsafeBytes { bytes in
                var offset = 0
                while offset < bytes.count {
                    let count = write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                    if count <= 0 { break }
                    offset += count
                }
            }
            if seconds > 0 { Thread.sleep(forTimeInterval: seconds) }
            close(descriptor)
        }.start()
    }
}
