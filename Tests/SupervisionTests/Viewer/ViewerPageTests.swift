import Foundation
import TestSupport
import Testing

/// The viewer's page in a real browser.
@Suite("Viewer: the page in Chromium", .serialized, .needsChromium, .timeLimit(.minutes(8)))
struct ViewerPageTests {
    private func run(_ script: String, _ arguments: [String], seconds: Double) async throws {
        try await BrowserScript.run(
            "Tests/SupervisionTests/Viewer/\(script)",
            arguments,
            environment: try DaemonProcess.environment(),
            seconds: seconds
        )
    }

    @Test("markup in words is shown as words; keyboard, contrast, 360 pixels; thousands of lines leave nothing behind")
    func page() async throws {
        try await run(
            "page.py",
            [Installation.package.appending(path: "Sources/Service/Viewer/Page").path],
            seconds: 200
        )
    }

    @Test(
        "events appear, filters work, a killed daemon is told of and nothing is lost when it is back",
        .needsInstallation
    )
    func live() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let clip = try await folder.portrait(seconds: 2)
        let camera = try await Server.camera(folder)
        let port = try #require(Self.freePort())
        let file = try DaemonProcess.configure(
            folder,
            sources: DaemonProcess.camera("door", port: camera.port) + "\n  - name: clip\n    url: \(clip)",
            more: "http: {listen: \"127.0.0.1:\(port)\", viewer: true}\n"
        )
        try await run(
            "live.py",
            [Installation.facellmd, file, folder.path("state"), folder.path("run"), "\(port)"],
            seconds: 240
        )
    }

    /// A port that nobody listens on at this moment; the configuration takes no 0.
    static func freePort() -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
