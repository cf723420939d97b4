internal import CFFmpeg
internal import Imaging
internal import Synchronization

/// What runs on the decoding thread: packets in, chosen frames out.
///
///     Demuxer → Timeline → look-ahead, PacketPlanner → Decoder → FrameSelector → PictureConverter → HandOff
final class DecodingLoop: @unchecked Sendable {
    // Unchecked: made on one thread, then used by the decoding thread alone; `shared` is what others see.
    let shared: ReaderState
    private let sink: any DecodingSink
    private let options: VideoReader.Options
    private let interrupt: Interrupt
    private let source: String

    private let demuxer: Demuxer
    private var decoder: Decoder
    private var timeline: Timeline
    private var lookAhead: LookAhead
    private var assembly: FrameAssembly
    /// Only for live sources: of a recording nobody knows when it happened.
    private var wallClock: WallClock?
    /// Read while looking for the place to start at.
    private var firstPacket: PacketBox?
    private let streamOrientation: Orientation
    /// Of the picture at hand: codecs say it with keyframes, and it holds until the next.
    private var orientation: Orientation

    private var errorsInARow = 0
    private var hasDecoded = false
    private var hasSeenKeyframe = false
    private var isPastEnd = false
    /// A failed read: told behind the last frame, since what was read before is worth having.
    private var failedRead: VideoError?
    private let logMark: Int

    /// Opens the input, which may block for as long as its deadlines allow.
    init(_ options: VideoReader.Options, interrupt: Interrupt, sink: any DecodingSink) throws(VideoError) {
        self.options = options
        self.sink = sink
        self.interrupt = interrupt
        source = options.input.displayName
        logMark = FFmpegLog.mark()
        demuxer = try Demuxer(options, interrupt: interrupt)
        let stream = demuxer.stream
        decoder = try Decoder(
            stream.pointee.codecpar,
            timeBase: stream.pointee.time_base,
            threads: options.decoderThreads,
            source: source
        )
        let info = StreamInfo(demuxer, codec: decoder.codecName)
        shared = ReaderState(info: info)
        wallClock = options.policy == .dropOldest ? WallClock(opened: demuxer.opened) : nil

        let window = TimeWindow(options)
        let tick = info.timeBase.value
        timeline = Timeline(
            tick: tick ?? 1,
            origin: demuxer.startTime,
            breaksAhead: demuxer.hasDiscontinuousTime || options.input.isLive,
            frameDuration: info.framesPerSecond.map { 1 / $0 }
        )
        var planner: PacketPlanner?
        let canSkip = tick != nil && !options.deliversUnsampledFrames
        if case .rate(let rate) = options.sampling, canSkip, decoder.canSkipNonReference || decoder.isIntraOnly {
            planner = PacketPlanner(grid: SamplingGrid(start: window.start, rate: rate))
        }
        lookAhead = LookAhead(
            planner: planner,
            onlyKeyframes: options.sampling == .keyframes && canSkip,
            window: window,
            tick: tick ?? .nan
        )
        assembly = FrameAssembly(options, window: window, info: info)
        streamOrientation = demuxer.orientation
        orientation = streamOrientation
        if window.start > 0, let tick, let place = demuxer.seekKeyframe(before: window.start, tick: tick) {
            firstPacket = place.packet
            // Nobody counted the frames before; in a constant rate this is their number.
            let number = place.time * (info.framesPerSecond ?? 0)
            if number > 0, number < 1e12 { lookAhead.counter.start(at: Int(number.rounded())) }
        }
    }

    // MARK: - The thread

    func run() {
        var failure: VideoError?
        do {
            try readToTheEnd()
            try sendFrames(assembly.finish())
            lookAhead.counter.finish()
            publishSkipped()
            if !interrupt.isCancelled { failure = failedRead ?? verdict }
        } catch {
            failure = error
        }
        shared.statistics.withLock { $0.processorSeconds = NamedThread.processorSeconds }
        sink.finish(throwing: interrupt.isCancelled ? nil : failure)
        shared.isFinished.withLock { $0 = true }
    }

    /// What the end of a video means.
    private var verdict: VideoError? {
        let statistics = shared.statistics.withLock { $0 }
        let errors = statistics.decodeErrors + statistics.framesCorrupt
        let log = FFmpegLog.lines(since: logMark)
        if statistics.framesDecoded == 0 { return VideoError(.decode, .noFrames, source: source, log: log) }
        if errors > options.maximumDecodeErrors {
            let reason = VideoError.Reason.tooManyDecodeErrors(count: errors, allowed: options.maximumDecodeErrors)
            return VideoError(.decode, reason, source: source, log: log)
        }
        return nil
    }

    private func readToTheEnd() throws(VideoError) {
        var isAtEnd = false
        while !interrupt.isCancelled, !isPastEnd {
            while !isAtEnd, lookAhead.wantsMore { isAtEnd = try !readPacket() }
            guard let next = lookAhead.next() else { break }
            try decode(next.packet, isNeeded: next.isNeeded)
        }
        if !interrupt.isCancelled { try drain() }
    }

    /// - Returns: false at the end of the input.
    private func readPacket() throws(VideoError) -> Bool {
        if let packet = firstPacket {
            firstPacket = nil
            accept(packet)
            return true
        }
        guard let packet = PacketBox() else { throw VideoError(.read, .outOfMemory, source: source) }
        switch demuxer.read(into: packet.packet) {
        case .packet:
            accept(packet)
            return true
        case .endOfStream:
            let read = shared.statistics.withLock { $0.packetsRead }
            if options.start == nil, let count = demuxer.packetCount, read < count {
                shared.statistics.withLock { $0.isTruncated = true }
            }
            return false
        case .damaged:
            try countError()
            shared.statistics.withLock { $0.isTruncated = true }
            return true
        case .failed(let code):
            if interrupt.isCancelled { return false }
            shared.statistics.withLock { $0.isTruncated = true }
            let operation: VideoError.Operation = hasDecoded ? .read : .firstFrame
            failedRead = VideoError(operation, code: code, source: source, log: FFmpegLog.lines(since: logMark))
            return false
        }
    }

    private func accept(_ packet: PacketBox) {
        sink.packetArrived()
        let flags = packet.packet.pointee.flags
        shared.statistics.withLock {
            $0.packetsRead += 1
            if flags & AV_PKT_FLAG_CORRUPT != 0 { $0.packetsCorrupt += 1 }
        }
        if packet.isKeyframe { hasSeenKeyframe = true }
        let placed = timeline.place(
            presentation: packet.presentation,
            decoding: packet.decoding,
            duration: packet.packet.pointee.duration
        )
        if let time = placed.presentation ?? placed.decoding {
            let sent = demuxer.senderTime(of: packet)
            wallClock?.packetArrived(mediaTime: Double(time) * timeline.tick, sent: sent, at: .now)
        }
        packet.presentation = placed.presentation
        packet.decoding = placed.decoding
        packet.codec = demuxer.stream.pointee.codecpar.pointee.codec_id
        packet.isDisposable = decoder.isDisposable(packet.packet)
        lookAhead.add(packet)
    }

    private func decode(_ packet: PacketBox, isNeeded: Bool) throws(VideoError) {
        if lookAhead.isBehindWindow(packet) {
            isPastEnd = true
            return
        }
        try reopen(for: packet.codec)
        let skipsAll = !isNeeded && (decoder.isIntraOnly || lookAhead.onlyKeyframes)
        if skipsAll { return }
        let discard = isNeeded ? AVDISCARD_DEFAULT : decoder.canSkipNonReference ? AVDISCARD_NONREF : AVDISCARD_DEFAULT
        try send(packet.packet, discard: lookAhead.onlyKeyframes ? AVDISCARD_NONKEY : discard)
    }

    /// A transport stream may change its codec under the same or another stream.
    private func reopen(for codec: AVCodecID) throws(VideoError) {
        let stream = demuxer.stream
        guard codec != decoder.codec, codec == stream.pointee.codecpar.pointee.codec_id else { return }
        try drain()
        decoder = try Decoder(
            stream.pointee.codecpar,
            timeBase: stream.pointee.time_base,
            threads: options.decoderThreads,
            source: source,
            ignoringExtradata: true
        )
    }

    private func drain() throws(VideoError) { try send(nil, discard: AVDISCARD_DEFAULT) }

    private func send(_ packet: UnsafeMutablePointer<AVPacket>?, discard: AVDiscard) throws(VideoError) {
        while true {
            let code = decoder.send(packet, discard: discard)
            if code == cff_ERROR_ENOMEM { throw VideoError(.decode, .outOfMemory, code: code, source: source) }
            let mustRepeat = code == cff_ERROR_EAGAIN
            if code < 0, !mustRepeat, code != cff_ERROR_EOF { try countError() }
            let progress = try receiveAll(draining: packet == nil)
            if !mustRepeat || progress == 0 { return }
        }
    }

    /// - Returns: how many frames came.
    private func receiveAll(draining: Bool) throws(VideoError) -> Int {
        var frames = 0, failures = 0
        while !interrupt.isCancelled {
            switch try decoder.receive() {
            case .frame(let storage):
                frames += 1
                try receive(storage)
            case .needsInput, .end: return frames
            case .damaged:
                try countError()
                failures += 1
                if !draining || failures > 64 { return frames }
            }
        }
        return frames
    }

    // MARK: - Frames

    private func receive(_ storage: FrameStorage) throws(VideoError) {
        let frame = storage.frame
        hasDecoded = true
        demuxer.hasFrame = true
        let isCorrupt = frame.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0 || frame.pointee.decode_error_flags != 0
        shared.statistics.withLock {
            $0.framesDecoded += 1
            // Until it is chosen.
            $0.framesUnsampled += 1
            if isCorrupt { $0.framesCorrupt += 1 }
        }
        if isCorrupt { try countDamage() } else { errorsInARow = 0 }
        let best = frame.pointee.best_effort_timestamp
        let time = best == cff_NOPTS_VALUE ? nil : best
        let arrival = lookAhead.counter.arrival(ofFrameAt: time)
        publishSkipped()
        if let own = Orientation(frame) {
            orientation = own
        } else if frame.pointee.key_frame != 0 {
            orientation = streamOrientation
        }
        let geometry = PictureGeometry(
            stored: Size(width: Int(frame.pointee.width), height: Int(frame.pointee.height)),
            orientation: orientation,
            pixelAspect: demuxer.pixelAspect(of: frame)
        )
        let decoded = DecodedFrame(
            storage: storage,
            number: arrival.number,
            isDisposable: arrival.isDisposable,
            ticks: time,
            origin: time.map { timeline.origin(of: $0) },
            geometry: geometry,
            codec: decoder.codecName,
            isCorrupt: isCorrupt,
            wallTime: wallClock?.time(of: time.map { Double($0) * timeline.tick }, at: .now)
        )
        try sendFrames(assembly.take(decoded))
    }

    private func sendFrames(_ outputs: [FrameAssembly.Output]) throws(VideoError) {
        for output in outputs {
            switch output {
            case .epoch(let info, let reason):
                shared.info.withLock { $0 = info }
                shared.statistics.withLock { $0.epochs += 1 }
                _ = sink.send(.epoch(info, reason))
            case .form(let info): shared.info.withLock { $0 = info }
            case .end: isPastEnd = true
            case .frame(let frame):
                if frame.isSampled {
                    shared.statistics.withLock {
                        $0.framesSampled += 1
                        $0.framesUnsampled -= 1
                    }
                }
                switch sink.send(.frame(frame)) {
                case .delivered: break
                case .dropped(.frame(let old)): shared.statistics.withLock { $0.drop(old) }
                case .dropped(.epoch): break
                case .closed: shared.statistics.withLock { $0.drop(frame) }
                }
            }
        }
    }

    // MARK: - Errors

    /// A packet was of no use.
    private func countError() throws(VideoError) {
        guard hasDecoded || hasSeenKeyframe else {
            shared.statistics.withLock { $0.packetsBeforeKeyframe += 1 }
            return
        }
        shared.statistics.withLock { $0.decodeErrors += 1 }
        try countDamage()
    }

    private func countDamage() throws(VideoError) {
        errorsInARow += 1
        guard errorsInARow > max(1, options.maximumDecodeErrors), !interrupt.isCancelled else { return }
        if let verdict {
            shared.statistics.withLock { $0.isTruncated = true }
            throw verdict
        }
    }

    private func publishSkipped() {
        let skipped = lookAhead.counter.skipped
        shared.statistics.withLock { $0.framesSkipped = skipped }
    }
}
