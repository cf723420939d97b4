internal import Events

/// When each face was on screen: a row a track, one picture a source.
extension ReportPage {
    var timelines: HTML {
        var parts: [HTML] = [.literal("<h2 id=\"on-screen\">On screen</h2>")]
        guard !cards.isEmpty else { return .empty }
        parts.append(legend)
        var groups: [(run: Int, source: Int, cards: [TrackCard])] = []
        for card in cards {
            if let last = groups.indices.last, groups[last].run == card.run, groups[last].source == card.source {
                groups[last].cards.append(card)
            } else {
                groups.append((card.run, card.source, [card]))
            }
        }
        for group in groups {
            let source = story.runs[group.run].sources[group.source]
            guard let extent = source.extent else { continue }
            if groups.count > 1 { parts.append(heading(source, run: group.run)) }
            parts.append(Self.timeline(group.cards, extent: extent))
        }
        return .element("section", [.init("aria-labelledby", "on-screen")], parts)
    }

    private func heading(_ source: SourceStory, run: Int) -> HTML {
        var words: [HTML] = [.foreign(source.name ?? "without a source")]
        if story.runs.count > 1 {
            var text = "run \(run + 1)"
            if let time = story.runs[run].firstTime { text += ", \(time)" }
            words.append(.element("span", [.class("quiet")], [.text(text)]))
        }
        return .element("h3", [.class("group")], words)
    }

    private var legend: HTML {
        let shown = Set(cards.flatMap { $0.track.ribbon.map(\.label) })
        let labels = ExpressionLabel.allCases.filter(shown.contains)
        return .element(
            "ul",
            [.class("shares legend"), .init("aria-label", "Colours of expressions")],
            labels.map { .element("li", [Ribbon.swatch($0), .text($0.rawValue)]) }
                + [.element("li", [Ribbon.unknownSwatch, .text("not told")])]
        )
    }

    private static func timeline(_ cards: [TrackCard], extent: ClosedRange<Double>) -> HTML {
        let length = max(extent.upperBound - extent.lowerBound, 1e-9)
        func share(_ time: Double) -> Double { (time - extent.lowerBound) / length }
        let ticks = Axis.ticks(in: extent)
        let axis = HTML.element(
            "div",
            [.class("axis"), .init("aria-hidden", "true")],
            ticks.map {
                .element("span", [.left(share($0))], [.text(Figures.clock($0, decimals: length < 10 ? 1 : 0))])
            }
        )
        let grid = HTML.element(
            "div",
            [.class("gridlines"), .init("aria-hidden", "true")],
            ticks.map { .element("i", [.left(share($0))], []) }
        )
        let rows = cards.map { card in
            let track = card.track
            let words = "\(Figures.clock(track.firstTime)) to \(Figures.clock(track.lastTime))"
            return HTML.element(
                "li",
                [
                    .element(
                        "a",
                        [.init("href", "#\(card.anchor)")],
                        [
                            .foreign(track.id), .element("span", [.class("unseen")], [.text(", \(words)")]),
                        ]
                    ),
                    .element(
                        "div",
                        [.class("lane"), .init("aria-hidden", "true")],
                        [
                            .element(
                                "div",
                                [.class("bar"), .place(share(track.firstTime), track.duration / length)],
                                Ribbon.segments(
                                    track.ribbon,
                                    in: track.firstTime...max(track.firstTime, track.lastTime)
                                )
                            )
                        ]
                    ),
                ]
            )
        }
        let isLong = cards.count > 24
        return .element(
            "div",
            isLong
                ? [
                    .class("timeline long"), .init("tabindex", "0"), .init("role", "region"),
                    .init("aria-label", "Tracks over time"),
                ] : [.class("timeline")],
            [axis, .element("div", [.class("rows")], [grid, .element("ol", rows)])]
        )
    }
}

/// Where an axis of time is marked.
enum Axis {
    private static let steps: [Double] = [
        0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    ]

    /// Times at even distances, seven at most, all within `extent`.
    static func ticks(in extent: ClosedRange<Double>) -> [Double] {
        let length = extent.upperBound - extent.lowerBound
        guard length.isFinite, length > 0, length < 1e9, extent.lowerBound.magnitude < 1e9 else {
            return [extent.lowerBound]
        }
        var step = steps.first { length / $0 <= 6 } ?? 86_400
        while length / step > 6 { step *= 2 }
        let first = (extent.lowerBound / step).rounded(.up), last = (extent.upperBound / step).rounded(.down)
        guard first <= last else { return [extent.lowerBound] }
        // A product may lie a rounding error outside.
        return stride(from: first, through: last, by: 1).map {
            min(max($0 * step, extent.lowerBound), extent.upperBound)
        }
    }
}
