import Foundation
import TestSupport
import Testing
import Video

/// What networks and disks do to a stream, in files made so that every harmed packet is known.
@Suite("Loss and bit errors", .needsFFmpeg, .timeLimit(.minutes(3)))
struct DamageTests {
    enum Harm: String, CaseIterable, CustomTestStringConvertible {
        /// Bytes of a packet are others.
        case damage
        /// The packet is not there.
        case loss
        var testDescription: String { rawValue }
    }

    private static let pictures = 400
    private static let group = 25
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func options(_ name: String) -> VideoReader.Options {
        var options = VideoReader.Options(input: .file(folder.path(name)), sampling: .everyFrame)
        options.decoderThreads = 1
        options.maximumDecodeErrors = 10_000
        return options
    }

    @Test(
        "what is lost or damaged is noticed, and every group of pictures that nothing happened to is whole",
        arguments: Harm.allCases,
        [0.001, 0.01, 0.05, 0.2]
    )
    func degrees(harm: Harm, share: Double) async throws {
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25 -frames:v \(Self.pictures) -c:v libx264 -preset veryfast -bf 0 "
                + "-g \(Self.group) -sc_threshold 0 clean.mkv"
        )
        // One packet at least, and every so many, but never a keyframe: those are what a decoder finds its way back by.
        let step = min(Int(1 / share), Self.pictures)
        let isHarmed = { (number: Int) in number % step == step / 2 + 1 && number % Self.group != 0 }
        let choice = "eq(mod(n\\,\(step))\\,\(step / 2 + 1))*gt(mod(n\\,\(Self.group))\\,0)"
        let filter = harm == .loss ? "amount=0:drop=\(choice)" : "drop=0:amount=if(\(choice)\\,100\\,0)"
        try await FFmpegCommand.run(
            ["-i", "clean.mkv", "-c", "copy", "-bsf:v", "noise=\(filter)", "harmed.mkv"],
            in: folder
        )
        let clean = try await Reading(options("clean.mkv"))
        let reading = try await Reading(options("harmed.mkv"))
        #expect(clean.frames.count == Self.pictures && reading.error == nil)
        let harmed = (0..<Self.pictures).filter(isHarmed)
        #expect(!harmed.isEmpty)

        let statistics = reading.statistics
        if harm == .loss {
            #expect(statistics.packetsRead == Self.pictures - harmed.count)
        } else {
            #expect(statistics.framesCorrupt + statistics.decodeErrors >= (harmed.count + 1) / 2)
        }
        #expect(reading.frames.filter(\.isCorrupt).count == statistics.framesCorrupt)

        // By time, since a lost picture has no number.
        let expected = Dictionary(clean.frames.map { ($0.pts, $0) }) { $1 }
        let harmedGroups = Set(harmed.map { $0 / Self.group })
        var whole = 0
        for frame in reading.frames {
            let original = try #require(expected[frame.pts])
            guard !harmedGroups.contains(original.index / Self.group) else { continue }
            whole += 1
            #expect(!frame.isCorrupt && frame.picture.bytes == original.picture.bytes, "picture \(original.index)")
        }
        #expect(whole == (0..<Self.pictures).count { !harmedGroups.contains($0 / Self.group) })
        // Each keyframe is whole, so whatever happened before it is over with it.
        for frame in reading.frames where frame.isKeyframe {
            #expect(frame.picture.bytes == expected[frame.pts]?.picture.bytes)
        }
        #expect(reading.frames.filter(\.isKeyframe).count == Self.pictures / Self.group)
    }
}

/// Streams that turn into others on the way.
@Suite("Streams that change", .needsFFmpeg, .timeLimit(.minutes(3)))
struct ChangeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Two seconds of a transport stream for each description, one behind the other.
    private func stream(_ parts: [(source: String, codec: String)]) async throws -> Reading {
        var whole = Data()
        for (number, part) in parts.enumerated() {
            try await folder.ffmpeg(
                "-f lavfi -i \(part.source):r=25:d=2 \(part.codec) -output_ts_offset \(2 * number) -f mpegts part.ts"
            )
            whole += try Data(contentsOf: folder.url.appending(path: "part.ts"))
        }
        try folder.file("whole.ts", whole)
        return try await Reading(folder.path("whole.ts"))
    }

    private func check(
        _ reading: Reading,
        _ reasons: [EpochReason],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(reading.error == nil, sourceLocation: sourceLocation)
        #expect(reading.epochs.count == reasons.count, "\(reading.epochs)", sourceLocation: sourceLocation)
        for (epoch, reason) in zip(reading.epochs, reasons) {
            #expect(epoch.reason.isSuperset(of: reason), "\(epoch.reason)", sourceLocation: sourceLocation)
        }
        #expect(reading.frames.count == 50 * (reasons.count + 1), sourceLocation: sourceLocation)
        #expect(reading.frames.map(\.epoch) == reading.frames.indices.map { $0 / 50 }, sourceLocation: sourceLocation)
        #expect(reading.statistics.framesCorrupt == 0, sourceLocation: sourceLocation)
        #expect(abs((reading.times.last ?? 0) - 2 * Double(reasons.count + 1)) < 0.5, sourceLocation: sourceLocation)
    }

    @Test("larger, then upright: two new epochs, each picture in its own size")
    func sizes() async throws {
        let codec = "-c:v libx264 -preset ultrafast"
        let reading = try await stream([
            ("testsrc2=s=640x360", codec), ("testsrc2=s=1920x1080", codec), ("testsrc2=s=360x640", codec),
        ])
        check(reading, [.sizeChanged, .sizeChanged])
        #expect(reading.epochs.map(\.info.width) == [1920, 360])
        #expect(reading.frames.allSatisfy { $0.width == [640, 1920, 360][$0.epoch] })
    }

    /// What FFmpeg follows is a stream of its own for the other codec, as broadcasters have it; it is found when nothing
    /// has come of the first for some ten seconds.
    @Test("H.264 becomes HEVC")
    func codecs() async throws {
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -preset ultrafast -streamid 0:256 -f mpegts a.ts"
        )
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=16 -c:v libx265 -preset ultrafast -x265-params log-level=none "
                + "-g 25 -streamid 0:257 -output_ts_offset 2 -f mpegts b.ts"
        )
        let parts = try ["a.ts", "b.ts"].map { try Data(contentsOf: folder.url.appending(path: $0)) }
        try folder.file("whole.ts", parts[0] + parts[1])
        let reading = try await Reading(folder.path("whole.ts"))
        #expect(reading.error == nil)
        #expect(reading.epochs.map(\.info.codec) == ["hevc"])
        #expect(reading.epochs.first?.reason.contains(.codecChanged) == true)
        // The last of the first stream are complete for FFmpeg only when more of that stream comes.
        #expect((48...50).contains(reading.frames.count { $0.epoch == 0 }))
        #expect(reading.frames.count { $0.epoch == 1 } >= 100)
        #expect(reading.statistics.framesCorrupt == 0)
    }

    /// Under the same number FFmpeg keeps the codec that it knew: what comes then cannot be decoded, and that shows.
    @Test("another codec under the same name is no silence: the errors are counted")
    func hiddenCodec() async throws {
        let reading = try await stream([
            ("testsrc2=s=160x120", "-c:v libx264 -preset ultrafast"),
            ("testsrc2=s=160x120", "-c:v libx265 -preset ultrafast -x265-params log-level=none"),
        ])
        #expect(reading.frames.count == 50)
        #expect(reading.statistics.decodeErrors >= 10, "\(reading.statistics)")
    }

    @Test(
        "8 bits become 10",
        arguments: ["libx264 -preset ultrafast", "libx265 -preset ultrafast -x265-params log-level=none"]
    )
    func depths(codec: String) async throws {
        let reading = try await stream([
            ("testsrc2=s=320x240", "-c:v \(codec) -pix_fmt yuv420p"),
            ("testsrc2=s=320x240", "-c:v \(codec) -pix_fmt yuv420p10le"),
        ])
        check(reading, [.pixelFormatChanged])
        #expect(reading.epochs.map(\.info.pixelFormat) == ["yuv420p10le"])
        // The same picture, whatever its depth.
        let before = try #require(reading.frames.first), after = try #require(reading.frames.first { $0.epoch == 1 })
        #expect(meanDifference(before.picture.rgb(), after.picture.rgb()) < 8)
    }
}

/// Timestamps as real streams have them.
@Suite("Bad times", .needsFFmpeg, .timeLimit(.minutes(2)))
struct TimestampTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func steps(_ reading: Reading) -> [Double] {
        zip(reading.times, reading.times.dropFirst()).map { $1 - $0 }
    }

    @Test("the clock of a transport stream passes the end of 33 bits")
    func wrap() async throws {
        // Two seconds before the end.
        let offset = 8_589_934_592.0 / 90_000 - 2
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -bf 2 -muxdelay 0 -output_ts_offset \(offset) wrap.ts"
        )
        let reading = try await Reading(folder.path("wrap.ts"))
        #expect(reading.error == nil && reading.epochs.isEmpty)
        #expect(reading.frames.count == 100)
        #expect(steps(reading).allSatisfy { abs($0 - 0.04) < 0.001 })
    }

    @Test("pictures that share a time come all, in order")
    func duplicates() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -bf 0 clean.mkv")
        try await FFmpegCommand.run(
            ["-i", "clean.mkv", "-c", "copy", "-bsf:v", "setts=ts=floor(N/5)*200", "twice.mkv"],
            in: folder
        )
        let reading = try await Reading(folder.path("twice.mkv"))
        #expect(reading.error == nil && reading.epochs.isEmpty)
        #expect(reading.frames.count == 50)
        #expect(Set(reading.times).count <= 11)
        let sampled = try await Reading(folder.path("twice.mkv"), .rate(5))
        #expect((10...11).contains(sampled.frames.count))
    }

    @Test("times that tremble back and forth never go back")
    func trembling() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -bf 0 clean.mkv")
        try await FFmpegCommand.run(
            [
                "-i", "clean.mkv", "-c", "copy", "-bsf:v", "setts=pts=PTS+400-120*mod(N\\,2):dts=DTS", "trembling.mkv",
            ],
            in: folder
        )
        let reading = try await Reading(folder.path("trembling.mkv"))
        #expect(reading.error == nil && reading.epochs.isEmpty)
        #expect(reading.frames.count == 50)
        #expect(steps(reading).allSatisfy { $0 >= 0 })
    }

    @Test("no times at all: the rate tells them", arguments: ["h264", "hevc", "m4v", "mjpeg"])
    func none(format: String) async throws {
        let codec = [
            "h264": "libx264", "hevc": "libx265 -x265-params log-level=none", "m4v": "mpeg4", "mjpeg": "mjpeg",
        ]
        try await folder.ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -pix_fmt yuv420p -c:v \(codec[format] ?? "") -f \(format) bare.\(format)"
        )
        let reading = try await Reading(folder.path("bare.\(format)"))
        #expect(reading.error == nil && reading.epochs.isEmpty)
        #expect(reading.frames.count == 50)
        #expect(steps(reading).allSatisfy { abs($0 - 0.04) < 0.001 })
    }
}
