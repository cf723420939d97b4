internal import CFFmpeg

/// Owns one decoded frame; its bytes are never written again.
final class FrameStorage: @unchecked Sendable {
    // Unchecked: the frame is filled before it is shared and read-only from then on.
    let frame: UnsafeMutablePointer<AVFrame>

    /// An empty frame; nil when memory is short.
    init?() {
        guard let frame = av_frame_alloc() else { return nil }
        self.frame = frame
    }

    deinit {
        var frame: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&frame)
    }
}

/// One codec context.
///
/// Has one owner.
final class Decoder {
    enum Output {
        case frame(FrameStorage)
        case needsInput
        case end
        case damaged(code: Int32)
    }

    private let context: UnsafeMutablePointer<AVCodecContext>
    let codec: AVCodecID
    let codecName: String
    /// Every picture stands alone: what nobody needs is not even handed in.
    let isIntraOnly: Bool
    /// Whether the decoder can leave out frames that no other frame is predicted from, and nothing else changes.
    let canSkipNonReference: Bool
    private let disposability: Disposability
    /// Where the decoder's threads log; nil for the process's lines.
    private let log = FFmpegLog.owned

    /// - Parameter ignoringExtradata: it is the former codec's; the stream repeats what matters in its packets.
    init(
        _ parameters: UnsafeMutablePointer<AVCodecParameters>,
        timeBase: AVRational,
        threads: Int,
        source: String,
        ignoringExtradata: Bool = false
    ) throws(VideoError) {
        let mark = FFmpegLog.mark()
        codec = parameters.pointee.codec_id
        codecName = String(cString: avcodec_get_name(codec))
        guard let decoder = avcodec_find_decoder(codec) else {
            throw VideoError(
                .openDecoder,
                .noDecoder(codec: Self.name(of: parameters)),
                code: cff_ERROR_DECODER_NOT_FOUND,
                source: source
            )
        }
        guard let context = avcodec_alloc_context3(decoder) else {
            throw VideoError(.openDecoder, .outOfMemory, source: source)
        }
        self.context = context
        let properties = avcodec_descriptor_get(codec)?.pointee.props ?? 0
        isIntraOnly = properties & AV_CODEC_PROP_INTRA_ONLY != 0
        disposability = Disposability(parameters)
        canSkipNonReference = !ignoringExtradata && Self.canSkipNonReference(parameters)
        var code = avcodec_parameters_to_context(context, parameters)
        if ignoringExtradata {
            av_freep(&context.pointee.extradata)
            context.pointee.extradata_size = 0
        }
        if code >= 0 {
            context.pointee.opaque = log.map { Unmanaged.passUnretained($0).toOpaque() }
            context.pointee.pkt_timebase = timeBase
            context.pointee.thread_count = Int32(max(1, min(64, threads)))
            code = avcodec_open2(context, decoder, nil)
        }
        guard code >= 0 else {
            throw VideoError(.openDecoder, code: code, source: source, log: FFmpegLog.lines(since: mark))
        }
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
        withExtendedLifetime(log) {}
    }

    /// Hands in a packet, or nil once to get out what is still inside.
    ///
    /// Before this, `receive` has to say that it needs input.
    ///
    /// With frame threads FFmpeg hands `discard` to the thread together with the packet, so it holds for this packet
    /// and no other.
    func send(_ packet: UnsafeMutablePointer<AVPacket>?, discard: AVDiscard) -> Int32 {
        context.pointee.skip_frame = discard
        return avcodec_send_packet(context, packet)
    }

    /// Whether the packet's picture is one that `AVDISCARD_NONREF` leaves out.
    func isDisposable(_ packet: UnsafeMutablePointer<AVPacket>) -> Bool {
        canSkipNonReference && disposability.isDisposable(packet)
    }

    func receive() throws(VideoError) -> Output {
        guard let storage = FrameStorage() else { throw VideoError(.decode, .outOfMemory, source: codecName) }
        let code = avcodec_receive_frame(context, storage.frame)
        return switch code {
        case 0...: .frame(storage)
        case cff_ERROR_EAGAIN: .needsInput
        case cff_ERROR_EOF: .end
        case cff_ERROR_ENOMEM: throw VideoError(.decode, .outOfMemory, code: code, source: codecName)
        default: .damaged(code: code)
        }
    }

    private static func name(of parameters: UnsafeMutablePointer<AVCodecParameters>) -> String {
        let name = String(cString: avcodec_get_name(parameters.pointee.codec_id))
        var tag = [CChar](repeating: 0, count: Int(AV_FOURCC_MAX_STRING_SIZE))
        av_fourcc_make_string(&tag, parameters.pointee.codec_tag)
        let fourCC = String(decoding: tag.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name == "none" || name == "unknown_codec" ? fourCC : name
    }

    /// Only codecs that say in each picture whether others are predicted from it.
    ///
    /// Left out on purpose: VP8 and VP9, whose invisible frames share times with visible ones; MPEG-4 part 2, whose
    /// packets may hold two frames; HEVC with temporal layers, where a picture that its own layer does not refer to is
    /// marked so even if a higher layer does.
    private static func canSkipNonReference(_ parameters: UnsafeMutablePointer<AVCodecParameters>) -> Bool {
        switch parameters.pointee.codec_id {
        case AV_CODEC_ID_H264, AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO: return true
        case AV_CODEC_ID_HEVC:
            guard let bytes = parameters.pointee.extradata else { return false }
            return hevcHasOneLayer(UnsafeBufferPointer(start: bytes, count: Int(parameters.pointee.extradata_size)))
        default: return false
        }
    }

    /// Whether every sequence parameter set among `extradata` has `sps_max_sub_layers_minus1` = 0 (ITU-T H.265 7.3.2.2).
    ///
    /// Start codes and the length fields of `hvcC` both end in a byte before the header, so the header of such a set
    /// (type 33: bytes 0x42 0x01) is looked for; whatever else looks like one only makes the answer more careful.
    private static func hevcHasOneLayer(_ extradata: UnsafeBufferPointer<UInt8>) -> Bool {
        var found = false
        for index in extradata.indices.dropLast(2) where extradata[index] == 0x42 && extradata[index + 1] == 0x01 {
            if (extradata[index + 2] >> 1) & 7 != 0 { return false }
            found = true
        }
        return found
    }
}
