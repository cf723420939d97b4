import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// What a running daemon shows of the picture.
@Suite("Viewer: what a mask covers", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct ViewerMaskTests {
    @Test("a preview shows nothing of what a mask covers, and all of the rest")
    func masked() async throws {
        let folder = try TemporaryFolder()
        let clip = try await folder.endlessPortrait()
        let port = try #require(ViewerPageTests.freePort())
        let daemon = try DaemonProcess(
            in: folder,
            sources: "  - name: door\n    url: \(clip)\n    masks: [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]",
            more: "http: {listen: \"127.0.0.1:\(port)\", viewer: true}\n"
        )
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/api/preview/door.jpg"))
        let session = URLSession(configuration: .ephemeral)
        var jpeg = Data()
        let deadline = ContinuousClock.now + .seconds(45)
        // The first to ask is the reason that there will be one.
        while jpeg.isEmpty, ContinuousClock.now < deadline {
            if let (data, answer) = try? await session.data(from: url), (answer as? HTTPURLResponse)?.statusCode == 200
            {
                jpeg = data
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        try #require(!jpeg.isEmpty, "no preview came")
        let bytes = [UInt8](try await FFmpegCommand.decode(try folder.file("p.jpg", jpeg)))
        try #require(bytes.count == 3 * 320 * 240)
        func brightest(_ columns: Range<Int>) -> UInt8 {
            var most: UInt8 = 0
            for y in 0..<240 { for x in columns { most = max(most, bytes[3 * (320 * y + x) + 1]) } }
            return most
        }
        // JPEG rings at the edge.
        #expect(brightest(0..<150) < 24)
        #expect(brightest(170..<320) > 120)
        _ = try await daemon.stop()
    }
}
