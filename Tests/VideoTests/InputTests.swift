import Testing
import Video

@Suite("Names of inputs")
struct InputTests {
    @Test(
        "no credentials in names",
        arguments: [
            ("rtsp://cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:geheim@cam:554/stream", "rtsp://cam:554/stream"),
            ("rtsp://admin@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge@heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge:heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge%40heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge/heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge?heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge#heim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:\"geheim\"@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:@/geheim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://:geheim@cam/stream", "rtsp://cam/stream"),
            ("https://cam/live.m3u8?token=geheim", "https://cam/live.m3u8?***"),
            ("https://a:geheim@cam/live?x=geheim&y=geheim", "https://cam/live?***"),
            ("srt://cam:9000?passphrase=geheim geheim", "srt://cam:9000?***"),
            ("https://cam/#geheim", "https://cam/?***"),
            ("rtsp://[fe80::1]:554/stream", "rtsp://[fe80::1]:554/stream"),
            ("rtsp://cam/profile@2x", "rtsp://cam/profile@2x"),
        ]
    )
    func redaction(url: String, expected: String) {
        #expect(VideoInput.url(url).displayName == expected)
        #expect(!Redaction.redact("cannot open '\(url)' now").contains("geheim") || url.contains("geheim geheim"))
    }

    @Test("text around URLs stays")
    func text() {
        #expect(
            Redaction.redact("tcp: Connection to rtsp://u:geheim@cam:554 failed: Refused")
                == "tcp: Connection to rtsp://cam:554 failed: Refused"
        )
        #expect(
            Redaction.redact("opening http://a/b?t=1 and http://u:p@c/d?t=2 at once")
                == "opening http://a/b?*** and http://c/d?*** at once"
        )
        #expect(Redaction.redact("no URL here: a@b, c://") == "no URL here: a@b, c://")
        #expect(Redaction.redact("") == "")
    }

    @Test("arguments of a command line")
    func arguments() {
        #expect(VideoInput(argument: "-") == .standardInput)
        #expect(VideoInput(argument: "a:b.mp4") == .file("a:b.mp4"))
        #expect(VideoInput(argument: "rtsp://cam/1") == .url("rtsp://cam/1"))
        #expect(VideoInput(argument: "://x") == .file("://x"))
        #expect(VideoInput(argument: "a b://x") == .file("a b://x"))
        #expect(VideoInput.url("RTSP://cam/1").isLive)
        #expect(!VideoInput.url("https://cam/1.mp4").isLive)
    }

    @Test("errors tell no secrets and a remedy")
    func description() async throws {
        let reading = try await Reading(.init(input: .url("nothing://user:geheim@host/x?token=geheim")))
        let error = try #require(reading.error)
        #expect(error.reason == .unknownProtocol)
        #expect(error.exitStatus == 3)
        #expect(error.description.hasPrefix("nothing://host/x?***: "))
        #expect(!"\(error)\(error.log)".contains("geheim"))
    }

    @Test("FFmpeg's log tells no secrets")
    func log() async throws {
        let mark = FFmpegLog.mark()
        let reading = try await Reading(.init(input: .url("http://user:geheim@127.0.0.1:1/x?token=geheim")))
        #expect(reading.error?.exitStatus == 3)
        #expect(!FFmpegLog.lines(since: mark).joined().contains("geheim"))
    }

    @Test(
        "options that make no sense",
        arguments: [0, -1, .nan, .infinity, 1e9] as [Double]
    )
    func options(rate: Double) async throws {
        let reading = try await Reading(.init(input: .file("/x"), sampling: .rate(rate)))
        #expect(reading.error?.exitStatus == 2)
        var options = VideoReader.Options(input: .file("/x"))
        options.start = rate > 0 && rate < 1e9 ? -1 : rate - 1
        options.duration = rate > 0 && rate < 1e9 ? 0 : rate
        #expect(try await Reading(options).error?.exitStatus == 2)
    }
}
