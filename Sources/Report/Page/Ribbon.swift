internal import Events

/// Expressions over time as coloured segments.
///
/// Colour is never the only sign: every ribbon has its shares in words beside it, and segments have a title.
enum Ribbon {
    static func segments(_ spans: [TrackStory.Span], in extent: ClosedRange<Double>) -> [HTML] {
        let length = max(extent.upperBound - extent.lowerBound, 1e-9)
        return spans.map { span in
            let words =
                "\(span.label.rawValue)\(span.isWeak ? " (a guess)" : ""), "
                + "\(Figures.clock(span.start)) – \(Figures.clock(span.end))"
            return .element(
                "i",
                [
                    color(span.label),
                    .place((span.start - extent.lowerBound) / length, (span.end - span.start) / length),
                    .init("title", words),
                ],
                []
            )
        }
    }

    /// The colour of an expression as a small square, for legends.
    static func swatch(_ label: ExpressionLabel) -> HTML {
        .element("span", [.class("swatch"), .init("aria-hidden", "true")], [.element("i", [color(label)], [])])
    }

    /// For times of which no line tells an expression.
    static let unknownSwatch = HTML.literal(
        "<span class=\"swatch\" aria-hidden=\"true\"><i class=\"x-none\"></i></span>"
    )

    static func color(_ label: ExpressionLabel) -> HTML.Attribute {
        switch label {
        case .neutral: .class("x-neutral")
        case .happy: .class("x-happy")
        case .sad: .class("x-sad")
        case .surprised: .class("x-surprised")
        case .fearful: .class("x-fearful")
        case .disgusted: .class("x-disgusted")
        case .angry: .class("x-angry")
        case .contemptuous: .class("x-contemptuous")
        }
    }
}
