internal import CFFmpeg
internal import Glibc

/// One opened input and its video stream; reads the packets of that stream alone.
///
/// Has one owner.
final class Demuxer {
    enum ReadResult {
        /// Nobody else holds it until the next `read`.
        case packet(UnsafeMutablePointer<AVPacket>)
        case endOfStream
        /// The container is damaged here; reading may go on behind it.
        case damaged(code: Int32)
        case failed(code: Int32)
    }

    /// A recording of a broadcast may go on under another stream.
    ///
    /// So many packets of another, and none of the one that was followed, mean that this has happened: some ten
    /// seconds.
    private static let patience = 250

    let source: String
    private let context: UnsafeMutablePointer<AVFormatContext>
    /// When the other side had answered; what came while the stream was probed is older than it looks.
    let opened: WallClock.Reading
    /// Behind `context`'s own I/O where FFmpeg's could not be interrupted; outlives it.
    private let bytes: ByteSource?
    private let interrupt: Interrupt
    /// Nil for what may take as long as it likes.
    private let deadlines: IngestDeadlines?
    /// Set with the first picture: from then on each packet has a deadline of its own.
    var hasFrame = false
    private(set) var streamIndex: Int
    private var packetsOfOthers = 0

    init(_ options: VideoReader.Options, interrupt: Interrupt) throws(VideoError) {
        let input = options.input
        source = input.displayName
        self.interrupt = interrupt
        let mark = FFmpegLog.mark()
        let url: String
        switch input {
        case .file(let path):
            bytes = try Self.openSpecialFile(path, source: source, interrupt: interrupt)
            // The scheme keeps names with a colon from being taken for URLs.
            url = "file:" + path
        case .standardInput:
            guard let standardInput = ByteSource(descriptor: 0, closing: false, interrupt: interrupt) else {
                throw VideoError(.open, .outOfMemory, source: source)
            }
            bytes = standardInput
            url = "pipe:0"
        case .url(let text):
            bytes = nil
            url = text
        case .device(let path):
            bytes = nil
            url = path
        }
        deadlines = input.mayHang ? options.deadlines : nil
        let format = try Self.format(of: input)

        var context = avformat_alloc_context()
        guard let allocated = context else { throw VideoError(.open, .outOfMemory, source: source) }
        allocated.pointee.interrupt_callback = interrupt.callback
        if let bytes { allocated.pointee.pb = bytes.context }
        // A camera that has no picture yet says so and does not wait.
        if case .device = input { allocated.pointee.flags |= AVFMT_FLAG_NONBLOCK }
        var dictionary = Self.dictionary(for: options)
        defer { av_dict_free(&dictionary) }
        interrupt.begin(.connect, deadlines)
        let opened = avformat_open_input(&context, url, format, &dictionary)
        guard opened >= 0, let context else {
            let log = FFmpegLog.lines(since: mark)
            let error = VideoError(.open, code: interrupt.translate(opened), source: source, log: log)
            // Anything that is only called .mp4 lacks an index too.
            if error.reason == .unfinished, case .file(let path) = input, bytes == nil, !Self.beginsAsMP4(path) {
                throw VideoError(.open, .notAVideo, code: opened, source: source)
            }
            throw error
        }
        self.context = context
        self.opened = .now
        streamIndex = -1
        // From here on `deinit` closes the context, thrown errors included.
        interrupt.begin(.probe, deadlines)
        let probed = Self.isTextArt(context) ? cff_ERROR_INVALIDDATA : avformat_find_stream_info(context, nil)
        // An interrupted read ends the probing, not always with an error; half a packet may be lost, so this is the end.
        let code = interrupt.translate(min(probed, 0))
        guard code >= 0 else {
            throw VideoError(.probe, code: code, source: source, log: FFmpegLog.lines(since: mark))
        }
        try selectStream(log: FFmpegLog.lines(since: mark))
        interrupt.begin(.firstFrame, deadlines)
    }

    deinit {
        var context: UnsafeMutablePointer<AVFormatContext>? = context
        avformat_close_input(&context)
        // Its I/O is not closed with it and has to live until here.
        withExtendedLifetime(bytes) {}
    }

    /// FIFOs, sockets and devices get an I/O of ours; for ordinary files, nil.
    ///
    /// Faults that FFmpeg has one word for all of are told apart here.
    private static func openSpecialFile(
        _ path: String,
        source: String,
        interrupt: Interrupt
    ) throws(VideoError) -> ByteSource? {
        var status = stat()
        guard stat(path, &status) == 0 else { throw VideoError(.open, code: -errno, source: source) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: throw VideoError(.open, .isDirectory, code: cff_ERROR_EISDIR, source: source)
        case S_IFREG:
            guard access(path, R_OK) == 0 else { throw VideoError(.open, code: -errno, source: source) }
            // Files of the proc file system claim to be empty.
            guard status.st_size > 0 || path.hasPrefix("/proc/") else {
                throw VideoError(.open, .empty, source: source)
            }
            return nil
        default: break
        }
        // Without O_NONBLOCK, opening a FIFO waits for its writer, and nothing could stop that.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw VideoError(.open, code: -errno, source: source) }
        guard let bytes = ByteSource(descriptor: descriptor, closing: true, interrupt: interrupt) else {
            close(descriptor)
            throw VideoError(.open, .outOfMemory, source: source)
        }
        return bytes
    }

    /// Whether a file begins with a box of the ISO base media format.
    private static func beginsAsMP4(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 8)
        guard Glibc.read(descriptor, &header, header.count) == header.count else { return false }
        let name = String(decoding: header[4...], as: UTF8.self)
        return ["ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide", "pnot", "uuid"].contains(name)
    }

    /// FFmpeg renders text files as video of a terminal; nobody who names one means that.
    private static func isTextArt(_ context: UnsafeMutablePointer<AVFormatContext>) -> Bool {
        guard let name = context.pointee.iformat?.pointee.name else { return false }
        return ["tty", "bin", "xbin", "adf", "idf"].contains(String(cString: name))
    }

    // MARK: - The stream

    private func selectStream(log: [String]) throws(VideoError) {
        var index = Int(av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0))
        if index >= 0, !isMotion(index) {
            // FFmpeg may prefer a cover picture to the video it belongs to.
            index = (0..<Int(context.pointee.nb_streams)).first { isMotion($0) } ?? -1
        }
        guard index >= 0 else {
            let hasCoverArt = (0..<Int(context.pointee.nb_streams)).contains { isVideo($0) }
            throw VideoError(.probe, .noVideoStream(coverArt: hasCoverArt), source: source, log: log)
        }
        follow(index)
    }

    private func follow(_ index: Int) {
        streamIndex = index
        for other in 0..<Int(context.pointee.nb_streams) {
            let isKept = other == index || hasDiscontinuousTime && isMotion(other)
            context.pointee.streams[other]?.pointee.discard = isKept ? AVDISCARD_DEFAULT : AVDISCARD_ALL
        }
    }

    private func isVideo(_ index: Int) -> Bool {
        context.pointee.streams[index]?.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
    }

    private func isMotion(_ index: Int) -> Bool {
        guard isVideo(index), let stream = context.pointee.streams[index] else { return false }
        return stream.pointee.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS) == 0
    }

    /// Of the selected stream, which `init` made sure there is.
    var stream: UnsafeMutablePointer<AVStream> {
        guard let stream = context.pointee.streams[streamIndex] else { preconditionFailure("no stream \(streamIndex)") }
        return stream
    }

    var containerName: String {
        context.pointee.iformat?.pointee.name.map { String(cString: $0) } ?? "unknown"
    }

    /// Seconds, if the container tells.
    var duration: Double? {
        let tick = av_q2d(stream.pointee.time_base)
        if stream.pointee.duration != cff_NOPTS_VALUE, stream.pointee.duration > 0, tick.isFinite {
            return Double(stream.pointee.duration) * tick
        }
        let whole = context.pointee.duration
        return whole != cff_NOPTS_VALUE && whole > 0 ? Double(whole) / Double(AV_TIME_BASE) : nil
    }

    /// Mean frames per second, if the container tells.
    var framesPerSecond: Double? {
        let rate = stream.pointee.avg_frame_rate
        return Rational(numerator: rate.num, denominator: rate.den).value
    }

    /// Packets of the video stream, if the container has an index that tells.
    var packetCount: Int? {
        let count = Int(stream.pointee.nb_frames)
        guard count > 0 else { return nil }
        switch containerName {
        case "avi": return count
        // What an edit list trims away is counted by the header, but is neither in the index nor ever read.
        case "mov,mp4,m4a,3gp,3g2,mj2": return min(count, Int(avformat_index_get_entries_count(stream)))
        default: return nil
        }
    }

    /// Ticks of the stream's time base.
    var startTime: Int64? {
        stream.pointee.start_time == cff_NOPTS_VALUE ? nil : stream.pointee.start_time
    }

    /// When the sender says that it took the picture of a packet, seconds since 1970; nil until it says so.
    ///
    /// Reckoned from the last RTCP sender report where FFmpeg does that (from 5.1 on), else from the first.
    func senderTime(of packet: PacketBox) -> Double? {
        var size = 0
        if let bytes = av_packet_get_side_data(packet.packet, AV_PKT_DATA_PRFT, &size),
            size >= MemoryLayout<AVProducerReferenceTime>.size
        {
            let time = UnsafeRawPointer(bytes).loadUnaligned(as: AVProducerReferenceTime.self)
            return Double(time.wallclock) * 1e-6
        }
        // It comes with the first report, which may be later than the first picture. Other demuxers put the time of a
        // recording there.
        let start = context.pointee.start_time_realtime
        guard containerName == "rtsp" || containerName == "sdp", start != cff_NOPTS_VALUE, start != 0,
            let stamp = packet.presentation
        else { return nil }
        return Double(start) * 1e-6 + Double(stamp) * av_q2d(stream.pointee.time_base)
    }

    /// Whether the container may hold several timelines one after the other.
    var hasDiscontinuousTime: Bool {
        (context.pointee.iformat?.pointee.flags ?? 0) & AVFMT_TS_DISCONT != 0
    }

    var isSeekable: Bool {
        guard let io = context.pointee.pb else { return true }
        return io.pointee.seekable & AVIO_SEEKABLE_NORMAL != 0
    }

    /// Of the picture that `frame` holds, or of the stream before there is one.
    func pixelAspect(of frame: UnsafeMutablePointer<AVFrame>?) -> Rational {
        let ratio = av_guess_sample_aspect_ratio(context, stream, frame)
        return Rational(numerator: ratio.num, denominator: ratio.den)
    }

    /// As the container wants the stream to be shown; a frame's own matrix counts more.
    var orientation: Orientation {
        var size = 0
        guard let bytes = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size) else { return .upright }
        return Orientation(sideData: bytes, size: size)
    }

    // MARK: - Packets

    /// Reads the next packet of the video stream into `packet`.
    func read(into packet: UnsafeMutablePointer<AVPacket>) -> ReadResult {
        if hasFrame { interrupt.begin(.read, deadlines) }
        while true {
            if interrupt.isDue { return .failed(code: interrupt.translate(cff_ERROR_EXIT)) }
            let code = av_read_frame(context, packet)
            if code == cff_ERROR_EAGAIN {
                usleep(5000)
                continue
            }
            if code < 0 {
                let real = interrupt.translate(code)
                if real == cff_ERROR_EOF { return ioError ?? .endOfStream }
                return real == cff_ERROR_INVALIDDATA ? .damaged(code: real) : .failed(code: real)
            }
            let index = Int(packet.pointee.stream_index)
            if index == streamIndex {
                packetsOfOthers = 0
                return .packet(packet)
            }
            if isMotion(index), hasDiscontinuousTime {
                packetsOfOthers += 1
                if packetsOfOthers > Self.patience {
                    follow(index)
                    return .packet(packet)
                }
            } else {
                context.pointee.streams[index]?.pointee.discard = AVDISCARD_ALL
            }
            av_packet_unref(packet)
        }
    }

    /// Some demuxers report a failed read as the end.
    private var ioError: ReadResult? {
        guard let io = context.pointee.pb, io.pointee.error < 0, io.pointee.error != cff_ERROR_EOF else { return nil }
        return .failed(code: interrupt.translate(io.pointee.error))
    }

    /// Goes to the last keyframe at or before `timestamp`, or before it; false if the input cannot.
    func seek(to timestamp: Int64) -> Bool {
        isSeekable && av_seek_frame(context, Int32(streamIndex), timestamp, AVSEEK_FLAG_BACKWARD) >= 0
    }
}
