import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct PictureEncoderTests {
    private func scene(_ width: Int, _ height: Int) -> Canvas {
        var canvas = Canvas(TestPicture.ramp(width: width, height: height, step: 3))
        canvas.line(
            from: Point(x: 0, y: 0),
            to: Point(x: Float(width), y: Float(height)),
            thickness: 2,
            color: Canvas.palette(1)
        )
        canvas.label(["png"], at: Point(x: 4, y: 4))
        return canvas
    }

    @Test(.needsFFmpeg, arguments: [(64, 48), (61, 47), (1, 1)])
    func pngKeepsEveryPixel(_ width: Int, _ height: Int) async throws {
        let folder = try TemporaryFolder(), canvas = scene(width, height)
        try PictureEncoder.write(canvas, to: folder.path("a.png"), format: .png)
        #expect(try await FFmpegCommand.decode(folder.path("a.png")) == canvas.packedBytes)
        #expect(folder.files == ["a.png"])
    }

    @Test(.needsFFmpeg, arguments: [(95, 2.0), (85, 4.0), (40, 9.0)])
    func jpegIsClose(_ quality: Int, _ allowed: Double) async throws {
        let folder = try TemporaryFolder(), canvas = scene(81, 63)
        try PictureEncoder.write(canvas, to: folder.path("a.jpg"), format: .jpeg(quality: quality))
        let decoded = try await FFmpegCommand.decode(folder.path("a.jpg")), original = canvas.packedBytes
        try #require(decoded.count == original.count)
        let sum = zip(decoded, original).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        let mean = Double(sum) / Double(original.count)
        #expect(mean < allowed, "mean difference \(mean)")
    }

    @Test(.needsFFmpeg) func plainColorsKeepTheirLevels() async throws {
        let folder = try TemporaryFolder()
        for color in [Canvas.Color.white, .black, Canvas.Color(red: 220, green: 40, blue: 90)] {
            let canvas = Canvas(size: Size(width: 32, height: 32), color: color)
            for quality in [80, 95] {
                try PictureEncoder.write(canvas, to: folder.path("c.jpg"), format: .jpeg(quality: quality))
                let decoded = try await FFmpegCommand.decode(folder.path("c.jpg"))
                #expect(largestDifference(decoded, canvas.packedBytes) <= 4)
            }
        }
    }

    @Test func worseQualityIsSmaller() throws {
        let canvas = Canvas(TestPicture.noise(width: 64, height: 64))
        let sizes = try [100, 90, 75, 50, 20, 1].map { try PictureEncoder.encode(canvas, as: .jpeg(quality: $0)).count }
        #expect(sizes == sizes.sorted(by: >))
        let bytes = try PictureEncoder.encode(canvas, as: .jpeg(quality: .max))
        #expect(bytes.starts(with: [0xff, 0xd8]) && bytes.suffix(2) == [0xff, 0xd9])
        #expect(try PictureEncoder.encode(canvas, as: .png).starts(with: [0x89, 0x50, 0x4e, 0x47]))
    }

    @Test(.needsFFmpeg) func cropsOfPictures() async throws {
        let folder = try TemporaryFolder(), picture = TestPicture.ramp(width: 60, height: 50, step: 4)
        let square = RotatedSquare(center: Point(x: 30, y: 25), side: 20)
        try PictureEncoder.write(square, of: Pyramid(picture), size: 20, to: folder.path("face.png"), format: .png)
        let decoded = try await FFmpegCommand.decode(folder.path("face.png"))
        #expect(decoded.count == 1200)
        #expect(Array(decoded.prefix(3)) == [80, 60, 77])
    }

    @Test func formatFollowsTheName() {
        #expect(PictureEncoder.Format(path: "/a/B.PNG") == .png)
        #expect(PictureEncoder.Format(path: "b.jpeg", quality: 70) == .jpeg(quality: 70))
        #expect(PictureEncoder.Format(path: "b.webp") == nil)
    }

    @Test func existingFilesAreReplaced() throws {
        let folder = try TemporaryFolder(), path = folder.path("a.png")
        try PictureEncoder.write([1, 2, 3], to: path)
        try PictureEncoder.write([4], to: path)
        #expect(FileManager.default.contents(atPath: path) == Data([4]))
        #expect(folder.files == ["a.png"])
    }

    /// What a write to `path` fails with.
    private func failure(_ path: String) -> ImagingError? {
        do {
            try PictureEncoder.write(Canvas(size: Size(width: 4, height: 4)), to: path, format: .png)
            return nil
        } catch {
            return error
        }
    }

    @Test func errorsNameTheFileAndTheRemedy() throws {
        let folder = try TemporaryFolder()
        let missing = try #require(failure(folder.path("no/such/a.png")))
        #expect(missing.operation == .createFile && missing.code == ENOENT)
        #expect(missing.description.contains("no/such/a.png"))
        #expect(missing.description.contains("create the folder first"))
        #expect(failure(folder.url.path)?.code == EISDIR)
        #expect(failure("/dev/null/a.png")?.code == ENOTDIR)
        #expect(folder.files.isEmpty)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func fullDisk() throws {
        let error = try #require(failure("/dev/full"))
        #expect(error.operation == .writeFile && error.code == ENOSPC)
        #expect(error.description.contains("free some space"))
        // Still the device, not a file in its place.
        #expect(failure("/dev/full") == error)
    }

    @Test(.enabled(if: getuid() != 0, "the super-user may write everywhere"))
    func forbiddenFolder() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.url.path)
        let error = try #require(failure(folder.path("a.png")))
        #expect(error.code == EACCES && error.remedy != nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.url.path)
    }
}
