internal import Events

/// The report: one HTML file that needs nothing besides itself, neither the network nor a script.
///
/// A small script filters the cards where scripts run; the policy in its head names that script by its hash, so that
/// nothing else in the file could run even if it got there.
package struct ReportPage: Sendable {
    /// A picture for a card.
    package struct Picture: Sendable, Hashable {
        package let jpeg: [UInt8]
        /// Seconds.
        package let time: Double

        package init(jpeg: [UInt8], time: Double) {
            self.jpeg = jpeg
            self.time = time
        }
    }

    /// Which track of a story a picture belongs to.
    package struct TrackKey: Sendable, Hashable {
        package let run: Int
        package let source: String?
        package let track: String

        package init(run: Int, source: String?, track: String) {
            self.run = run
            self.source = source
            self.track = track
        }
    }

    /// Cards in a page, the tracks that were on screen longest: more than that nobody scrolls through.
    package static let cardLimit = 400

    let story: ReportStory
    let counts: EventReading.Counts
    let pictures: [TrackKey: Picture]
    let cards: [TrackCard]
    /// Tracks without a card.
    let cardsLeftOut: Int

    /// - Parameter cardLimit: cards at most, the tracks that were on screen longest.
    package init(
        _ story: ReportStory,
        counts: EventReading.Counts,
        pictures: [TrackKey: Picture] = [:],
        cardLimit: Int = ReportPage.cardLimit
    ) {
        self.story = story
        self.counts = counts
        self.pictures = pictures
        var cards: [TrackCard] = []
        for (run, runStory) in story.runs.enumerated() {
            for (source, sourceStory) in runStory.sources.enumerated() {
                for track in sourceStory.tracks {
                    let key = TrackKey(run: run, source: sourceStory.name, track: track.id)
                    cards.append(
                        TrackCard(track: track, run: run, source: source, name: sourceStory.name, key: key)
                    )
                }
            }
        }
        cardsLeftOut = max(0, cards.count - max(0, cardLimit))
        if cardsLeftOut > 0 {
            let kept = cards.indices.sorted { cards[$0].track.duration > cards[$1].track.duration }.prefix(cardLimit)
            cards = kept.sorted().map { cards[$0] }
        }
        for index in cards.indices { cards[index].number = index + 1 }
        self.cards = cards
    }

    /// The bytes of the file.
    package var html: String {
        let page = HTML.element(
            "html",
            [.init("lang", "en")],
            [
                .element("head", head),
                .element(
                    "body",
                    [
                        .literal("<a class=\"skip\" href=\"#faces\">To the faces</a>"),
                        .element("div", [.class("page")], [top, timelines, faces, ledgers, happenings, reading, foot]),
                        .element("script", [.literal(Self.script)]),
                    ]
                ),
            ]
        )
        return "<!DOCTYPE html>\n\(page.markup)\n"
    }

    // MARK: - Head

    private var head: [HTML] {
        [
            .literal("<meta charset=\"utf-8\">"),
            .void(
                "meta",
                [
                    .init("http-equiv", "Content-Security-Policy"),
                    .init(
                        "content",
                        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '\(Self.scriptHash)';"
                            + " base-uri 'none'; form-action 'none'"
                    ),
                ]
            ),
            .literal("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"),
            .literal("<meta name=\"color-scheme\" content=\"light dark\">"),
            .literal("<meta name=\"referrer\" content=\"no-referrer\">"),
            .element("title", [.text("Faces in \(title)")]),
            .element("style", [.literal(Self.style)]),
        ]
    }

    private var title: String {
        let names = story.sourceNames
        return switch names.count {
        case 0: "no source"
        case 1, 2: names.joined(separator: " and ")
        default: "\(names.count) sources"
        }
    }

    // MARK: - Summary

    private var top: HTML {
        .element(
            "header",
            [.class("top")],
            [
                .element("p", [.class("kicker")], [.text("Face report")]),
                .element("h1", [.foreign(title)]),
                .element("p", [.class("lede")], [.text(lede)]),
                .element("dl", [.class("tiles")], tiles.map(Self.tile)),
            ] + notices
        )
    }

    private static func tile(_ figure: (name: String, value: String)) -> HTML {
        .element(
            "div",
            [.element("dt", [.text(figure.name)]), .element("dd", [.text(figure.value)])]
        )
    }

    private var sources: [SourceStory] { story.runs.flatMap(\.sources) }

    private var lede: String {
        guard !story.runs.isEmpty else { return "The file holds no events." }
        let count = story.tracks
        guard count > 0 else { return "No face was seen." }
        let sentence = "\(Figures.count(count, "face was", "faces were")) followed"
        guard let extent = sources.compactMap(\.extent).map({ $0.upperBound - $0.lowerBound }).max(), extent > 0 else {
            return sentence + "."
        }
        let preposition = sources.count { !$0.tracks.isEmpty } > 1 ? ", over at most" : " over"
        return "\(sentence)\(preposition) \(Figures.duration(extent))."
    }

    private var tiles: [(name: String, value: String)] {
        let tracks = sources.flatMap(\.tracks)
        var tiles: [(name: String, value: String)] = [("Tracks", Figures.whole(tracks.count))]
        let observations = tracks.reduce(0) { $0 + max(0, min($1.observations, 1 << 40)) }
        tiles.append(("Observations", Figures.whole(observations)))
        let seconds = tracks.reduce(0) { $0 + $1.duration }
        tiles.append(("Time on screen", Figures.duration(seconds)))
        let answers = tracks.reduce(0) { $0 + ($1.analyses[.ok] ?? 0) + ($1.analyses[.partial] ?? 0) }
        if answers > 0 { tiles.append(("Model answers", Figures.whole(answers))) }
        if story.runs.count > 1 { tiles.append(("Runs", Figures.whole(story.runs.count))) }
        if story.sourceNames.count > 1 { tiles.append(("Sources", Figures.whole(story.sourceNames.count))) }
        let elapsed = story.runs.compactMap { $0.summary?.elapsedSeconds }.reduce(0, +)
        if elapsed > 0 { tiles.append(("Took", Figures.duration(elapsed))) }
        return tiles
    }

    /// What a reader has to know before believing the figures.
    private var notices: [HTML] {
        var words: [String] = []
        if counts.damaged > 0 {
            words.append(
                "\(Figures.count(counts.damaged, "line")) of the file could not be read\(counts.isCut ? "; the last one is cut off" : "")."
            )
        }
        if counts.unknownLines > 0 {
            words.append("\(Figures.count(counts.unknownLines, "event is", "events are")) of a type unknown here.")
        }
        let missing = story.runs.reduce(0) { $0.addingReportingOverflow($1.missing).partialValue }
        if missing > 0 {
            words.append("\(Figures.count(missing, "event is", "events are")) missing between those in the file.")
        }
        for (index, run) in story.runs.enumerated() {
            let name = story.runs.count > 1 ? "Run \(index + 1)" : "The run"
            if let summary = run.summary, !summary.complete {
                words.append("\(name) did not reach the end of its input (\(Self.words(summary.exitReason.rawValue))).")
            }
        }
        guard !words.isEmpty else { return [] }
        return [
            .element(
                "ul",
                [.class("notices"), .init("role", "note")],
                words.map { .element("li", [.text($0)]) }
            )
        ]
    }

    /// A word of the schema as people write it.
    static func words(_ name: String) -> String {
        String(name.map { $0 == "_" ? " " : $0 })
    }

    // MARK: - Faces

    private var faces: HTML {
        var children: [HTML] = [.literal("<h2 id=\"faces\">Faces</h2>")]
        if cards.isEmpty {
            children.append(.element("p", [.class("quiet")], [.text("There are none in this file.")]))
        } else {
            children.append(filters)
        }
        if cardsLeftOut > 0 {
            children.append(
                .element(
                    "p",
                    [.class("quiet")],
                    [
                        .text(
                            "These are the \(Figures.whole(cards.count)) that were on screen longest; "
                                + "\(Figures.whole(cardsLeftOut)) more are in the tables that --csv writes."
                        )
                    ]
                )
            )
        }
        children.append(.element("div", [.class("cards")], cards.map { $0.html(pictures[$0.key], among: story) }))
        return .element("section", [.init("aria-labelledby", "faces")], children)
    }

    /// Hidden until the script that makes it work shows it.
    private var filters: HTML {
        var fields: [HTML] = [
            .literal(
                "<label>Text <input id=\"f-text\" type=\"search\" autocomplete=\"off\" placeholder=\"id, word, value\"></label>"
            )
        ]
        let names = story.sourceNames
        if names.count > 1 {
            fields.append(
                Self.select(
                    "Source",
                    id: "f-source",
                    names.map { name in (name, name) }
                )
            )
        }
        let labels = ExpressionLabel.allCases.filter { label in cards.contains { $0.track.dominantExpression == label }
        }
        if labels.count > 1 {
            fields.append(Self.select("Mostly", id: "f-expression", labels.map { ($0.rawValue, $0.rawValue) }))
        }
        fields.append(
            .literal(
                "<label>At least <input id=\"f-seconds\" type=\"number\" min=\"0\" step=\"0.5\" inputmode=\"decimal\" placeholder=\"0\"> s</label>"
            )
        )
        fields.append(.literal("<output id=\"f-count\" aria-live=\"polite\"></output>"))
        return .element(
            "form",
            [.init("id", "filters"), .class("filters"), .init("role", "search"), .init("hidden")],
            fields
        )
    }

    private static func select(_ name: String, id: String, _ options: [(value: String, text: String)]) -> HTML {
        .element(
            "label",
            [
                .text("\(name) "),
                .element(
                    "select",
                    [.init("id", id)],
                    [.literal("<option value=\"\">any</option>")]
                        + options.map { .element("option", [.init("value", $0.value)], [.text($0.text)]) }
                ),
            ]
        )
    }

    // MARK: - Foot

    private var foot: HTML {
        .literal(
            """
            <footer><p>Expressions are what a face shows, not what a person feels. Age and gender are how a face looks \
            to a classifier, and no statement on the person. Confidences of different methods do not compare. Pose: yaw \
            above 0 turns towards the right edge of the picture, pitch above 0 looks up, roll above 0 tilts clockwise.</p>\
            </footer>
            """
        )
    }
}
