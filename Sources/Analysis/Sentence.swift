package import Events
package import Faces

/// Composes a sentence from measured values; only what is confident is worded.
///
/// "Adult man, face turned slightly to his left, looking down, mouth open, appears happy."
package enum Sentence {
    /// What is known of a face at a moment; nil where it was not measured or is unsure.
    package struct Facts: Sendable, Hashable {
        package var years: Float?
        package var gender: Gender?
        package var pose: HeadPose?
        package var eyes: EyesState?
        package var mouth: MouthState?
        package var expression: Expression?

        package init() {}
    }

    package enum Gender: Sendable, Hashable {
        case female, male
    }

    package static func compose(_ facts: Facts) -> String {
        var parts = [person(facts)]
        parts += pose(facts)
        if facts.eyes == .closed { parts.append("eyes closed") }
        switch facts.mouth {
        case .open: parts.append("mouth open")
        case .wideOpen: parts.append("mouth wide open")
        case .closed, nil: break
        }
        switch facts.expression {
        case .neutral: parts.append("expression neutral")
        case let expression?: parts.append("appears \(expression.rawValue)")
        case nil: break
        }
        return parts.joined(separator: ", ") + "."
    }

    private static func person(_ facts: Facts) -> String {
        guard let years = facts.years else {
            switch facts.gender {
            case .male: return "Male person"
            case .female: return "Female person"
            case nil: return "Person"
            }
        }
        switch (years, facts.gender) {
        case (..<4, _): return "Small child"
        case (..<13, .male): return "Boy"
        case (..<13, .female): return "Girl"
        case (..<13, nil): return "Child"
        case (..<20, .male): return "Young man"
        case (..<20, .female): return "Young woman"
        case (..<20, nil): return "Young person"
        case (..<60, .male): return "Adult man"
        case (..<60, .female): return "Adult woman"
        case (..<60, nil): return "Adult"
        case (_, .male): return "Older man"
        case (_, .female): return "Older woman"
        case (_, nil): return "Older person"
        }
    }

    /// Sides are the person's own, as a person would say it.
    private static func pose(_ facts: Facts) -> [String] {
        guard let pose = facts.pose else { return [] }
        let whose =
            switch facts.gender {
            case .male: "his"
            case .female: "her"
            case nil: "their"
            }
        var words: [String] = []
        let sector = PoseSector(pose)
        // The right edge of the image is on the person's left.
        let side = pose.yaw > 0 ? "left" : "right"
        switch sector.turn {
        case .none: break
        case .slight: words.append("face turned slightly to \(whose) \(side)")
        case .clear: words.append("face turned to \(whose) \(side)")
        case .far: words.append("face turned far to \(whose) \(side)")
        }
        switch sector.nod {
        case .level: if sector.turn == .none { words.append("facing the camera") }
        case .up: words.append("looking up")
        case .down: words.append("looking down")
        }
        if sector.isTilted { words.append("head tilted to \(whose) \(pose.roll > 0 ? "left" : "right")") }
        return words
    }
}
