import Events
import Foundation
import TestSupport
import Testing

/// Lines of every type against Config/events.schema.json, by scripts/validate-events.
@Suite("The schema", .serialized)
struct SchemaTests {
    private static let checkout = URL(filePath: #filePath)
        .resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Runs the script over a text.
    ///
    /// - Returns: its exit status and what it printed.
    private func validate(_ text: String, _ options: String...) throws -> (status: Int32, output: String) {
        let folder = try TemporaryFolder()
        let file = try folder.file("events.jsonl", text)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = Self.checkout.appending(path: "scripts/validate-events").path
        process.arguments = ["python3", script] + options + [file]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 3 || process.terminationStatus == 127 {
            try Test.cancel("needs python3 with jsonschema: \(output)")
        }
        return (process.terminationStatus, output)
    }

    private func text(stable: Bool = false) throws -> String {
        try Samples.lines(stable: stable).map { $0.description + "\n" }.joined()
    }

    @Test("a run is valid in every type and field", arguments: [false, true])
    func samples(stable: Bool) throws {
        let (status, output) = try validate(text(stable: stable), "--strict")
        #expect(status == 0, "\(output)")
        #expect(output.hasSuffix("\(Samples.run.count) lines valid\n"))
    }

    @Test("lines for one connection are valid")
    func connection() throws {
        let factory = EventFactory(source: "door")
        let encoder = EventEncoder()
        let events: [Event.Payload] = [
            .gap(.delivery(reason: "slow_consumer", fromSeq: 2, toSeq: 4, lost: 3)),
            .gap(LostLines(.cursorUnknown).gap),
            .error(ErrorRecord(code: "slow_consumer", message: "the reader was too slow", retryable: true)),
            .error(ErrorRecord(code: "unknown_op", message: "no", retryable: false, requestID: .number(1))),
        ]
        var text = try events.map { try encoder.line(factory.makeUnnumbered($0)).description + "\n" }.joined()
        text += try Samples.connection.map { try encoder.line($0).description + "\n" }.joined()
        let (status, output) = try validate(text, "--strict", "--partial")
        #expect(status == 0, "\(output)")
    }

    @Test(
        "what breaks the contract is found",
        arguments: [
            (#""label":"happy""#, #""label":"bored""#, "bored"),
            (#""media_time_s":10,"#, #""media_time_s":NaN,"#, "NaN"),
            (#""media_time_s":0,"#, #""media_time_s":11,"#, "went back"),
            (#""detection_confidence":0.9731"#, #""detection_confidence":97.31"#, "maximum"),
            (#""left":0.41251"#, #""left":792"#, "bounding_box.left"),
            (#""rotation_deg":90"#, #""rotation_deg":45"#, "rotation_deg"),
            (#""schema":"facellm.events/1""#, #""schema":"facellm.events/2""#, "schema"),
            (#""seq":5,"#, #""seq":6,"#, "expected 5"),
            (#""seq":5,"#, "", "seq"),
            (#""source":"clip.mp4""#, #""source":"rtsp://user:secret@host/1""#, "source"),
            (#""track_id":"t2","type":"track.ended""#, #""track_id":"t1","type":"track.ended""#, "ended twice"),
            (#""track_id":"t2","type":"track.started""#, #""track_id":"t1","type":"track.started""#, "started twice"),
            (#""frames_sampled":4"#, #""frames_sampled":5"#, "frames_decoded (10) is not"),
            (#""events_published":14"#, #""events_published":13"#, "events_published"),
            (#""type":"run.summary""#, #""type":"run.summary","type":"run.summary""#, "twice"),
            (#""provenance":{"p1":"#, #""provenance":{"p2":"#, "p1"),
            (#""epoch":0"#, #""epoch":"0""#, "epoch"),
            (#""measures":{"#, #""measures":{"wink":1,"#, "wink"),
            (#""exit_reason":"complete""#, #""exit_reason":"bored""#, "exit_reason"),
            (#""type":"gap""#, #""type":"gulf""#, "gulf"),
            (#""yaw_deg":-12.51"#, #""yaw_deg":"-12.51""#, "yaw_deg"),
            (#""published_at":"2026-03-01T09:30:00.250Z""#, #""published_at":"2026-03-01 09:30""#, "published_at"),
        ]
    )
    func violations(good: String, bad: String, words: String) throws {
        var text = try text()
        let place = try #require(text.range(of: good), "\(good) is not in the samples")
        text.replaceSubrange(place, with: bad)
        let (status, output) = try validate(text, "--strict")
        #expect(status == 1)
        #expect(output.contains(words), "\(output)")
    }

    @Test("damage to the file as a whole is found")
    func wholeFile() throws {
        let lines = try Samples.lines().map(\.description)
        func file(_ lines: some Sequence<String>) -> String { lines.map { $0 + "\n" }.joined() }
        let cases = [
            (String(file(lines).dropLast()), "torn off"),
            (file(lines.dropLast()), "no run.summary"),
            ("", "no run.summary"),
            (file(lines + [lines[1]]), "after run.summary"), (file(lines[..<3] + lines[4...]), "expected 4"),
            (file(lines).replacing("{\"code\"", with: "{\r\n\"code\""), "CR LF"),
            (file([String(repeating: " ", count: 65_536) + lines[0]] + lines.dropFirst()), "are allowed"),
        ]
        for (text, words) in cases {
            let (status, output) = try validate(text)
            #expect(status == 1)
            #expect(output.contains(words), "\(output)")
        }
    }

    @Test("readers may meet fields that the schema does not name, and a file may hold several runs")
    func open() throws {
        let text = try text().replacing("{\"", with: "{\"zz_new\":[1],\"", maxReplacements: 1) + self.text()
        #expect(try validate(text).status == 0)
        let (status, output) = try validate(text, "--strict")
        #expect(status == 1 && output.contains("zz_new"), "\(output)")
    }
}
