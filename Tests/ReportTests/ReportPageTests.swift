import Events
import Foundation
import Imaging
import Testing

@testable import Report

@Suite("The page")
struct ReportPageTests {
    private static let evil = "<script>alert('x')</script>\" onload=\"alert(1)'&amp;\u{202E}"

    @Test("what a source, an attribute, a sentence, a track and a reason contain is shown as text")
    func injection() throws {
        let evil = Self.evil
        var lines = Lines(source: evil)
        let own = try #require(AttributeName(rawValue: "mood"))
        try lines.addFace(
            evil,
            at: [0, 1],
            text: evil,
            attributes: [own: AttributeRecord(evil, method: .vlm, note: evil)]
        )
        lines.add(.error(ErrorRecord(code: evil, message: evil, retryable: false)))
        lines.add(.sourceStatus(SourceStatus(status: .failed, reason: evil)))
        lines.add(.gap(.media(reason: evil)))
        let analysis = FaceAnalysis(
            trackID: evil,
            frame: try Lines.frame(1),
            face: try Lines.face(),
            description: DescriptionRecord(text: evil + "2", method: .vlm, question: evil),
            analysis: AnalysisRecord(status: .ok)
        )
        lines.add(.faceAnalysis(analysis))
        var other = lines
        try other.addFace("t2", at: [0, 1], source: "<b>second")
        var counts = EventReading.Counts()
        counts.unknown = [evil: 1]
        let page = ReportPage(other.story, counts: counts).html
        // One script, one style, and no handler: all that could run or load is ours.
        #expect(page.components(separatedBy: "<script").count == 2)
        #expect(page.components(separatedBy: "</script").count == 2)
        #expect(!page.contains("<script>alert") && !page.contains("<b>second"))
        #expect(!page.contains("\" onload=\""))
        #expect(page.components(separatedBy: "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=").count > 8)
    }

    @Test("markup is well-formed: every element that opens closes in order")
    func balanced() throws {
        var lines = Lines(source: Self.evil)
        try lines.addFace("t1", at: [0, 1, 2], observes: true)
        lines.addSummary()
        let page = lines.page
        var open: [Substring] = []
        let void: Set<Substring> = ["meta", "img", "input", "rect", "path", "!DOCTYPE"]
        var rest = page[...]
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "!" }
            if name.hasPrefix("/") {
                if void.contains(name.dropFirst()) { continue }
                #expect(open.popLast() == name.dropFirst())
            } else if !void.contains(name) {
                open.append(name)
                // A script's text is no markup.
                if name == "script", let end = rest.range(of: "</script") { rest = rest[end.lowerBound...] }
            }
        }
        #expect(open.isEmpty)
    }

    @Test("nothing is loaded from anywhere, and the policy allows this script alone")
    func offline() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 1])
        let page = lines.page
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("//"))
        #expect(!page.contains("@import") && !page.contains("url("))
        let hasher = SHA256()
        hasher.update(Array(ReportPage.script.description.utf8))
        #expect(ReportPage.scriptHash == "sha256-" + Data(hasher.digest()).base64EncodedString())
        #expect(page.contains("script-src &#39;\(ReportPage.scriptHash)&#39;"))
        #expect(page.contains("<script>\(ReportPage.script)</script>"))
    }

    @Test("a file without events says so")
    func empty() {
        let page = ReportPage(ReportStory(), counts: EventReading.Counts()).html
        #expect(page.contains("The file holds no events."))
        #expect(page.contains("There are none in this file."))
    }

    @Test("runs and sources are told apart, also where tracks have the same names")
    func several() throws {
        var first = Lines(source: "door", instance: "run-a")
        try first.addFace("t1", at: [0, 1])
        try first.addFace("t1", at: [5, 9], source: "yard")
        var second = Lines(source: "door", instance: "run-b")
        try second.addFace("t1", at: [2, 3])
        var story = ReportStory()
        // As a journal that two instances wrote to in turn.
        for event in zip(first.events, second.events).flatMap({ [$0, $1] })
            + first.events.dropFirst(second.events.count)
        { story.see(event) }
        #expect(story.runs.count == 2)
        #expect(story.tracks == 3)
        #expect(story.sourceNames == ["door", "yard"])
        #expect(story.runs[0].missing == 0)
        let page = ReportPage(story, counts: EventReading.Counts())
        #expect(page.cards.map(\.track.duration) == [1, 4, 1])
        #expect(page.html.contains("run 2") && page.html.contains("id=\"face-3\""))
    }

    @Test("stable lines name no instance: numbers that begin anew begin a run")
    func stable() throws {
        var story = ReportStory()
        for _ in 0..<2 {
            var lines = Lines(stable: true)
            try lines.addFace("t1", at: [0, 1])
            for event in lines.events { story.see(event) }
        }
        #expect(story.runs.count == 2 && story.tracks == 2)
    }

    @Test("lines that the file lacks are counted")
    func missing() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 1, 2, 3])
        var story = ReportStory()
        for (index, event) in lines.events.enumerated() where index != 1 && index != 2 { story.see(event) }
        #expect(story.runs[0].missing == 2)
        #expect(ReportPage(story, counts: EventReading.Counts()).html.contains("2 events are missing"))
    }

    @Test("a track whose end is not in the file has shares from what is")
    func open() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 3], label: .sad)
        var story = ReportStory()
        for event in lines.events.dropLast() { story.see(event) }
        let track = try #require(story.runs.first?.sources.first?.tracks.first)
        #expect(track.end == nil && track.duration == 3)
        #expect(track.shares.map(\.label) == [.sad] && track.shares.map(\.share) == [1])
    }

    @Test("more tracks than cards: those that were there longest have one, and the rest is told")
    func limit() throws {
        var lines = Lines()
        for number in 1...5 { try lines.addFace("t\(number)", at: [0, Double(number)]) }
        let page = ReportPage(lines.story, counts: EventReading.Counts(), cardLimit: 2)
        #expect(page.cards.map(\.track.id) == ["t4", "t5"])
        #expect(page.html.contains("3 more are in the tables"))
    }

    @Test("a picture is in the page itself")
    func picture() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 1])
        let key = ReportPage.TrackKey(run: 0, source: "party.mp4", track: "t1")
        let page = ReportPage(
            lines.story,
            counts: EventReading.Counts(),
            pictures: [key: ReportPage.Picture(jpeg: [1, 2, 3], time: 0.5)]
        ).html
        #expect(page.contains("src=\"data:image/jpeg;base64,AQID\""))
        #expect(!lines.page.contains("<img"))
    }

    @Test("a long track takes bounded room")
    func bounded() throws {
        var lines = Lines()
        try lines.addFace("t1", at: (0..<20_000).map { Double($0) / 10 }, observes: true)
        #expect(lines.page.utf8.count < 100_000)
        let track = try #require(lines.story.runs.first?.sources.first?.tracks.first)
        #expect(track.poses.count > 100 && track.poses.count <= 300)
    }
}

@Suite("Figures")
struct FiguresTests {
    @Test(
        "numbers without exponents and needless zeros",
        arguments: [(0.00001, 3, "0"), (-0.0004, 3, "0"), (12.5, 2, "12.5"), (-3.14159, 2, "-3.14"), (100, 2, "100")]
    )
    func decimal(value: Double, places: Int, text: String) {
        #expect(Figures.decimal(value, places) == text)
    }

    @Test("what is no number is a dash", arguments: [Double.nan, .infinity, 1e300])
    func noNumber(value: Double) {
        #expect(Figures.decimal(value, 2) == "–")
        #expect(Figures.clock(value) == "–")
    }

    @Test(
        "places in a video",
        arguments: [(0, "0:00.0"), (59.96, "1:00.0"), (3661.25, "1:01:01.3"), (-0.5, "−0:00.5")]
    )
    func clock(seconds: Double, text: String) {
        #expect(Figures.clock(seconds) == text)
    }

    @Test("ticks lie within the axis, at most seven of them", arguments: [0.4, 3, 8, 59, 61, 3600, 86_000, 1e7])
    func ticks(length: Double) {
        let ticks = Axis.ticks(in: 2...2 + length)
        #expect(!ticks.isEmpty && ticks.count <= 7)
        #expect(ticks.allSatisfy { $0 >= 2 && $0 <= 2 + length })
        #expect(ticks == ticks.sorted())
    }

    @Test("a thinned series keeps its first element and is spread evenly")
    func thinned() {
        var series = Thinned<Int>(capacity: 10)
        for number in 0..<1000 { series.append(number) }
        #expect(series.count == 1000)
        #expect(series.elements.count > 4 && series.elements.count <= 10)
        let steps = zip(series.elements, series.elements.dropFirst()).map { $1 - $0 }
        #expect(series.elements.first == 0 && Set(steps).count == 1)
    }
}
