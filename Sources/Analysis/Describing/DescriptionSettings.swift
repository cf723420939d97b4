/// When the describer is asked, and how long it may take.
package struct DescriptionSettings: Sendable, Hashable {
    /// What a picture must show, and how often a new one is asked about.
    package struct Shots: Sendable, Hashable {
        /// The `unified_score` from which nobody waits for a better picture.
        package var goodQuality: Float = 60
        /// Of such a picture, 0–1.
        package var goodSharpness: Float = 0.4
        /// Of such a picture, pixels.
        package var goodEyeDistance: Float = 24
        /// Degrees of turn up to which such a picture counts as frontal.
        package var goodTurn: Float = 25
        /// Pixels of a box below which a describer could but guess.
        package var minimumWidth: Float = 32
        /// Seconds to wait for a good picture before the best one so far must do.
        package var patience = 1.0
        /// Seconds after which a face that does not change is described anew.
        package var refreshInterval = 60.0
        /// Seconds between two descriptions of a track that changes, at least.
        package var changeSpacing = 3.0
        /// Requests a track, at most.
        package var perTrack = 12
        /// Requests in an hour of media time, at most.
        package var perHour = 1200

        package init() {}
    }

    /// What `frames` may be: each picture costs 256 tokens of the prompt, and its pass through the vision tower.
    package static let frameRange = 1...8

    package var shots = Shots()
    /// Crops that may wait while a live source goes on.
    package var queueCapacity = 16
    /// Seconds of media time after which a waiting crop of a live source tells nothing about now.
    package var lifetime = 15.0
    /// Pictures of a face that it is described by, spread in time, at most: 1 for its best alone.
    package var frames = 1
    /// How long the describer may take over one face.
    package var timeout = Duration.seconds(120)
    /// How long the end of a live run waits for the crops that are left.
    package var grace = Duration.seconds(5)

    package init() {}
}
