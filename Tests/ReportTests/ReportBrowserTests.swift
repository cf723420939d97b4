import Events
import Foundation
import Report
import TestSupport
import Testing

/// The page in a real browser, opened from a file without a network.
@Suite("The page in Chromium", .serialized, .needsChromium, .timeLimit(.minutes(6)))
struct ReportBrowserTests {
    private struct Expectation: Encodable {
        var cards: Int
        var sources = 1
        var labels = 1
        var shots = 0
        var evil = false
    }

    private func look(at page: String, _ expectation: Expectation) async throws {
        let folder = try TemporaryFolder()
        // A name that a URL has to escape.
        let file = try folder.file("report #1 ü.html", page)
        let wanted = String(decoding: try JSONEncoder().encode(expectation), as: UTF8.self)
        try await BrowserScript.run("Tests/ReportTests/Browser/report.py", [file, wanted], seconds: 170)
    }

    @Test("cards, timeline, ribbons and poses are drawn; fields, keyboard, 360 pixels, both schemes, no script")
    func page() async throws {
        var lines = Lines(source: "door")
        let labels: [ExpressionLabel] = [
            .happy, .neutral, .sad, .surprised, .fearful, .disgusted, .angry, .contemptuous,
        ]
        // More than fit on a screen, so that the timeline scrolls in itself.
        for number in 1...32 {
            try lines.addFace(
                "t\(number)",
                at: (0...number % 5 + 8).map { Double(number) + Double($0) / 4 },
                label: labels[number % labels.count],
                text: "Face number \(number).",
                attributes: [.eyes: AttributeRecord("open", method: .classifier)],
                observes: true,
                source: number.isMultiple(of: 2) ? "door" : "yard"
            )
        }
        lines.addSummary()
        try await look(at: lines.page, Expectation(cards: 32, sources: 2, labels: labels.count))
    }

    @Test("markup in every name, value, sentence, reason and message is shown as words")
    func injection() async throws {
        let evil = Self.evil
        var lines = Lines(source: evil)
        let own = try #require(AttributeName(rawValue: "mood"))
        for (id, source) in [(evil, evil), ("t2", "second \(evil)")] {
            try lines.addFace(
                id,
                at: id == evil ? [0, 1, 2] : [0, 1],
                label: id == evil ? .happy : .sad,
                text: evil,
                attributes: [own: AttributeRecord(evil, method: .vlm, note: evil)],
                observes: true,
                source: source
            )
        }
        lines.add(
            .faceAnalysis(
                FaceAnalysis(
                    trackID: evil,
                    frame: try Lines.frame(1),
                    face: try Lines.face(),
                    description: DescriptionRecord(text: "\(evil) 2", method: .vlm, question: evil),
                    analysis: AnalysisRecord(status: .ok, reason: evil)
                )
            )
        )
        lines.add(.error(ErrorRecord(code: evil, message: evil, retryable: false)))
        lines.add(.sourceStatus(SourceStatus(status: .failed, reason: evil)))
        lines.add(.gap(.media(reason: evil)))
        lines.addSummary()
        var counts = EventReading.Counts()
        counts.unknown = [evil: 1]
        let page = ReportPage(lines.story, counts: counts).html
        try await look(at: page, Expectation(cards: 2, sources: 2, labels: 2, evil: true))
    }

    /// `EVIL` of Browser/checks.py.
    private static let evil =
        #"<img src=x onerror="document.title='owned'"><b>"bold"</b> & 'quoted' </script><script>alert(2)</script>"#
        + "<svg onload=alert(3)>\u{2028}\u{1b}[31mred\u{1b}]0;owned\u{07}\u{202e}txt.exe"
}
