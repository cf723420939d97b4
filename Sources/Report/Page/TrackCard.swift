internal import Events

/// One face while it was there, on a card.
struct TrackCard: Sendable {
    let track: TrackStory
    /// Positions in the story.
    let run: Int
    let source: Int
    let name: String?
    let key: ReportPage.TrackKey
    /// From 1, over the whole page: what links go by, since names of a file never become part of one.
    var number = 0

    var anchor: String { "face-\(number)" }

    func html(_ picture: ReportPage.Picture?, among story: ReportStory) -> HTML {
        var attributes: [HTML.Attribute] = [
            .class("card"), .init("id", anchor), .init("data-source", name ?? ""),
            .init("data-seconds", Figures.decimal(track.duration, 3)),
        ]
        if let label = track.dominantExpression { attributes.append(.init("data-expression", label.rawValue)) }
        var side: [HTML] = []
        if let picture { side.append(figure(picture)) }
        if !track.poses.isEmpty { side.append(PosePlot(track: track).html) }
        var main = [ribbon, sentences, readings].compactMap(\.self)
        if main.isEmpty { main = [.element("p", [.class("quiet")], [.text("Nothing was read off this face.")])] }
        return .element(
            "article",
            attributes,
            [
                head(among: story),
                .element(
                    "div",
                    [side.isEmpty ? .class("body") : .class("body has-side")],
                    (side.isEmpty ? [] : [.element("div", [.class("side")], side)])
                        + [.element("div", [.class("main")], main)]
                ),
            ]
        )
    }

    // MARK: - Head

    private func head(among story: ReportStory) -> HTML {
        var facts: [HTML] = []
        if story.sourceNames.count > 1, let name { facts.append(.element("span", [.foreign(name)])) }
        if story.runs.count > 1 { facts.append(.element("span", [.text("run \(run + 1)")])) }
        facts.append(
            .element("span", [.text("\(Figures.clock(track.firstTime)) – \(Figures.clock(track.lastTime))")])
        )
        facts.append(.element("span", [.text(Figures.duration(track.duration))]))
        facts.append(.element("span", [.text(Figures.count(track.observations, "observation"))]))
        facts.append(.element("span", [.text(ending)]))
        return .element(
            "header",
            [.element("h3", [.foreign(track.id)]), .element("p", [.class("facts")], facts)]
        )
    }

    private var ending: String {
        switch track.end?.reason {
        case .left: "left"
        case .endOfStream: "there at the end"
        case .epoch: "until the timeline broke"
        case .sceneCut: "until the scene cut"
        case .interrupted: "until the run was stopped"
        case nil: "its end is not in the file"
        }
    }

    private func figure(_ picture: ReportPage.Picture) -> HTML {
        .element(
            "figure",
            [.class("shot")],
            [
                .void(
                    "img",
                    [
                        .init("src", "data:image/jpeg;base64,\(Base64.encode(picture.jpeg))"),
                        .init("alt", "\(track.id) at \(Figures.clock(picture.time))"),
                        .init("loading", "lazy"), .init("width", "192"), .init("height", "192"),
                    ]
                ),
                .element("figcaption", [.text("at \(Figures.clock(picture.time))")]),
            ]
        )
    }

    // MARK: - Expression

    private var ribbon: HTML? {
        let spans = track.ribbon, shares = track.shares
        guard !spans.isEmpty || !shares.isEmpty else { return nil }
        let words = shares.map { "\($0.label.rawValue) \(Figures.percent($0.share))" }.joined(separator: ", ")
        var children: [HTML] = [.element("h4", [.text("Expression")])]
        if !spans.isEmpty {
            children.append(
                .element(
                    "div",
                    [.class("ribbon"), .init("role", "img"), .init("aria-label", "Expression over time: \(words)")],
                    Ribbon.segments(spans, in: track.firstTime...max(track.firstTime, track.lastTime))
                        + track.analysisTimes.map { time in
                            .element(
                                "i",
                                [
                                    .class("answer"), .left((time - track.firstTime) / max(track.duration, 1e-9)),
                                    .init("title", "model answered for \(Figures.clock(time))"),
                                ],
                                []
                            )
                        }
                )
            )
            children.append(
                .element(
                    "p",
                    [.class("ends"), .init("aria-hidden", "true")],
                    [
                        .element("span", [.text(Figures.clock(track.firstTime))]),
                        .element("span", [.text(Figures.clock(track.lastTime))]),
                    ]
                )
            )
        }
        children.append(
            .element(
                "ul",
                [.class("shares")],
                shares.map { share in
                    .element(
                        "li",
                        [
                            Ribbon.swatch(share.label), .text("\(share.label.rawValue) "),
                            .element("b", [.text(Figures.percent(share.share))]),
                        ]
                    )
                }
            )
        )
        return .element("section", children)
    }

    // MARK: - Words

    private var sentences: HTML? {
        guard !track.sentences.isEmpty else { return nil }
        // What was said of the whole track tells most in one line.
        let whole = track.sentences.filter { $0.time == nil }
        let moments = track.sentences.filter { $0.time != nil }
        var children: [HTML] = [.element("h4", [.text("In words")])]
        children += whole.map { .element("p", [.class("whole")], [.foreign($0.text)]) }
        let items = moments.map(Self.item)
        // The answers of a model are few and worth seeing; what templates say of every change can wait.
        let isLong = moments.count > 4
        if !items.isEmpty {
            let list = HTML.element("ol", [.class("sentences")], items)
            children.append(
                isLong
                    ? .element(
                        "details",
                        [.element("summary", [.text(Figures.count(moments.count, "sentence"))]), list]
                    ) : list
            )
        }
        if track.sentencesLeftOut > 0 {
            children.append(
                .element("p", [.class("quiet")], [.text("and \(Figures.whole(track.sentencesLeftOut)) more")])
            )
        }
        return .element("section", children)
    }

    private static func item(_ sentence: TrackStory.Sentence) -> HTML {
        var parts: [HTML] = []
        if let time = sentence.time { parts.append(.element("time", [.text(Figures.clock(time))])) }
        var words: [HTML] = [.foreign(sentence.text)]
        if sentence.method == .vlm { words.append(.element("span", [.class("method")], [.text("model")])) }
        if let question = sentence.question {
            words.append(.element("span", [.class("question")], [.foreign(question)]))
        }
        parts.append(.element("span", words))
        return .element("li", parts)
    }

    // MARK: - Attributes

    private var readings: HTML? {
        let attributes = track.attributes
        guard !attributes.isEmpty else { return nil }
        let head = HTML.literal(
            "<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Value</th><th scope=\"col\">Confidence</th><th scope=\"col\">Method</th></tr></thead>"
        )
        return .element(
            "section",
            [
                .element("h4", [.text("Attributes")]),
                .element(
                    "div",
                    [.class("scroll")],
                    [
                        .element(
                            "table",
                            [.init("aria-label", "Attributes of \(track.id)")],
                            [head, .element("tbody", attributes.map(Self.row))]
                        )
                    ]
                ),
            ]
        )
    }

    private static func row(_ attribute: TrackStory.Attribute) -> HTML {
        let record = attribute.record
        var value: [HTML] =
            switch record.value {
            case .text(let text): [.foreign(ReportPage.words(text))]
            case .number(let number): [.text(Figures.decimal(number, 1))]
            }
        if let note = record.note {
            value.append(.element("span", [.class("note")], [.foreign(ReportPage.words(note))]))
        }
        var method = record.method == .vlm ? "model" : record.method.rawValue
        if let time = attribute.time { method += " at \(Figures.clock(time))" }
        let confidence = record.confidence.map { confidence in
            HTML.element(
                "span",
                [.init("title", ReportPage.words(record.confidenceKind.rawValue))],
                [.text(Figures.percent(confidence))]
            )
        }
        return .element(
            "tr",
            [
                .element("th", [.init("scope", "row")], [.foreign(ReportPage.words(attribute.name.rawValue))]),
                .element("td", value),
                .element("td", [confidence ?? .literal("<span class=\"quiet\">–</span>")]),
                .element("td", [.text(method)]),
            ]
        )
    }
}
