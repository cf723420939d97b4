import Foundation
import Imaging
import TestSupport
import Testing
import Video

/// Pixels against what the `ffmpeg` program makes of the same file.
@Suite("Pictures of decoded frames", .needsFFmpeg)
struct PictureTests {
    private let folder: TemporaryFolder
    /// Red and green above, blue and white below, and a pattern that shows every shift.
    private static let quadrants =
        "-f lavfi -i color=red:s=320x240:r=25:d=0.4,drawbox=160:0:160:120:green:fill,"
        + "drawbox=0:120:160:120:blue:fill,drawbox=160:120:160:120:white:fill"

    init() throws { folder = try TemporaryFolder() }

    /// The first frame as FFmpeg's program shows it.
    private func reference(_ name: String, filter: String = "null") async throws -> [Float] {
        let data = try await FFmpegCommand.output(
            [
                "-i", name, "-frames:v", "1", "-vf", filter, "-sws_flags",
                "bilinear+accurate_rnd+full_chroma_int", "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
            ],
            in: folder
        )
        return data.map(Float.init)
    }

    /// FFmpeg 5.1 writes `rotate` as a counter-clockwise turn; its own display of the file is the judge.
    @Test("turned by the container", arguments: [0, 90, 180, 270])
    func rotation(degrees: Int) async throws {
        try await folder.ffmpeg("\(Self.quadrants) -c:v libx264 -crf 5 upright.mp4")
        try await folder.ffmpeg("-i upright.mp4 -c copy -metadata:s:v:0 rotate=\(degrees) turned.mp4")
        let reading = try await Reading(folder.path("turned.mp4"))
        let frame = try #require(reading.frames.first)
        #expect(frame.width == (degrees % 180 == 0 ? 320 : 240))
        #expect(frame.rotationDegrees == (360 - degrees) % 360)
        #expect(reading.info?.rotationDegrees == (360 - degrees) % 360)
        #expect(reading.epochs.isEmpty)
        let expected = try await reference("turned.mp4")
        #expect(meanDifference(frame.picture.rgb(), expected) < 2)
    }

    @Test(
        "turned and mirrored by the H.264 stream",
        arguments: [(90, 0), (180, 0), (270, 0), (0, 1), (90, 1), (180, 1)]
    )
    func displayOrientation(degrees: Int, isFlipped: Int) async throws {
        try await folder.ffmpeg("\(Self.quadrants) -c:v libx264 -crf 5 upright.mp4")
        let flip = isFlipped == 1 ? ":flip=horizontal" : ""
        try await folder.ffmpeg(
            "-i upright.mp4 -c copy -bsf:v h264_metadata=display_orientation=insert:rotate=\(degrees)\(flip) turned.mp4"
        )
        let frame = try #require(try await Reading(folder.path("turned.mp4")).frames.last)
        #expect((frame.width == 240) == (degrees % 180 == 90))
        let probe = { (x: Float, y: Float) -> [Float] in
            let image = frame.picture.rgb()
            let column = Int(x * Float(frame.width)), row = Int(y * Float(frame.height))
            return Array(image[(row * frame.width + column) * 3..<(row * frame.width + column) * 3 + 3])
        }
        // H.264 turns counter-clockwise, after mirroring.
        var corners = ["red", "green", "white", "blue"]  // clockwise from the top left
        if isFlipped == 1 { corners = [corners[1], corners[0], corners[3], corners[2]] }
        let turns = degrees / 90
        let expected = Array(corners[turns...] + corners[..<turns])
        let colors = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)].map { place -> String in
            let rgb = probe(Float(place.0), Float(place.1))
            return rgb.allSatisfy { $0 > 180 }
                ? "white" : rgb[0] > 150 ? "red" : rgb[2] > 150 ? "blue" : rgb[1] > 80 ? "green" : "\(rgb)"
        }
        #expect(colors == expected)
    }

    @Test("pixels that are not square", arguments: ["2/1", "1/2", "16/11"])
    func pixelAspect(ratio: String) async throws {
        try await folder.ffmpeg("\(Self.quadrants),setsar=\(ratio) -c:v libx264 -crf 5 narrow.mp4")
        let frame = try #require(try await Reading(folder.path("narrow.mp4")).frames.first)
        #expect(
            Size(width: frame.width, height: frame.height)
                == [
                    "2/1": Size(width: 640, height: 240), "1/2": Size(width: 320, height: 480),
                    "16/11": Size(width: 465, height: 240),
                ][ratio]
        )
        let expected = try await reference("narrow.mp4", filter: "scale=\(frame.width):\(frame.height)")
        #expect(meanDifference(frame.picture.rgb(), expected) < 3)
    }

    @Test(
        "formats and sizes",
        arguments: [
            "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuv411p", "yuv410p",
            "yuv420p10le", "yuv422p10le", "yuv444p12le", "yuva420p", "yuva444p10le", "gray", "gray10le", "ya8", "gbrp",
            "gbrp10le", "gbrap", "bgra", "bgr0", "rgb24", "rgb48le", "nv12", "yuyv422", "p010le", "monob",
        ],
        ["64x48", "321x241"]
    )
    func format(name: String, size: String) async throws {
        // Smooth, so that the ways to interpolate chroma make no difference worth speaking of.
        let source =
            "-f lavfi -i gradients=s=\(size):c0=red:c1=blue:c2=yellow:n=3:x0=0:y0=0:x1=300:y1=200:d=0.2:r=25:seed=1"
        try await folder.ffmpeg("\(source) -pix_fmt \(name) -c:v rawvideo -strict -1 picture.nut")
        let reading = try await Reading(folder.path("picture.nut"))
        let frame = try #require(reading.frames.first)
        #expect("\(frame.width)x\(frame.height)" == size)
        let expected = try await reference("picture.nut")
        #expect(meanDifference(frame.picture.rgb(), expected) < (name == "monob" ? 1 : 3))
    }

    @Test("limited and full range show the same", arguments: ["yuv420p", "yuv444p"])
    func range(name: String) async throws {
        let source = "-f lavfi -i testsrc2=s=320x240:d=0.2:r=25"
        try await folder.ffmpeg("\(source) -pix_fmt \(name) -color_range tv -c:v libx264 -crf 1 limited.mp4")
        let full = name.replacingOccurrences(of: "yuv", with: "yuvj")
        try await folder.ffmpeg("\(source) -pix_fmt \(full) -c:v libx264 -crf 1 full.mp4")
        let limited = try #require(try await Reading(folder.path("limited.mp4")).frames.first)
        let reading = try await Reading(folder.path("full.mp4"))
        let frame = try #require(reading.frames.first)
        #expect(limited.picture.color != frame.picture.color)
        #expect(meanDifference(limited.picture.rgb(), frame.picture.rgb()) < 2)
    }

    @Test(
        "the matrix that the stream names",
        arguments: [
            ("bt709", 64, 1), ("smpte170m", 64, 0), ("bt470bg", 1080, 0), ("bt2020nc", 64, 2), ("unknown", 64, 0),
            ("unknown", 720, 1),
        ]
    )
    func matrix(name: String, height: Int, expected: Int) async throws {
        let all: [ColorTransform] = [
            .yCbCr(kr: 0.299, kb: 0.114, fullRange: false), .yCbCr(kr: 0.2126, kb: 0.0722, fullRange: false),
            .yCbCr(kr: 0.2627, kb: 0.0593, fullRange: false),
        ]
        let space = name == "unknown" ? "" : "-colorspace \(name)"
        try await folder.ffmpeg(
            "-f lavfi -i color=red:s=64x\(height):d=0.1 \(space) -pix_fmt yuv420p -c:v libx264 color.mp4"
        )
        let frame = try #require(try await Reading(folder.path("color.mp4")).frames.first)
        #expect(frame.picture.color == all[expected])
    }

    @Test("still pictures and GIFs are short videos")
    func stills() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=200x100:r=10:d=1 -frames:v 1 100%d.png -frames:v 1 still.jpg")
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=200x100:r=10:d=1 moving.gif")
        try FileManager.default.moveItem(atPath: folder.path("1001.png"), toPath: folder.path("100%d.png"))
        for name in ["100%d.png", "still.jpg"] {
            let reading = try await Reading(folder.path(name), .rate(5))
            #expect(reading.error == nil)
            #expect(reading.times == [0])
        }
        let gif = try await Reading(folder.path("moving.gif"), .rate(5))
        #expect(gif.frames.map(\.index) == [0, 2, 4, 6, 8, 9])
        let expected = try await reference("moving.gif")
        #expect(meanDifference(gif.frames[0].picture.rgb(), expected) < 0.5)
    }
}
