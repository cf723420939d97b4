internal import Analysis
internal import Journal

extension Journal: EventHistory {}

extension Configuration.HTTP {
    /// Nil where no page is served.
    var viewerFeed: ViewerFeed? {
        guard listen != nil, viewer else { return nil }
        var settings = ViewerFeed.Settings()
        settings.pictures = viewerPictures
        return ViewerFeed(settings)
    }
}

extension SeenFace {
    init(_ sighting: SourceAnalysis.Sighting) {
        let face = sighting.face
        self.init(
            track: sighting.trackID,
            label: sighting.label,
            box: face.box,
            pose: face.pose.map { [$0.yaw, $0.pitch, $0.roll] },
            // A face too small for a mesh has no quality; the surest look at it will do.
            quality: face.quality?.unifiedScore ?? face.score
        )
    }
}

extension Viewer {
    /// Nil where no page is to be served.
    convenience init?(_ facts: DaemonFacts) {
        guard let feed = facts.viewer else { return nil }
        var settings = Settings()
        settings.queueBytes = facts.configuration.sockets.events.queueBytes
        settings.writeDeadline = .seconds(facts.configuration.sockets.events.writeDeadlineSeconds)
        let status = facts.status
        self.init(
            bus: facts.bus,
            history: facts.history,
            feed: feed,
            settings: settings,
            hello: facts.hello,
            status: { ControlJSON.text(await status()) }
        )
    }
}
