import TestSupport
import Testing

/// What a running daemon does while browsers have stopped reading.
@Suite("Viewer: stalled browsers", .serialized, .needsInstallation, .timeLimit(.minutes(3)))
struct StalledBrowserTests {
    @Test("browsers that never read what they asked for hold up neither pictures nor events")
    func unread() async throws {
        let folder = try TemporaryFolder()
        let port = try #require(ViewerPageTests.freePort())
        let daemon = try DaemonProcess(
            in: folder,
            // Lines of some twenty kilobytes: sockets are full after a few dozen.
            sources: try await DaemonProcess.chatter(folder, more: "landmarks: true"),
            more: "http: {listen: \"127.0.0.1:\(port)\", viewer: true}\n",
            seconds: 150
        )
        _ = try await daemon.event { $0.type == "track.started" }
        var browsers: [RawClient] = []
        for path in ["events", "events", "events", "history"] {
            let browser = try RawClient(port: port)
            // The client ends the last line.
            await browser.send("GET /api/\(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r")
            browsers.append(browser)
        }
        var lines = 0
        _ = try await daemon.event { event in
            if event.type == "face.observation" { lines += 1 }
            return lines == 1000
        }
        let events = try await daemon.stop()
        let ledger = try #require(events.summary).ledger
        #expect(ledger.facesObserved >= 1000 && ledger.facesDroppedOverload == 0)
        // They had really been served.
        for browser in browsers {
            #expect(String(decoding: try await browser.bytes(atMost: 15), as: UTF8.self) == "HTTP/1.1 200 OK")
        }
    }
}
