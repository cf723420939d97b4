internal import Analysis
internal import Video

extension SourceSettings {
    /// The keys that only a source has.
    static let ownEntries: [ConfigurationEntry<Self>] = [
        .value(
            "name",
            \.name,
            TextFormat.name,
            effect: .source,
            "What events call it; must be given and differ from all others."
        ),
        .value(
            "url",
            \.url,
            OptionalFormat(SourceAddressFormat()),
            effect: .source,
            "Where the video comes from. Either this or url_from must be given; passwords belong into url_from."
        ),
        .value(
            "url_from",
            \.urlFrom,
            OptionalFormat(SecretReferenceFormat()),
            effect: .source,
            "Where the URL is kept when it has a password: a variable, a file of mode 0600, or a credential of systemd. "
                + "In the URL, signs like @ : / ? # of a password are spelled %40 %3A %2F %3F %23."
        ),
    ]

    static let entries = ownEntries + WatchSettings.entries.map { $0.lifted(\.watch) }
}

extension WatchSettings {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("enabled", \.enabled, ToggleFormat(), effect: .source, "Whether it is watched at all."),
        .value(
            "transport",
            \.transport,
            WordFormat(),
            effect: .source,
            "How RTSP carries the pictures: udp has less delay, and smears where packets get lost."
        ),
        .value(
            "sampling",
            \.sampling,
            WordFormat(),
            effect: .source,
            "Look sample_fps times a second, or at key frames alone: cheapest, as often as the encoder made them."
        ),
        .value(
            "sample_fps",
            \.sampleFPS,
            NumberFormat(range: 0.01...1000),
            effect: .source,
            "Frames to look at in a second."
        ),
        .value(
            "attributes",
            \.attributes,
            ListFormat(WordFormat<Attribute>()),
            effect: .source,
            "What perception tells of a face. Apparent age and gender are guesses, and off unless named."
        ),
        .value(
            "observations",
            \.observations,
            ToggleFormat(),
            effect: .source,
            "An event for each face in each frame looked at: many."
        ),
        .value(
            "landmarks",
            \.landmarks,
            ToggleFormat(),
            effect: .source,
            "The 468 points of the mesh in each observation."
        ),
        .value(
            "min_face_px",
            \.minFacePixels,
            IntegerFormat(range: 0...10_000),
            effect: .source,
            "Faces narrower than this are passed over, for example passers-by far away."
        ),
        .value(
            "max_faces",
            \.maxFaces,
            IntegerFormat(range: 1...1000),
            effect: .source,
            "Faces in a frame, the largest first."
        ),
        .value(
            "tiling",
            \.tiling,
            TilingFormat(),
            effect: .source,
            "Look at overlapping squares too, for small faces; a number says how many along the longer side."
        ),
        .section("describe", \.describe, Describe.entries, "Whether and how often FaceLLM is asked."),
        .value(
            "zones",
            \.zones,
            ListFormat(PolygonFormat(), limit: 32),
            effect: .source,
            "Only faces whose centre is in one of these polygons count; [] for the whole picture."
        ),
        .value(
            "masks",
            \.masks,
            ListFormat(PolygonFormat(), limit: 32),
            effect: .source,
            "Polygons that are blackened before anything looks at the picture."
        ),
        .value(
            "schedule",
            \.schedule,
            ListFormat(TimeWindowFormat(), limit: 64),
            effect: .reload,
            "When it is watched, in local time; [] for always."
        ),
        .section("limits", \.limits, Limits.entries, "When a live source counts as lost, and how it is tried again."),
    ]
}

extension WatchSettings.Describe {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("enabled", \.enabled, ToggleFormat(), effect: .source, "Needs engine.model_directory."),
        .value(
            "max_per_track",
            \.maxPerTrack,
            IntegerFormat(range: 1...10_000),
            effect: .reload,
            "Descriptions of one face from its coming to its going."
        ),
        .value(
            "max_per_hour",
            \.maxPerHour,
            IntegerFormat(range: 1...100_000),
            effect: .reload,
            "Descriptions for the whole source."
        ),
        .value(
            "min_face_px",
            \.minFacePixels,
            IntegerFormat(range: 1...10_000),
            effect: .reload,
            "Of narrower faces a description would be a guess."
        ),
        .value(
            "frames",
            \.frames,
            IntegerFormat(range: DescriptionSettings.frameRange),
            effect: .source,
            "Pictures of a face that its sentence is about: the best until then, spread in time. Each costs about as "
                + "much time as a whole description."
        ),
    ]
}

extension WatchSettings.Limits {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("connect_s", \.connectSeconds, limit, effect: .source, "Until the other side has answered."),
        .value("probe_s", \.probeSeconds, limit, effect: .source, "From then until the form of the stream is known."),
        .value("first_frame_s", \.firstFrameSeconds, limit, effect: .source, "From then until the first picture."),
        .value("read_s", \.readSeconds, limit, effect: .source, "From one packet to the next; then it is opened anew."),
        .value(
            "stalled_after_s",
            \.stalledAfterSeconds,
            limit,
            effect: .source,
            "Without a packet it is said to be stalled."
        ),
        .value(
            "frozen_after_s",
            \.frozenAfterSeconds,
            limit,
            effect: .source,
            "With the same picture again and again it is said to be frozen."
        ),
        .value("reconnect_first_s", \.reconnectFirstSeconds, limit, effect: .source, "Until the first new attempt."),
        .value(
            "reconnect_longest_s",
            \.reconnectLongestSeconds,
            limit,
            effect: .source,
            "Attempts get rarer, each pause twice the last, up to this one; they never end."
        ),
    ]

    private static let limit = NumberFormat(range: 0.1...86_400)
}
