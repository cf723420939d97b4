import Events
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Service

/// What the viewer serves, to whom, and how it ends.
@Suite("Viewer", .serialized, .timeLimit(.minutes(2)))
struct ViewerTests {
    @Test("the page and its files come with a policy that lets nothing in from elsewhere")
    func page() async throws {
        let fixture = try await ViewerFixture()
        for (path, type) in [
            ("/", "text/html; charset=utf-8"), ("/viewer.css", "text/css; charset=utf-8"),
            ("/viewer.js", "text/javascript; charset=utf-8"), ("/common.js", "text/javascript; charset=utf-8"),
        ] {
            let answer = try await fixture.ask(path)
            #expect(answer.status == 200 && answer.headers["content-type"] == type, "\(path)")
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
            #expect(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["cross-origin-resource-policy"] == "same-origin")
            #expect(answer.headers["access-control-allow-origin"] == nil)
            #expect(answer.text.count > 1000, "\(path)")
        }
        for part in ViewerPage.parts {
            let text = String(decoding: part.bytes, as: UTF8.self)
            #expect(!text.contains("://") && !text.contains("innerHTML") && !text.contains("style="), "\(part.path)")
        }
        #expect(try await fixture.ask("/api/status").text == #"{"ready":true}"#)
        #expect(try await fixture.ask("/metrics").text == "x 1\n# EOF\n")
        #expect(try await fixture.ask("/other").status == 404)
        await fixture.stop()
    }

    @Test("a token is asked for everywhere; a browser gets a cookie for it, which does not tell it")
    func token() async throws {
        let fixture = try await ViewerFixture(token: "s3cret")
        let paths = [
            "/", "/viewer.js", "/api/status", "/api/events", "/api/history", "/api/preview/door.jpg",
            "/api/shots/door/t1.jpg", "/metrics", "/readyz",
        ]
        for path in paths {
            #expect(try await fixture.ask(path).status == 401, "\(path)")
            #expect(try await fixture.ask(path, ["Authorization: Bearer s3creT"]).status == 401, "\(path)")
            #expect(try await fixture.ask(path, ["Cookie: facellm_viewer=s3cret"]).status == 401, "\(path)")
        }
        #expect(try await fixture.ask("/?token=s3cre").status == 401)
        #expect(try await fixture.ask("/api/status?token=s3cret").status == 401)
        #expect(try await fixture.ask("/api/status", ["Authorization: Bearer s3cret"]).status == 200)

        let entry = try await fixture.ask("/?token=s3cret")
        #expect(entry.status == 303 && entry.headers["location"] == "/")
        let cookie = try #require(entry.headers["set-cookie"])
        #expect(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict") && !cookie.contains("s3cret"))
        let pair = try #require(cookie.split(separator: ";").first)
        for path in paths where path != "/api/events" {
            #expect(try await fixture.ask(path, ["Cookie: a=b; \(pair); c=d"]).status < 300, "\(path)")
        }
        #expect(try await fixture.ask("/", ["Cookie: \(pair)0"]).status == 401)
        // Behind a proxy the page has a name of its own.
        #expect(try await fixture.ask("/", ["Cookie: \(pair)"], host: "faces.example").status == 200)
        await fixture.stop()
    }

    @Test("without a token only this machine's names are answered to, and only to the page itself")
    func names() async throws {
        let fixture = try await ViewerFixture()
        for host in ["localhost", "localhost:9464", "127.0.0.1:1", "127.0.0.1", "[::1]", "[::1]:80", "LOCALHOST"] {
            #expect(try await fixture.ask("/api/status", host: host).status == 200, "\(host)")
        }
        for host in [
            "evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.1",
            "localhost:x", "::1", "0.0.0.0", "",
        ] {
            #expect(try await fixture.ask("/api/status", host: host).status >= 400, "\(host)")
            #expect(!ViewerAccess.isThisMachine(host), "\(host)")
        }
        #expect(try await fixture.ask("/api/status", host: nil).status >= 400)
        for site in ["cross-site", "same-site"] {
            #expect(try await fixture.ask("/api/status", ["Sec-Fetch-Site: \(site)"]).status == 403)
            #expect(try await fixture.ask("/", ["Sec-Fetch-Site: \(site)"]).status == 200)
        }
        #expect(try await fixture.ask("/api/status", ["Sec-Fetch-Site: same-origin"]).status == 200)
        await fixture.stop()
    }

    // MARK: - Events

    @Test("lines come as they are on the socket, with their cursors; a browser resumes behind the last one it had")
    func resumes() async throws {
        let store = MemoryStore()
        let fixture = try await ViewerFixture(store: store)
        let live = try await fixture.stream()
        try fixture.publish(1...3)
        let kept = await store.read(from: .oldest, through: nil, filter: .all, maximumBytes: .max)
        for item in kept.items {
            guard case .event(let event) = item else { continue }
            let message = try #require(try await live.next())
            #expect(message.event == "message" && message.id == event.cursor.description)
            #expect(message.data == [event.line.description])
        }
        live.client.close()

        try fixture.publish(4...6)
        #expect(try await fixture.stream("?since=one-2").seqs(4) == [3, 4, 5, 6])
        // What the browser sends by itself when it comes back is newer than the address it began with.
        #expect(try await fixture.stream("?since=one-2", ["Last-Event-ID: one-5"]).seqs(1) == [6])
        let later = try await fixture.stream("?since=one-5")
        try fixture.publish(7...7)
        #expect(try await later.seqs(2) == [6, 7])

        let lost = try await fixture.stream("?since=nonsense")
        let gap = try #require(try await lost.next())
        #expect(gap.event == "gap" && gap.id == nil && gap.data.first?.contains("cursor_unknown") == true)
        #expect(try await lost.seqs(7) == Array(1...7))
        await fixture.stop()
    }

    @Test("types and sources can be chosen; line breaks in a message stay within it")
    func chosen() async throws {
        let fixture = try await ViewerFixture()
        #expect(try await fixture.ask("/api/events?types=nonsense").status == 400)
        #expect(try await fixture.ask("/api/history?types=").status == 400)
        let errors = try await fixture.stream("?types=error,gap&source=door")
        try fixture.publish(1...1, source: "yard")
        try fixture.bus.publish(.gap(.media(reason: "reconnected")), source: "yard")
        let words = "<b>\"one\"</b>\n\nevent: status\ndata: {}\r\n\u{2028}"
        try fixture.bus.publish(.error(ErrorRecord(code: "x", message: words, retryable: false)), source: "door")
        let message = try #require(try await errors.next())
        #expect(message.id == "one-3" && field("message", of: message.data.first) == words)
        await fixture.stop()
    }

    @Test("a browser that reads nothing is cut off; the bus never waits for it, and others are served")
    func stalled() async throws {
        let fixture = try await ViewerFixture {
            $0.writeDeadline = .seconds(1)
            $0.queueBytes = 1 << 20
        }
        let stalled = try await fixture.stream()
        let reading = try await fixture.stream("?types=gap")
        #expect(fixture.viewer.streamCount == 2)
        var slowest = Duration.zero
        let deadline = ContinuousClock.now + .seconds(60)
        var value = 0
        while fixture.viewer.streamCount == 2, ContinuousClock.now < deadline {
            value += 1
            let began = ContinuousClock.now
            try fixture.bus.publish(number(value, padding: 30_000), source: "door")
            slowest = max(slowest, ContinuousClock.now - began)
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(fixture.viewer.streamCount == 1, "cut off after \(value) lines")
        #expect(slowest < .seconds(1), "publishing took \(slowest)")
        try fixture.bus.publish(.gap(.media(reason: "reconnected")), source: "door")
        #expect(try await reading.seqs(1) == [value + 1])
        stalled.client.close()
        await fixture.stop()
    }

    @Test("no more browsers than there is room for; one that goes makes room")
    func bounded() async throws {
        let fixture = try await ViewerFixture { $0.maximumStreams = 1 }
        let first = try await fixture.stream()
        #expect(try await fixture.ask("/api/events").status == 503)
        first.client.close()
        let deadline = ContinuousClock.now + .seconds(30)
        while fixture.viewer.streamCount > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        _ = try await fixture.stream()
        await fixture.stop()
    }

    @Test("when the daemon ends, a stream ends behind the last line")
    func ends() async throws {
        let fixture = try await ViewerFixture()
        let stream = try await fixture.stream()
        try fixture.publish(1...5)
        await fixture.stop()
        #expect(try await stream.seqs(6) == Array(1...5))
        #expect(fixture.viewer.streamCount == 0)
    }

    // MARK: - History

    @Test("the history has the lines of the time asked for, and the cursor from which events go on")
    func history() async throws {
        let clock = Mutex(Timestamp.now().millisecondsSince1970 - 7_200_000)
        let store = MemoryStore()
        let bus = EventBus(instanceID: "one", store: store) {
            Timestamp(millisecondsSince1970: clock.withLock { $0 })
        }
        let fixture = try await ViewerFixture(bus: bus, store: store)
        try fixture.publish(1...2)
        clock.withLock { $0 += 5_400_000 }
        try fixture.publish(3...3)
        try fixture.publish(4...4, source: "yard")
        try bus.publish(.gap(.media(reason: "reconnected")), source: "door")

        func seqs(_ query: String) async throws -> [Int] {
            try await fixture.ask("/api/history\(query)").lines.compactMap { seq(of: $0) }
        }
        #expect(try await seqs("") == [3, 4, 5])
        #expect(try await seqs("?seconds=86400") == [1, 2, 3, 4, 5])
        #expect(try await seqs("?seconds=600") == [])
        #expect(try await seqs("?types=error") == [3, 4])
        #expect(try await seqs("?source=yard") == [4])
        let answer = try await fixture.ask("/api/history?types=error")
        #expect(answer.headers["x-facellm-cursor"] == "one-5" && answer.headers["x-facellm-truncated"] == nil)
        for wrong in ["x", "-1", "nan", "86401"] {
            #expect(try await fixture.ask("/api/history?seconds=\(wrong)").status == 400, "\(wrong)")
        }
        try fixture.publish(6...6)
        #expect(try await fixture.stream("?since=one-5").seqs(1) == [6])
        await fixture.stop()
    }

    @Test("of too many lines the history has the newest, and says so")
    func longHistory() async throws {
        let fixture = try await ViewerFixture()
        try fixture.publish(1...3100)
        let answer = try await fixture.ask("/api/history")
        #expect(answer.headers["x-facellm-truncated"] == "true")
        #expect(answer.lines.compactMap { seq(of: $0) } == Array(101...3100))
        await fixture.stop()
    }

    @Test("without a journal there is no history, and events go on from now")
    func noJournal() async throws {
        let fixture = try await ViewerFixture(store: nil)
        try fixture.publish(1...3)
        let answer = try await fixture.ask("/api/history")
        #expect(answer.status == 200 && answer.body.isEmpty && answer.headers["x-facellm-cursor"] == "one-3")
        let stream = try await fixture.stream("?since=one-3")
        try fixture.publish(4...4)
        #expect(try await stream.seqs(1) == [4])
        await fixture.stop()
    }
}
