internal import Analysis
internal import Events
internal import Faces
internal import Imaging
internal import Video

/// What the stages are given, from what the configuration says.
extension SourceSettings {
    /// Whether the source is read once from its beginning to its end, and waits for whoever is slow.
    var isRecording: Bool {
        guard case .file = address?.input() else { return false }
        return true
    }

    func readerOptions(_ input: VideoInput) -> VideoReader.Options {
        var options = VideoReader.Options(input: input)
        switch watch.sampling {
        case .rate: options.sampling = .rate(watch.sampleFPS)
        case .keyframes: options.sampling = .keyframes
        }
        options.transport = watch.transport
        options.deadlines.connect = watch.limits.connectSeconds
        options.deadlines.probe = watch.limits.probeSeconds
        options.deadlines.firstFrame = watch.limits.firstFrameSeconds
        options.deadlines.read = watch.limits.readSeconds
        options.decoderThreads = 1
        return options
    }

    func liveOptions(_ input: VideoInput) -> LiveSource.Options {
        var options = LiveSource.Options(reader: readerOptions(input))
        options.stallAfter = watch.limits.stalledAfterSeconds
        options.frozenAfter = watch.limits.frozenAfterSeconds
        options.pace.first = watch.limits.reconnectFirstSeconds
        options.pace.longest = watch.limits.reconnectLongestSeconds
        return options
    }

    var analysisSettings: AnalysisSettings {
        var settings = AnalysisSettings()
        settings.perception.minimumFace = Float(watch.minFacePixels)
        settings.perception.maximumFaces = watch.maxFaces
        switch watch.tiling {
        case .auto: settings.perception.tiling = .auto
        case .off: settings.perception.tiling = .off
        case .across(let count): settings.perception.tiling = .across(count)
        }
        if !isRecording { settings.perception.tilesPerPicture = 2 }
        settings.perception.zones = watch.zones.map(\.corners)
        settings.observations = watch.observations
        settings.landmarks = watch.landmarks
        settings.wantsExpression = watch.attributes.contains(.expression)
        settings.attributes = Set(watch.attributes.compactMap { AttributeName(rawValue: $0.rawValue) })
            .intersection(AnalysisSettings.allAttributes)
        return settings
    }

    func descriptionSettings(_ engine: Configuration.Engine) -> DescriptionSettings {
        var settings = DescriptionSettings()
        settings.shots.perTrack = watch.describe.maxPerTrack
        settings.shots.perHour = watch.describe.maxPerHour
        settings.shots.minimumWidth = Float(watch.describe.minFacePixels)
        settings.shots.patience = engine.patienceSeconds
        settings.shots.refreshInterval = engine.refreshIntervalSeconds
        settings.shots.changeSpacing = engine.changeSpacingSeconds
        settings.frames = watch.describe.frames
        settings.queueCapacity = engine.queueCapacity
        settings.lifetime = engine.cropLifetimeSeconds
        settings.timeout = .seconds(engine.timeoutSeconds)
        return settings
    }
}

extension Polygon {
    var corners: [Imaging.Point] { points.map { .init(x: Float($0.x), y: Float($0.y)) } }
}

extension VideoFrame {
    /// The frame without what nobody is to look at.
    func masked(by polygons: [[Imaging.Point]]) -> VideoFrame {
        guard !polygons.isEmpty else { return self }
        return VideoFrame(
            picture: picture.blackened(polygons),
            index: index,
            pts: pts,
            timeBase: timeBase,
            mediaTime: mediaTime,
            rotationDegrees: rotationDegrees,
            isKeyframe: isKeyframe,
            isCorrupt: isCorrupt,
            isSampled: isSampled,
            epoch: epoch,
            wallTime: wallTime
        )
    }

    /// When it was taken, as events tell it.
    var eventTime: EventTime? { wallTime.flatMap(EventTime.init) }
}

extension EventTime {
    /// A camera whose clock cannot be right is told the time of by its pictures' arrival.
    init?(_ time: WallTime) {
        guard let timestamp = Timestamp(secondsSince1970: time.seconds) else { return nil }
        self.init(timestamp, source: time.source == .senderReport ? .rtcpSenderReport : .arrival)
    }
}

extension SourceStatus.Video {
    init(_ info: StreamInfo) {
        self.init(
            codec: info.codec,
            width: info.width,
            height: info.height,
            framesPerSecond: info.framesPerSecond,
            pixelFormat: info.pixelFormat,
            rotationDegrees: info.rotationDegrees
        )
    }
}
