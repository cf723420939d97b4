internal import Events

/// Where every frame, face and line went.
extension ReportPage {
    var ledgers: HTML {
        var parts: [HTML] = [.literal("<h2 id=\"ledger\">Ledger</h2>")]
        guard !story.runs.isEmpty else { return .empty }
        for (index, run) in story.runs.enumerated() {
            if story.runs.count > 1 {
                parts.append(.element("h3", [.class("group")], [.text("Run \(index + 1)")]))
            }
            parts.append(Self.head(run))
            guard let summary = run.summary else {
                parts.append(
                    .element(
                        "p",
                        [.class("quiet")],
                        [.text("The file does not have the last line of this run, which carries its ledger.")]
                    )
                )
                continue
            }
            parts.append(Self.equations(summary.ledger))
            parts.append(Self.provenance(summary.provenance))
        }
        return .element("section", [.init("aria-labelledby", "ledger")], parts)
    }

    private static func head(_ run: RunStory) -> HTML {
        var rows: [(String, HTML)] = []
        if let first = run.firstTime, let last = run.lastTime {
            rows.append(("Time", .text(first == last ? "\(first)" : "\(first) – \(last)")))
        }
        if let id = run.instanceID { rows.append(("Instance", .foreign(id))) }
        rows.append(("Events", .text(Figures.whole(run.events))))
        if run.missing > 0 { rows.append(("Missing", .text(Figures.whole(run.missing)))) }
        if let summary = run.summary {
            rows.append(
                (
                    "Ended",
                    .text(
                        "\(words(summary.exitReason.rawValue)), \(summary.complete ? "read to the end" : "not read to the end")"
                    )
                )
            )
        }
        return .element(
            "dl",
            [.class("pairs")],
            rows.map { .element("div", [.element("dt", [.text($0.0)]), .element("dd", [$0.1])]) }
        )
    }

    /// The equations of the ledger as sums, each with what it comes to.
    private static func equations(_ ledger: Ledger) -> HTML {
        let sums: [(String, Int, [(String, Int)])] = [
            (
                "frames decoded", ledger.framesDecoded,
                [("searched for faces", ledger.framesSampled), ("passed over", ledger.framesUnsampled)]
            ),
            (
                "faces observed", ledger.facesObserved,
                [
                    ("analysed", ledger.facesAnalysed), ("an earlier answer stands", ledger.facesReused),
                    ("too small, blurred or turned", ledger.facesRejectedQuality),
                    ("dropped, too much to do", ledger.facesDroppedOverload), ("failed", ledger.facesFailed),
                    ("waiting", ledger.facesPending),
                ]
            ),
            (
                "pictures for the model", ledger.cropsQueued,
                [
                    ("described", ledger.cropsDescribed), ("replaced by better ones", ledger.cropsReplaced),
                    ("expired", ledger.cropsExpired), ("dropped", ledger.cropsDroppedOverload),
                    ("failed", ledger.cropsFailed), ("waiting", ledger.cropsPending),
                ]
            ),
            ("tracks started", ledger.tracksStarted, [("ended", ledger.tracksEnded)]),
        ]
        let rows = sums.map { name, total, parts in
            HTML.element(
                "tr",
                [
                    .element("th", [.init("scope", "row")], [.text(name)]),
                    .element("td", [.class("number")], [.text(Figures.whole(total))]),
                    .element(
                        "td",
                        [
                            .element(
                                "ul",
                                [.class("parts")],
                                parts.filter { $0.1 != 0 }.map { part in
                                    .element(
                                        "li",
                                        [.element("b", [.text(Figures.whole(part.1))]), .text(" \(part.0)")]
                                    )
                                }
                            )
                        ]
                    ),
                ]
            )
        }
        let others: [(String, Int)] = [
            ("skipped undecoded", ledger.framesSkipped), ("damaged", ledger.framesCorrupt),
            ("events published", ledger.eventsPublished),
        ]
        let rest = others.map { "\($0.0) \(Figures.whole($0.1))" }.joined(separator: " · ")
        let violations = ledger.violations(atEnd: true)
        let verdict: HTML =
            violations.isEmpty
            ? .element("p", [.class("good")], [.text("The sums add up.")])
            : .element("ul", [.class("notices")], violations.map { .element("li", [.text(words($0))]) })
        return .element(
            "div",
            [
                .element(
                    "div",
                    [.class("scroll")],
                    [
                        .element(
                            "table",
                            [.class("ledger"), .init("aria-label", "Where every frame and face went")],
                            [.element("tbody", rows)]
                        )
                    ]
                ),
                .element("p", [.class("quiet")], [.text("Besides: \(rest).")]),
                verdict,
            ]
        )
    }

    private static func provenance(_ table: [String: Provenance]) -> HTML {
        guard !table.isEmpty else { return .empty }
        let entries = table.sorted { $0.key < $1.key }.map { id, entry in
            var lines: [String] = []
            if let model = entry.model { lines.append("model \(model)") }
            if let precision = entry.precision { lines.append(precision) }
            if let detector = entry.detector { lines.append("detector \(detector)") }
            for (name, network) in (entry.networks ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("\(words(name)) \(network.name)")
            }
            for (name, version) in entry.versions.sorted(by: { $0.key < $1.key }) { lines.append("\(name) \(version)") }
            return HTML.element(
                "div",
                [.element("dt", [.foreign(id)]), .element("dd", [.foreign(lines.joined(separator: " · "))])]
            )
        }
        return .element(
            "details",
            [
                .element("summary", [.text("What made the values")]),
                .element("dl", [.class("pairs")], entries),
            ]
        )
    }

    // MARK: - The source itself

    var happenings: HTML {
        let sources = story.runs.enumerated().flatMap { run, story in story.sources.map { (run, $0) } }
            .filter { !$0.1.happenings.isEmpty }
        guard !sources.isEmpty else { return .empty }
        var parts: [HTML] = [.literal("<h2 id=\"sources\">Sources</h2>")]
        for (run, source) in sources {
            if sources.count > 1 {
                let name = story.runs.count > 1 ? " · run \(run + 1)" : ""
                parts.append(
                    .element("h3", [.class("group")], [.foreign(source.name ?? "without a source"), .text(name)])
                )
            }
            parts.append(.element("ol", [.class("story")], source.happenings.map(Self.item)))
            if source.happeningsLeftOut > 0 {
                parts.append(
                    .element("p", [.class("quiet")], [.text("and \(Figures.whole(source.happeningsLeftOut)) more")])
                )
            }
        }
        return .element("section", [.init("aria-labelledby", "sources")], parts)
    }

    private static func item(_ happening: SourceStory.Happening) -> HTML {
        let mark: HTML.Attribute =
            switch happening.kind {
            case .status: .class("status")
            case .gap: .class("gap")
            case .error: .class("error")
            }
        var parts: [HTML] = []
        if let time = happening.time { parts.append(.element("time", [.text(time.description)])) }
        parts.append(
            .element(
                "span",
                [.element("b", [mark], [.text(happening.kind.rawValue)]), .text(" "), .foreign(happening.words)]
            )
        )
        return .element("li", parts)
    }

    // MARK: - The file

    /// What of the file could not be told, line by line.
    var reading: HTML {
        guard counts.damaged + counts.unknownLines + counts.connection > 0 else { return .empty }
        var items: [HTML] = counts.examples.map {
            .element("li", [.text("line \(Figures.whole($0.line)): "), .foreign($0.reason)])
        }
        if counts.damaged > counts.examples.count {
            items.append(
                .element("li", [.text("\(Figures.count(counts.damaged - counts.examples.count, "damaged line")) more")])
            )
        }
        items += counts.unknown.sorted { $0.key < $1.key }.map { name, count in
            .element("li", [.text("\(Figures.whole(count)) of the unknown type "), .foreign(name)])
        }
        if counts.connection > 0 {
            items.append(
                .element("li", [.text("\(Figures.count(counts.connection, "line")) for one connection, passed over")])
            )
        }
        return .element(
            "section",
            [.init("aria-labelledby", "file")],
            [
                .literal("<h2 id=\"file\">The file</h2>"),
                .element(
                    "p",
                    [
                        .text(
                            "\(Figures.count(counts.lines, "line")): \(Figures.count(counts.events, "event")), "
                                + "\(Figures.whole(counts.damaged)) damaged, "
                                + "\(Figures.whole(counts.unknownLines)) of unknown types."
                        )
                    ]
                ),
                .element("ul", [.class("plain")], items),
            ]
        )
    }
}
