import Foundation
import Imaging
import TestSupport
import Testing
import Video

@Suite(.needsFFmpeg) struct VideoWriterTests {
    /// What FFmpeg finds in a file.
    private struct Probe: Decodable {
        struct Stream: Decodable {
            var codec_name: String
            var pix_fmt: String
            var width: Int
            var height: Int
            var color_space: String?
            var color_range: String?
            var duration: String?
        }
        struct Packet: Decodable {
            var pts_time: String
            var flags: String
        }
        var streams: [Stream]
        var packets: [Packet]

        var times: [Double] { packets.compactMap { Double($0.pts_time) } }
        var duration: Double { streams.first?.duration.flatMap(Double.init) ?? -1 }
    }

    private static let ffprobe = FFmpegCommand.path.map { $0.replacingOccurrences(of: "ffmpeg", with: "ffprobe") }

    /// On a thread of its own, not on one of the few that tests run on.
    private func probe(_ path: String) async throws -> Probe {
        let executable = try #require(Self.ffprobe)
        let data: Data = try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Result {
                        let process = Process()
                        process.executableURL = URL(fileURLWithPath: executable)
                        process.arguments = [
                            "-v", "error", "-show_streams", "-show_packets", "-of", "json", path,
                        ]
                        let pipe = Foundation.Pipe()
                        process.standardOutput = pipe
                        try process.run()
                        let data = pipe.fileHandleForReading.readDataToEndOfFile()
                        process.waitUntilExit()
                        return data
                    }
                )
            }.start()
        }
        return try JSONDecoder().decode(Probe.self, from: data)
    }

    /// All pictures of a file as red, green and blue bytes.
    private func decode(_ path: String, in folder: TemporaryFolder) async throws -> [UInt8] {
        [UInt8](
            try await FFmpegCommand.output(
                ["-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                in: folder
            )
        )
    }

    private func scene(_ size: Size, _ index: Int) -> Canvas {
        var canvas = Canvas(size: size, color: Canvas.Color(red: 90, green: 110, blue: 130))
        canvas.dot(Point(x: Float(10 + 3 * index % 80), y: 20), radius: 8, color: .white)
        canvas.label(["#\(index)"], at: Point(x: 8, y: 36))
        return canvas
    }

    /// Writes `times.count` pictures.
    private func write(_ path: String, size: Size, times: [Double], framesPerSecond: Double? = 25) throws {
        var writer = try VideoWriter(path: path, size: size, framesPerSecond: framesPerSecond)
        for (index, time) in times.enumerated() { try writer.append(scene(size, index), at: time) }
        try writer.finish()
        try writer.finish()
    }

    @Test func constantRate() async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        try write(path, size: Size(width: 160, height: 120), times: (0..<120).map { 12.5 + Double($0) / 25 })
        let probe = try await probe(path)
        let stream = try #require(probe.streams.first)
        #expect(probe.streams.count == 1 && probe.packets.count == 120)
        #expect(["h264", "mpeg4"].contains(stream.codec_name))
        #expect(stream.width == 160 && stream.height == 120 && stream.pix_fmt == "yuv420p")
        #expect(abs(probe.duration - 4.8) < 0.001, "\(probe.duration) s")
        #expect(zip(probe.times, (0..<120).map { Double($0) / 25 }).allSatisfy { abs($0 - $1) < 1e-4 })
        // A keyframe at least every two seconds.
        let keys = zip(probe.times, probe.packets).filter { $0.1.flags.contains("K") }.map(\.0)
        #expect(keys.first == 0 && zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 <= 2.05 } && (keys.last ?? 0) > 2.5)
    }

    @Test func variableRateIsKept() async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        let times = [3, 3.04, 3.5, 3.51, 6, 6.25, 20.125]
        try write(path, size: Size(width: 64, height: 64), times: times)
        let probe = try await probe(path)
        #expect(probe.times.count == 7)
        #expect(zip(probe.times, times).allSatisfy { abs($0 - ($1 - 3)) < 1e-4 }, "\(probe.times)")
    }

    @Test func unorderedTimesStillGrow() async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        try write(
            path,
            size: Size(width: 64, height: 64),
            times: [1, 1, 0.99, 1.04, .nan, .infinity, -.infinity, 1e300, 0, 0.04, -1e300]
        )
        let probe = try await probe(path)
        #expect(probe.packets.count == 11)
        #expect(zip(probe.times, probe.times.dropFirst()).allSatisfy { $0 < $1 }, "\(probe.times)")
        #expect((probe.times.last ?? 0) < 1)
    }

    @Test("stretches of their own come out the same whatever was before them, and make one video")
    func separateStretches() async throws {
        let folder = try TemporaryFolder(), size = Size(width: 160, height: 120)
        func write(_ name: String, differing: Range<Int>) throws -> [VideoWriter.Stretch] {
            var writer = try VideoWriter(
                path: folder.path(name),
                size: size,
                framesPerSecond: 25,
                hasSeparateStretches: true
            )
            for index in 0..<130 {
                var canvas = scene(size, index)
                if differing.contains(index) { canvas.dot(Point(x: 100, y: 80), radius: 20, color: .black) }
                try writer.append(canvas, at: Double(index) / 25)
            }
            try writer.finish()
            return writer.stretches
        }
        let plain = try write("a.mp4", differing: 0..<0), again = try write("b.mp4", differing: 0..<0)
        let other = try write("c.mp4", differing: 10..<12)
        #expect(plain.map(\.frames) == [0..<50, 50..<100, 100..<130] && plain == again)
        #expect(other[0].digest != plain[0].digest && other[0].frames == 0..<50)
        #expect(Array(other[1...]) == Array(plain[1...]))
        let probe = try await probe(folder.path("c.mp4"))
        #expect(zip(probe.times, (0..<130).map { Double($0) / 25 }).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(probe.packets.count == 130 && abs(probe.duration - 5.2) < 0.001)
        let picture = size.width * size.height * 3
        let (first, second) = (
            try await decode(folder.path("a.mp4"), in: folder), try await decode(folder.path("c.mp4"), in: folder)
        )
        try #require(first.count == 130 * picture && second.count == first.count)
        #expect(first[(50 * picture)...] == second[(50 * picture)...] && first != second)
    }

    @Test(arguments: [(161, 121, 160, 120), (1, 1, 16, 16), (33, 16, 32, 16)])
    func oddSizes(_ width: Int, _ height: Int, _ videoWidth: Int, _ videoHeight: Int) async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        try write(path, size: Size(width: width, height: height), times: [0, 0.04, 0.08])
        let stream = try #require(try await probe(path).streams.first)
        #expect(stream.width == videoWidth && stream.height == videoHeight)
    }

    @Test(arguments: [(320, 240, "smpte170m"), (1280, 720, "bt709")])
    func colorsComeBack(_ width: Int, _ height: Int, _ matrix: String) async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        let size = Size(width: width, height: height)
        let colors = [
            Canvas.Color(red: 200, green: 60, blue: 40), Canvas.Color(red: 30, green: 160, blue: 90), .white, .black,
        ]
        var writer = try VideoWriter(path: path, size: size, framesPerSecond: 10)
        for (index, color) in colors.enumerated() {
            try writer.append(Canvas(size: size, color: color), at: Double(index) / 10)
        }
        try writer.finish()
        let stream = try #require(try await probe(path).streams.first)
        #expect(stream.color_space == matrix && stream.color_range == "tv")
        let bytes = try await decode(path, in: folder), picture = width * height * 3
        try #require(bytes.count == 4 * picture)
        for (index, color) in colors.enumerated() {
            let at = index * picture + (height / 2 * width + width / 2) * 3
            for (value, wanted) in zip(bytes[at..<at + 3], [color.red, color.green, color.blue]) {
                #expect(abs(Int(value) - Int(wanted)) <= 5, "\(color): \(Array(bytes[at..<at + 3]))")
            }
        }
    }

    @Test func otherSizesAreFittedIn() async throws {
        let folder = try TemporaryFolder(), path = folder.path("a.mp4")
        var writer = try VideoWriter(path: path, size: Size(width: 160, height: 80))
        try writer.append(Canvas(size: Size(width: 160, height: 80), color: .white), at: 0)
        try writer.append(Canvas(size: Size(width: 90, height: 90), color: .white), at: 0.5)
        try writer.append(Canvas(size: Size(width: 640, height: 160), color: .white), at: 1)
        try writer.append(Canvas(size: Size(width: 160, height: 80), color: .white), at: 1.5)
        try writer.finish()
        let bytes = try await decode(path, in: folder), picture = 160 * 80 * 3
        try #require(bytes.count == 4 * picture)
        func light(_ frame: Int, _ x: Int, _ y: Int) -> UInt8 { bytes[frame * picture + (y * 160 + x) * 3] }
        for (x, y) in [(2, 2), (80, 2), (2, 40), (157, 77)] {
            #expect(light(0, x, y) > 240 && light(3, x, y) > 240)
        }
        // A square keeps its height, borders left and right; a wide one keeps its width.
        #expect(light(1, 80, 40) > 240 && light(1, 80, 3) > 240 && light(1, 10, 40) < 20 && light(1, 150, 40) < 20)
        #expect(light(2, 80, 40) > 240 && light(2, 4, 40) > 240 && light(2, 80, 8) < 20 && light(2, 80, 72) < 20)
    }

    @Test func unfinishedFilesPlay() async throws {
        let folder = try TemporaryFolder(), path = folder.path("a:b.mp4")
        let size = Size(width: 96, height: 64)
        var writer = try VideoWriter(path: path, size: size, framesPerSecond: 25)
        for index in 0..<250 { try writer.append(scene(size, index), at: Double(index) / 25) }
        // The writer still works: this is what a killed one leaves.
        let copy = folder.path("copy.mp4")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let left = try await probe(copy)
        #expect(left.packets.count >= 150, "\(left.packets.count) pictures of ten seconds")
        let bytes = try await decode(copy, in: folder)
        #expect(bytes.count == left.packets.count * 96 * 64 * 3)
        try writer.finish()
        #expect(try await probe(path).packets.count == 250)
    }

    /// What writing to `path` fails with.
    private func failure(_ path: String) -> VideoWriterError? {
        do {
            try write(path, size: Size(width: 320, height: 240), times: (0..<100).map { Double($0) / 25 })
            return nil
        } catch {
            return error as? VideoWriterError
        }
    }

    @Test func errorsNameTheFileAndTheRemedy() throws {
        let folder = try TemporaryFolder()
        let missing = try #require(failure(folder.path("no/such/a.mp4")))
        #expect(missing.operation == .create && missing.code == ENOENT)
        #expect(missing.description.contains("no/such/a.mp4"))
        #expect(missing.description.contains("create the folder first"))
        #expect(failure(folder.url.path)?.code == EISDIR)
        #expect(failure("/dev/null/a.mp4")?.code == ENOTDIR)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func fullDisk() throws {
        let error = try #require(failure("/dev/full"))
        #expect(error.operation == .write && error.code == ENOSPC)
        #expect(error.description.contains("/dev/full") && error.description.contains("free some space"))
    }

    @Test func timesOfManyKinds() {
        var timeline = VideoWriterTimeline(framesPerSecond: .nan)
        #expect(timeline.framesPerSecond == 30 && timeline.step == 3000)
        #expect(timeline.ticks(at: .nan) == 0)
        #expect(timeline.ticks(at: 100) == 3000)
        #expect(timeline.ticks(at: 100.5) == 48000 && timeline.step == 45000)
        // A little back: one tick on; far back: a new clock, one nominal step on.
        #expect(timeline.ticks(at: 100.4) == 48001)
        #expect(timeline.ticks(at: 7) == 51001)
        #expect(timeline.ticks(at: 8) == 141_001)
        #expect(timeline.ticks(at: 1e9) == 144_001)
    }
}
