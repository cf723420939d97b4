internal import CFFmpeg
internal import Imaging

/// A frame as the decoder left it.
struct DecodedFrame {
    var storage: FrameStorage
    var number: Int
    /// No other frame is predicted from it.
    var isDisposable: Bool
    /// On the reader's timeline; nil if the frame has no time at all.
    var ticks: Int64?
    /// The container's timestamp, the number of the timeline's break before it, and the kind of that break.
    var origin: (timestamp: Int64, segment: Int, reason: EpochReason)?
    var geometry: PictureGeometry
    var codec: String
    var isCorrupt: Bool
    var wallTime: WallTime?

    var isKeyframe: Bool { storage.frame.pointee.key_frame != 0 }
}

/// Gives frames their time and epoch, picks the samples and makes pictures of those that are delivered.
struct FrameAssembly: ~Copyable {
    enum Output {
        case frame(VideoFrame)
        /// What the stream turned out to be when its first frame came.
        case form(StreamInfo)
        case epoch(StreamInfo, EpochReason)
        /// The stretch that was asked for is over.
        case end
    }

    private struct Form: Hashable {
        var geometry: PictureGeometry
        var pixelFormat: Int32
        var codec: String
    }

    /// A frame that has its place.
    private struct Placed {
        var frame: DecodedFrame
        var time: Double
        var epoch: Int
    }

    private let source: String
    private let sampling: Sampling
    private let deliversUnsampled: Bool
    private let window: TimeWindow
    /// Seconds; nil if the stream's time base makes no sense.
    private let tick: Double?
    private let usualDuration: Double
    private var info: StreamInfo
    private var selector: FrameSelector<Placed>?
    private var converter = PictureConverter()

    private var form: Form?
    private var segment = 0
    private var epoch = 0
    private var lastTime: Double?
    /// By how much decoding times run ahead, where a container (AVI) has no others.
    private var decodingLead: Int64 = 0
    private var lastDuration: Double

    init(_ options: VideoReader.Options, window: TimeWindow, info: StreamInfo) {
        source = options.input.displayName
        sampling = options.sampling
        deliversUnsampled = options.deliversUnsampledFrames
        self.window = window
        self.info = info
        tick = info.timeBase.value
        usualDuration = info.framesPerSecond.map { 1 / $0 } ?? 0.04
        lastDuration = usualDuration
        if case .rate(let rate) = sampling {
            selector = FrameSelector(grid: SamplingGrid(start: window.start, rate: rate))
        }
    }

    /// Takes the next frame in presentation order; what may be handed over now, in that order too.
    mutating func take(_ frame: DecodedFrame) throws(VideoError) -> [Output] {
        let time = place(frame)
        if window.isBehind(time) { return [.end] }
        if window.isBefore(time) { return [] }
        var outputs = try formChange(frame)
        let placed = Placed(frame: frame, time: time, epoch: epoch)
        switch sampling {
        case .everyFrame: outputs.append(try deliver(placed, isSampled: true))
        case .keyframes:
            if frame.isKeyframe || deliversUnsampled {
                outputs.append(try deliver(placed, isSampled: frame.isKeyframe))
            }
        case .rate:
            for (placed, isSampled) in selector?.take(placed, at: time, isDisposable: frame.isDisposable) ?? []
            where isSampled || deliversUnsampled {
                outputs.append(try deliver(placed, isSampled: isSampled))
            }
        }
        return outputs
    }

    /// What waited for frames that did not come.
    mutating func finish() throws(VideoError) -> [Output] {
        var outputs: [Output] = []
        for (placed, isSampled) in selector?.finish() ?? [] where isSampled || deliversUnsampled {
            outputs.append(try deliver(placed, isSampled: isSampled))
        }
        return outputs
    }

    /// Seconds since the stream's start.
    ///
    /// Never less than before; a frame without a time follows the last one.
    private mutating func place(_ frame: DecodedFrame) -> Double {
        var time = lastTime.map { $0 + lastDuration } ?? 0
        if let ticks = frame.ticks, let tick {
            let isDecodingTime = frame.storage.frame.pointee.pts == cff_NOPTS_VALUE
            if isDecodingTime, lastTime == nil, window.start == 0 { decodingLead = ticks }
            time = max(Double(ticks &- (isDecodingTime ? decodingLead : 0)) * tick, lastTime ?? 0)
        }
        let ticks = frame.storage.frame.pointee.pkt_duration
        lastDuration = tick.flatMap { ticks > 0 ? min(Double(ticks) * $0, 3600) : nil } ?? usualDuration
        lastTime = time
        return time
    }

    /// A new epoch, if the frame looks or is timed differently from the one before.
    private mutating func formChange(_ frame: DecodedFrame) throws(VideoError) -> [Output] {
        let new = Form(
            geometry: frame.geometry,
            pixelFormat: frame.storage.frame.pointee.format,
            codec: frame.codec
        )
        var reason: EpochReason = []
        if let origin = frame.origin, origin.segment != segment {
            segment = origin.segment
            reason = origin.reason
        }
        if let form, form != new {
            if form.geometry != new.geometry { reason.insert(.sizeChanged) }
            if form.pixelFormat != new.pixelFormat { reason.insert(.pixelFormatChanged) }
            if form.codec != new.codec { reason.insert(.codecChanged) }
        }
        let isFirst = form == nil
        form = new
        info.codec = new.codec
        info.pixelFormat = PictureConverter.name(of: AVPixelFormat(rawValue: new.pixelFormat))
        info.rotationDegrees = new.geometry.orientation.rotationDegrees
        (info.width, info.height) = (new.geometry.displayed.width, new.geometry.displayed.height)
        if isFirst { return [.form(info)] }
        if reason.isEmpty { return [] }
        // What waits belongs to the old epoch.
        let waiting = try finish()
        epoch += 1
        return waiting + [.epoch(info, reason)]
    }

    private mutating func deliver(_ placed: Placed, isSampled: Bool) throws(VideoError) -> Output {
        let frame = placed.frame
        let picture = try converter.picture(of: frame.storage, geometry: frame.geometry, source: source)
        return .frame(
            VideoFrame(
                picture: picture,
                index: frame.number,
                pts: frame.origin?.timestamp,
                timeBase: info.timeBase,
                mediaTime: placed.time,
                rotationDegrees: frame.geometry.orientation.rotationDegrees,
                isKeyframe: frame.isKeyframe,
                isCorrupt: frame.isCorrupt,
                isSampled: isSampled,
                epoch: placed.epoch,
                wallTime: frame.wallTime
            )
        )
    }
}
