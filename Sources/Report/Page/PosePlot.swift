internal import Events

/// Where the head pointed to, as the viewer sees it: yaw to the right, pitch upwards.
struct PosePlot: Sendable {
    let track: TrackStory

    /// Half of a side of the drawing, in its own units.
    private static let half = 100.0
    /// Degrees at the edges; heads beyond are drawn there.
    private static let reach = 90.0

    var html: HTML {
        let poses = track.poses
        var shapes: [HTML] = [
            .literal("<rect class=\"frame\" x=\"-100\" y=\"-100\" width=\"200\" height=\"200\" rx=\"6\"/>"),
            .literal("<path class=\"grid\" d=\"M-100 0H100M0-100V100\"/>"),
            .literal("<rect class=\"ring\" x=\"-33.3\" y=\"-33.3\" width=\"66.7\" height=\"66.7\" rx=\"3\"/>"),
            .literal("<text x=\"95\" y=\"-5\" text-anchor=\"end\">right</text>"),
            .literal("<text x=\"-95\" y=\"-5\">left</text>"),
            .literal("<text x=\"4\" y=\"-87\">up</text>"),
            .literal("<text x=\"4\" y=\"94\">down</text>"),
        ]
        // Lines of no length with round ends are dots, and take the least bytes.
        let dots = poses.map { "M\(Self.x($0)) \(Self.y($0))h0" }.joined()
        shapes.append(.shape("path", [.class("dots"), .init("d", dots)]))
        if let median = track.end?.summary.medianPose {
            let (x, y) = (Self.x(median), Self.y(median))
            shapes.append(
                .shape("path", [.class("median"), .init("d", "M\(x) \(y)m-7 0h14m-7-7v14")])
            )
        }
        return .element(
            "figure",
            [.class("pose")],
            [
                .element(
                    "svg",
                    [
                        .init("viewBox", "-101 -101 202 202"), .init("role", "img"),
                        .init("aria-label", "Pose, \(Figures.count(poses.count, "sample")). \(words)"),
                    ],
                    shapes
                ),
                .element("figcaption", [.text(words)]),
            ]
        )
    }

    private var words: String {
        if let range = track.end?.summary.poseRange {
            return "yaw \(Self.range(range.yawDegrees)), pitch \(Self.range(range.pitchDegrees)),"
                + " roll \(Self.range(range.rollDegrees))"
        }
        return Figures.count(track.poses.count, "pose sample")
    }

    private static func range(_ range: TrackEnd.AngleRange) -> String {
        "\(degrees(range.min)) … \(degrees(range.max))°"
    }

    private static func degrees(_ value: Double) -> String {
        let text = Figures.decimal(value, 0)
        return text.hasPrefix("-") ? "−\(text.dropFirst())" : text
    }

    private static func x(_ pose: PoseRecord) -> String { place(pose.yawDegrees) }
    private static func y(_ pose: PoseRecord) -> String { place(-pose.pitchDegrees) }

    private static func place(_ degrees: Double) -> String {
        Figures.decimal(min(max(degrees, -reach), reach) * half / reach, 1)
    }
}
