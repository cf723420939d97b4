import TestSupport
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
            ("rtsp://admin:a://geheim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:geheim://@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:gehe\u{301}im@\u{301}@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:geheim@\u{301}cam/stream", "rtsp://\u{301}cam/stream"),
            ("rtsp://адмін:пароль geheim 密码@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge%2Fhe%40im%25@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge\nheim@cam/stream", "rtsp://cam/stream"),
            ("rtsp://admin:ge&heim=1;x@cam/stream", "rtsp://cam/stream"),
            ("rtsp://geheim@cam", "rtsp://cam"),
            ("rtsp://admin:@cam/stream", "rtsp://cam/stream"),
            ("rtsp://cam/user=admin_password=geheim_channel=1.sdp", "rtsp://cam/***"),
            ("rtsp://cam/a/token=geheim/b", "rtsp://cam/a/***"),
            ("rtsp://cam:554/user=admin&password=geheim&stream=0.sdp?real", "rtsp://cam:554/***"),
            ("rtsp://cam/channel=1/subtype=0", "rtsp://cam/channel=1/subtype=0"),
            ("srt://cam:9000?streamid=geheim&passphrase=geheim", "srt://cam:9000?***"),
        ]
    )
    func redaction(url: String, expected: String) {
        #expect(VideoInput.url(url).displayName == expected)
        #expect(!Redaction.redact("cannot open '\(url)' now").contains("geheim") || url.contains("geheim geheim"))
    }

    @Test("every password there may be, in every place of a line", arguments: 0..<300 as Range<UInt64>)
    func anyPassword(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "@", ":", "/", "%", "%40", " ", "?", "#", "&", "=", "://", "\"", "é", "\u{301}", "密", "a", "7", "\\",
        ]
        let noise = (0..<6).map { _ in pieces.randomElement(using: &random) ?? "" }
        let password = noise[..<3].joined() + "geheim" + noise[3...].joined()
        let url = "rtsp://admin:\(password)@cam:554/stream"
        #expect(!VideoInput.url(url).displayName.contains("geheim"), "seed \(seed): \(url)")
        #expect(!Redaction.redact("tcp: cannot open '\(url)': Refused").contains("geheim"), "seed \(seed): \(url)")
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
        #expect(VideoInput(argument: "/dev/video0") == .device("/dev/video0"))
        #expect(VideoInput(argument: "v4l2:/dev/cam") == .device("/dev/cam"))
        #expect(VideoInput.device("/dev/video0").isLive)
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
