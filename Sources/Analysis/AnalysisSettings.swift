package import Events
package import Faces

/// What to measure and to tell.
package struct AnalysisSettings: Sendable, Hashable {
    package var perception = Perception.Settings()
    /// Which attributes events carry; expression, eyes, mouth, age and gender each can be left out.
    package var attributes = AnalysisSettings.allAttributes
    package var wantsExpression = true
    /// A `face.observation` for each face in each sampled frame.
    package var observations = false
    /// The 468 points in each observation.
    package var landmarks = false
    /// Seconds between two `track.updated` of a track, at least.
    package var updateInterval: Double = 1

    package init() {}

    /// Whether eyes are looked at.
    var wantsEyes: Bool { observations || attributes.contains(.eyes) }

    /// Whether age and gender are guessed; one network each, asked together.
    var wantsAgeGender: Bool { !attributes.isDisjoint(with: [.apparentAgeYears, .apparentGender]) }

    /// Attributes that perception measures.
    package static let allAttributes: Set<AttributeName> = [.eyes, .mouth, .apparentAgeYears, .apparentGender]
}
