package import Video

/// A video source.
package struct SourceSettings: Sendable, Hashable {
    /// `source` in events; unique.
    package var name = ""
    /// As the file has it; nil with `urlFrom`.
    package var url: SourceAddress?
    package var urlFrom: SecretReference?
    /// What to open; nil only where secrets were not asked for.
    package var address: SourceAddress?
    package var watch = WatchSettings()

    package init() {}

    /// A source of which nothing is known but how sources are watched.
    init(watch: WatchSettings) { self.watch = watch }
}

/// How a source is watched; also what sources have in common.
package struct WatchSettings: Sendable, Hashable {
    package var enabled = true
    package var transport = RTSPTransport.tcp
    package var sampling = Sampling.rate
    /// Frames a second, with `sampling` = `rate`.
    package var sampleFPS = 5.0
    package var attributes: [Attribute] = [.expression, .eyes, .mouth]
    package var observations = false
    package var landmarks = false
    package var minFacePixels = 0
    package var maxFaces = 64
    package var tiling = TilingSetting.auto
    package var describe = Describe()
    /// Where faces are looked for; empty for the whole picture.
    package var zones: [Polygon] = []
    /// What is blackened before anything looks at the picture.
    package var masks: [Polygon] = []
    /// Empty for always.
    package var schedule: [TimeWindow] = []
    package var limits = Limits()

    package init() {}

    package enum Sampling: String, Sendable, Hashable, CaseIterable { case rate, keyframes }

    /// What perception tells of a face; how old and of which gender it looks only where asked for.
    package enum Attribute: String, Sendable, Hashable, CaseIterable {
        case expression, eyes, mouth
        case apparentAgeYears = "apparent_age_years"
        case apparentGender = "apparent_gender"
    }

    /// Whether and how often the language model is asked about the faces of a source.
    package struct Describe: Sendable, Hashable {
        package var enabled = true
        package var maxPerTrack = 12
        package var maxPerHour = 1200
        package var minFacePixels = 32
        /// Pictures of a face that its sentence is about.
        package var frames = 1

        package init() {}
    }

    /// How long each phase of reading may take, and how fast to try again.
    package struct Limits: Sendable, Hashable {
        package var connectSeconds = 15.0
        package var probeSeconds = 20.0
        package var firstFrameSeconds = 20.0
        package var readSeconds = 15.0
        package var stalledAfterSeconds = 5.0
        package var frozenAfterSeconds = 30.0
        package var reconnectFirstSeconds = 1.0
        package var reconnectLongestSeconds = 60.0

        package init() {}
    }
}
