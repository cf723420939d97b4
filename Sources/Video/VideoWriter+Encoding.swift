internal import CFFmpeg
package import Imaging

/// The C objects behind a `VideoWriter`: scaler, encoder, muxer, file.
final class VideoEncoding: @unchecked Sendable {
    // Unchecked: owned by exactly one VideoWriter, whose mutating methods are the only ones to call this.
    private let path: String
    private let size: Size
    private let colors: VideoColors
    private var format: UnsafeMutablePointer<AVFormatContext>?
    private var codec: UnsafeMutablePointer<AVCodecContext>?
    private var frame: UnsafeMutablePointer<AVFrame>?
    private var packet: UnsafeMutablePointer<AVPacket>?
    private var scaler: OpaquePointer?
    /// Of the last picture, in the encoder's time base.
    private var lastTime: Int64 = -1
    private(set) var encoderName = ""
    private let framesPerSecond: Double
    private let hasSeparateStretches: Bool
    private(set) var stretches: [VideoWriter.Stretch] = []
    private var hasher = SHA256()
    /// Pictures taken, and those of them before the stretch in hand.
    private var (frameCount, firstOfStretch) = (0, 0)
    /// Of the picture before.
    private var lastDuration: Int64 = 0

    /// - Parameter size: even sides.
    init(path: String, size: Size, framesPerSecond: Double, hasSeparateStretches: Bool) throws(VideoWriterError) {
        self.path = path
        self.size = size
        self.framesPerSecond = framesPerSecond
        self.hasSeparateStretches = hasSeparateStretches
        colors = VideoColors(height: size.height)
        FFmpegLog.capture()
        try openEncoder()
        try openFile()
    }

    deinit {
        // Without a trailer: what was handed to the file stays playable.
        if let format { avio_closep(&format.pointee.pb) }
        avformat_free_context(format)
        avcodec_free_context(&codec)
        av_frame_free(&frame)
        av_packet_free(&packet)
        sws_freeContext(scaler)
    }

    // MARK: - Opening

    private func openEncoder() throws(VideoWriterError) {
        var failure = cff_ERROR_ENCODER_NOT_FOUND
        // A file has one encoder from its first stretch to its last.
        for name in encoderName.isEmpty ? ["libx264", "mpeg4"] : [encoderName] {
            guard let encoder = avcodec_find_encoder_by_name(name),
                let context = avcodec_alloc_context3(encoder)
            else { continue }
            codec = context
            context.pointee.width = Int32(size.width)
            context.pointee.height = Int32(size.height)
            context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
            // MPEG-4 Part 2 counts in 16 bits.
            context.pointee.time_base = AVRational(num: 1, den: name == "mpeg4" ? 60_000 : 90_000)
            context.pointee.framerate = av_d2q(framesPerSecond, 60_000)
            context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
            context.pointee.colorspace = colors.matrix
            context.pointee.color_primaries = colors.primaries
            context.pointee.color_trc = colors.transfer
            context.pointee.color_range = AVCOL_RANGE_MPEG
            context.pointee.chroma_sample_location = AVCHROMA_LOC_LEFT
            // Keyframes come by time, from the writer. No B-frames: pictures leave in the order of their times, so
            // fragments are cut exactly and little is held back.
            context.pointee.gop_size = 600
            context.pointee.max_b_frames = 0
            context.pointee.thread_count = 2
            context.pointee.flags |= Int32(AV_CODEC_FLAG_GLOBAL_HEADER)
            var options: OpaquePointer?
            if name == "libx264" {
                av_dict_set(&options, "preset", "veryfast", 0)
                av_dict_set(&options, "crf", "20", 0)
                av_dict_set(&options, "forced-idr", "1", 0)
            } else {
                context.pointee.flags |= Int32(AV_CODEC_FLAG_QSCALE)
                context.pointee.global_quality = 3 * cff_QP2LAMBDA
            }
            failure = avcodec_open2(context, encoder, &options)
            av_dict_free(&options)
            if failure >= 0 {
                encoderName = name
                if frame == nil { try makeFrame() }
                return
            }
            avcodec_free_context(&codec)
        }
        throw VideoWriterError(.openEncoder, path: path, code: failure)
    }

    private func makeFrame() throws(VideoWriterError) {
        frame = av_frame_alloc()
        packet = av_packet_alloc()
        guard let frame, packet != nil else { throw VideoWriterError(.openEncoder, path: path, code: cff_ERROR_ENOMEM) }
        frame.pointee.width = Int32(size.width)
        frame.pointee.height = Int32(size.height)
        frame.pointee.format = AV_PIX_FMT_YUV420P.rawValue
        frame.pointee.colorspace = colors.matrix
        frame.pointee.color_primaries = colors.primaries
        frame.pointee.color_trc = colors.transfer
        frame.pointee.color_range = AVCOL_RANGE_MPEG
        try check(av_frame_get_buffer(frame, 0), .openEncoder)
    }

    private func openFile() throws(VideoWriterError) {
        try check(avformat_alloc_output_context2(&format, nil, "mp4", nil), .create)
        guard let format, let codec, let stream = avformat_new_stream(format, nil) else {
            throw VideoWriterError(.create, path: path, code: cff_ERROR_ENOMEM)
        }
        stream.pointee.time_base = AVRational(num: 1, den: Int32(VideoWriterTimeline.ticksPerSecond))
        stream.pointee.avg_frame_rate = codec.pointee.framerate
        stream.pointee.sample_aspect_ratio = codec.pointee.sample_aspect_ratio
        try check(avcodec_parameters_from_context(stream.pointee.codecpar, codec), .create)
        // Each finished fragment goes to the system at once.
        format.pointee.flags |= AVFMT_FLAG_FLUSH_PACKETS
        // With the protocol's name, or "2026-05-01T12:30.mp4" would be taken for a URL.
        try check(avio_open(&format.pointee.pb, "file:" + path, AVIO_FLAG_WRITE), .create)
        var options: OpaquePointer?
        av_dict_set(&options, "movflags", "frag_keyframe+empty_moov+default_base_moof", 0)
        let code = avformat_write_header(format, &options)
        av_dict_free(&options)
        try check(code, .write)
        try checkFile()
    }

    // MARK: - Pictures

    /// - Parameters:
    ///   - ticks: when it is shown, 1/90000 s, more than the one before.
    ///   - duration: how long it is shown in case it is the last one, in ticks.
    func encode(_ canvas: borrowing Canvas, at ticks: Int64, isKeyframe: Bool, duration: Int64) throws(VideoWriterError)
    {
        if hasSeparateStretches, isKeyframe, frameCount > firstOfStretch {
            try endStretch(duration: lastDuration)
            avcodec_free_context(&codec)
            try openEncoder()
        }
        (frameCount, lastDuration) = (frameCount + 1, duration)
        guard let frame, let codec else { throw VideoWriterError(.encode, path: path, code: cff_ERROR_EINVAL) }
        try check(av_frame_make_writable(frame), .encode)
        guard convert(canvas, into: frame) else {
            throw VideoWriterError(.encode, path: path, code: cff_ERROR_ENOMEM)
        }
        // MPEG-4 Part 2 counts more coarsely, and takes no time twice.
        let time = av_rescale_q(ticks, AVRational(num: 1, den: 90_000), codec.pointee.time_base)
        lastTime = max(lastTime + 1, time)
        frame.pointee.pts = lastTime
        frame.pointee.pict_type = isKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
        try check(avcodec_send_frame(codec, frame), .encode)
        try writePackets(duration: duration)
    }

    /// Empties the encoder.
    private func endStretch(duration: Int64) throws(VideoWriterError) {
        guard let codec else { return }
        try check(avcodec_send_frame(codec, nil), .encode)
        try writePackets(duration: duration)
        guard hasSeparateStretches, frameCount > firstOfStretch else { return }
        stretches.append(VideoWriter.Stretch(frames: firstOfStretch..<frameCount, digest: hasher.digest()))
        (firstOfStretch, hasher) = (frameCount, SHA256())
    }

    /// Empties the encoder, ends the file and closes it.
    func finish(duration: Int64) throws(VideoWriterError) {
        guard codec != nil, let format else { return }
        try endStretch(duration: duration)
        try check(av_write_trailer(format), .finish)
        try checkFile()
        try check(avio_closep(&format.pointee.pb), .finish)
    }

    private func writePackets(duration: Int64) throws(VideoWriterError) {
        guard let codec, let format, let packet, let stream = format.pointee.streams[0] else { return }
        while true {
            let code = avcodec_receive_packet(codec, packet)
            if code == cff_ERROR_EAGAIN || code == cff_ERROR_EOF { return }
            try check(code, .encode)
            if hasSeparateStretches {
                hasher.update(UnsafeRawBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
            }
            av_packet_rescale_ts(packet, codec.pointee.time_base, stream.pointee.time_base)
            packet.pointee.stream_index = 0
            // The muxer takes the distance to the next picture where there is one.
            packet.pointee.duration = duration
            let written = av_write_frame(format, packet)
            av_packet_unref(packet)
            try check(written, .write)
            try checkFile()
        }
    }

    /// Scales into the largest centred rectangle that keeps the proportions; a canvas of the video's size, or one that
    /// exceeds it by an odd row or column, fills it as it is.
    private func convert(_ canvas: borrowing Canvas, into frame: UnsafeMutablePointer<AVFrame>) -> Bool {
        let fit = Letterbox(canvas.size, in: size)
        scaler = sws_getCachedContext(
            scaler,
            Int32(fit.source.width),
            Int32(fit.source.height),
            AV_PIX_FMT_RGB24,
            Int32(fit.size.width),
            Int32(fit.size.height),
            AV_PIX_FMT_YUV420P,
            fit.size == fit.source ? SWS_BILINEAR : SWS_BICUBIC,
            nil,
            nil,
            nil
        )
        guard let scaler else { return false }
        let table = sws_getCoefficients(colors.table)
        guard sws_setColorspaceDetails(scaler, table, 1, table, 0, 0, 1 << 16, 1 << 16) >= 0 else { return false }
        let lines = frame.pointee.linesize
        let strides = [lines.0, lines.1, lines.2, 0]
        guard let y = frame.pointee.data.0, let cb = frame.pointee.data.1, let cr = frame.pointee.data.2 else {
            return false
        }
        if fit.size != size {
            y.update(repeating: 16, count: Int(lines.0) * size.height)
            cb.update(repeating: 128, count: Int(lines.1) * size.height / 2)
            cr.update(repeating: 128, count: Int(lines.2) * size.height / 2)
        }
        let targets: [UnsafeMutablePointer<UInt8>?] = [
            y + fit.top * Int(lines.0) + fit.left, cb + fit.top / 2 * Int(lines.1) + fit.left / 2,
            cr + fit.top / 2 * Int(lines.2) + fit.left / 2, nil,
        ]
        return canvas.withUnsafeBytes { bytes in
            let sources: [UnsafePointer<UInt8>?] = [bytes.baseAddress, nil, nil, nil]
            let rows = sws_scale(
                scaler,
                sources,
                [Int32(bytes.stride), 0, 0, 0],
                0,
                Int32(fit.source.height),
                targets,
                strides
            )
            return rows == Int32(fit.size.height)
        }
    }

    // MARK: - Errors

    private func check(_ code: Int32, _ operation: VideoWriterError.Operation) throws(VideoWriterError) {
        if code < 0 { throw VideoWriterError(operation, path: path, code: code) }
    }

    /// The muxer does not look whether its bytes arrived.
    private func checkFile() throws(VideoWriterError) {
        if let file = format?.pointee.pb { try check(file.pointee.error, .write) }
    }
}

/// The colours of a video, as players assume them: BT.709 in high definition, BT.601 below.
private struct VideoColors {
    let matrix: AVColorSpace
    let primaries: AVColorPrimaries
    let transfer: AVColorTransferCharacteristic
    let table: Int32

    init(height: Int) {
        if height > 576 {
            (matrix, primaries, transfer, table) = (AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709, SWS_CS_ITU709)
        } else {
            (matrix, primaries, transfer) = (AVCOL_SPC_SMPTE170M, AVCOL_PRI_SMPTE170M, AVCOL_TRC_SMPTE170M)
            table = SWS_CS_ITU601
        }
    }
}

/// Where a canvas lies in a video of another size.
package struct Letterbox: Hashable, Sendable {
    /// What is taken of the canvas, from its top left.
    let source: Size
    /// Even numbers, so that the chroma planes meet the luma plane.
    let left: Int
    let top: Int
    let size: Size

    package init(_ canvas: Size, in video: Size) {
        if canvas.width - video.width == canvas.width & 1, canvas.height - video.height == canvas.height & 1 {
            (source, left, top, size) = (video, 0, 0, video)
            return
        }
        source = canvas
        let scale = min(Double(video.width) / Double(canvas.width), Double(video.height) / Double(canvas.height))
        func fitted(_ side: Int, _ limit: Int) -> Int {
            max(2, min(limit, Int((Double(side) * scale / 2).rounded()) * 2))
        }
        size = Size(width: fitted(canvas.width, video.width), height: fitted(canvas.height, video.height))
        left = (video.width - size.width) / 4 * 2
        top = (video.height - size.height) / 4 * 2
    }
    /// Where a region of the canvas lies in the video, both in pixels.
    package func place(_ rect: Rect) -> Rect {
        let x = Float(size.width) / Float(source.width), y = Float(size.height) / Float(source.height)
        return Rect(
            left: Float(left) + rect.left * x,
            top: Float(top) + rect.top * y,
            width: rect.width * x,
            height: rect.height * y
        )
    }

    /// Where a region of the video lies in the canvas, the other way round; perhaps outside of it.
    package func origin(of rect: Rect) -> Rect {
        let x = Float(source.width) / Float(size.width), y = Float(source.height) / Float(size.height)
        return Rect(
            left: (rect.left - Float(left)) * x,
            top: (rect.top - Float(top)) * y,
            width: rect.width * x,
            height: rect.height * y
        )
    }
}
