import Events
import Glibc
import Logging
import Synchronization
import Testing

@testable import Service

/// A log that keeps what it would have written, with clocks that stand still.
private final class Kept: Sendable {
    let text = Mutex("")
    let now = Mutex(Duration.zero)

    func output(_ form: LogLine.Form) -> LogOutput {
        LogOutput(
            form: form,
            uptime: { self.now.withLock { $0 } },
            wallClock: { Timestamp(millisecondsSince1970: 0) },
            sink: { line in self.text.withLock { $0 += line } }
        )
    }

    func logger(_ form: LogLine.Form = .text, source: String? = nil) -> Logger {
        logger(output(form), source: source)
    }

    func logger(_ output: LogOutput, source: String? = nil) -> Logger {
        var logger = Logger(label: "facellmd") { JournalLogHandler(label: $0, level: .trace, output: output) }
        if let source { logger[metadataKey: "source"] = "\(source)" }
        return logger
    }

    var lines: [String] {
        text.withLock { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }
}

@Suite struct JournalLogTests {
    @Test(arguments: [
        (Logger.Level.trace, "<7>"), (.debug, "<7>"), (.info, "<6>"), (.notice, "<5>"), (.warning, "<4>"),
        (.error, "<3>"), (.critical, "<2>"),
    ])
    func journalLinesBeginWithTheirPriority(level: Logger.Level, prefix: String) {
        let kept = Kept()
        kept.logger(.journal, source: "door").log(level: level, "online")
        #expect(kept.lines == ["\(prefix)online source=door", ""])
    }

    @Test func textLinesTellTimeLevelAndFields() {
        let kept = Kept()
        kept.logger(source: "door").warning("stalled", metadata: ["attempt": "3", "reason": "no packet \"yet\""])
        #expect(
            kept.lines == [
                "1970-01-01T00:00:00.000Z warning facellmd: stalled attempt=3 reason=\"no packet \\\"yet\\\"\" source=door",
                "",
            ]
        )
    }

    @Test func jsonLinesAreObjects() {
        let kept = Kept()
        kept.logger(.json, source: "door").info("a\n\"b\"/c")
        #expect(
            kept.lines == [
                #"{"fields":{"source":"door"},"level":"info","logger":"facellmd","message":"a\n\"b\"/c","#
                    + #""time":"1970-01-01T00:00:00.000Z"}"#,
                "",
            ]
        )
    }

    @Test(arguments: [
        ("two\nlines\r\tand tab", "two\\nlines\\r\\tand tab"),
        ("\u{1b}[31mred", "\\u{1b}[31mred"),
        ("turned \u{202E}round \u{2028}end \u{9b}", "turned \\u{202e}round \\u{2028}end \\u{9b}"),
        ("<0>forged", "<0>forged"),
        ("Grüße 你好", "Grüße 你好"),
    ])
    func oneMessageIsOneHarmlessLine(message: String, written: String) {
        let kept = Kept()
        kept.logger(.journal).info("\(message)")
        #expect(kept.lines == ["<6>\(written)", ""])
    }

    @Test(arguments: [LogLine.Form.text, .journal, .json])
    func credentialsOfURLsAreNeverWritten(form: LogLine.Form) {
        let kept = Kept()
        struct Failure: Error { let url = "rtsp://admin:hun:ter@2@cam/live" }
        kept.logger(form).error(
            "cannot open rtsp://admin:hun ter2@cam/live",
            error: Failure(),
            metadata: ["url": "rtsp://admin:hunt%er2@cam/live?token=hunter2", "all": ["http://u:hunter2@h/"]]
        )
        let text = kept.text.withLock { $0 }
        #expect(!text.contains("hun"), "\(text)")
        #expect(text.contains("cam/live"))
    }

    @Test func longMessagesAreCut() {
        let kept = Kept()
        kept.logger(.journal).info("\(String(repeating: "x", count: 100_000))")
        #expect(kept.text.withLock { $0.utf8.count } < 10_000)
    }

    // MARK: - Repeats

    @Test func repeatsOfASourceAreCountedAndToldBeforeTheNext() {
        let kept = Kept()
        let output = kept.output(.journal)
        let (door, yard) = (kept.logger(output, source: "door"), kept.logger(output, source: "yard"))
        for _ in 0..<3 {
            door.warning("lost")
            yard.warning("lost")
        }
        door.info("online")
        output.flush()
        #expect(
            kept.lines == [
                "<4>lost source=door", "<4>lost source=yard", "<4>lost (2 times more) source=door",
                "<6>online source=door", "<4>lost (2 times more) source=yard", "",
            ]
        )
    }

    @Test func countsAreNotHeldBackForLong() {
        let kept = Kept()
        let output = kept.output(.journal)
        let (door, yard) = (kept.logger(output, source: "door"), kept.logger(output, source: "yard"))
        door.warning("lost")
        door.warning("lost")
        kept.now.withLock { $0 = .seconds(29) }
        yard.info("a")
        #expect(kept.lines == ["<4>lost source=door", "<6>a source=yard", ""])
        kept.now.withLock { $0 = .seconds(31) }
        yard.info("b")
        #expect(kept.lines.suffix(3) == ["<4>lost (once more) source=door", "<6>b source=yard", ""])
        kept.now.withLock { $0 = .seconds(70) }
        door.warning("lost")
        #expect(kept.lines.suffix(2) == ["<4>lost source=door", ""])
    }

    @Test func manySourcesDoNotMakeItGrowForEver() {
        var repeats = LogRepeats()
        var written = 0
        for number in 0..<5000 {
            let line = LogLine(level: .info, label: "x", message: "m", metadata: ["source": "\(number)"], error: nil)
            written += repeats.lines(for: line, now: .zero).count
            written += repeats.lines(for: line, now: .zero).count
        }
        written += repeats.flush().count
        #expect(written == 10_000)
    }

    // MARK: - Form

    @Test func journalIsRecognisedByItsStream() throws {
        var status = stat()
        try #require(fstat(STDERR_FILENO, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(LogLine.Form.automatic(environment: ["JOURNAL_STREAM": stream]) == .journal)
        #expect(LogLine.Form.automatic(environment: ["JOURNAL_STREAM": "\(stream)1"]) == .text)
        #expect(LogLine.Form.automatic(environment: [:]) == .text)
        #expect(LogLine.Form.automatic(environment: ["JOURNAL_STREAM": stream], descriptor: -1) == .text)
    }
}
