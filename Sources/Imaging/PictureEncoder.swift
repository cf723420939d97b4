internal import CFFmpeg
internal import Glibc

/// A picture that could not be made into a file.
package struct ImagingError: Error, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case openEncoder = "open the encoder"
        case encode
        case createFile = "create"
        case writeFile = "write"
        case renameFile = "put in place"
    }

    package let operation: Operation
    /// The file; empty when the picture was meant for memory.
    package let path: String
    /// `errno`, or FFmpeg's own negative code.
    package let code: Int32

    package init(operation: Operation, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var description: String {
        let what = path.isEmpty ? "cannot \(operation.rawValue) picture" : "cannot \(operation.rawValue) \(path)"
        return "\(what): \(reason)\(remedy.map { "; \($0)" } ?? "")"
    }

    private var reason: String {
        if code >= 0 { return String(cString: strerror(code)) }
        var text = [CChar](repeating: 0, count: 128)
        av_strerror(code, &text, text.count)
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "error \(code)" }
    }

    /// What the person in front of it can do, if anything.
    package var remedy: String? {
        // The encoder's numbers only look like those of the system.
        if operation == .encode { return nil }
        return switch code {
        case ENOSPC, EDQUOT: "free some space there, or choose another folder"
        case EACCES, EPERM: "choose a folder that this user may write to"
        case EROFS: "the file system is read-only: choose another folder"
        case ENOENT: "create the folder first"
        case ENOTDIR: "part of the path is a file, not a folder"
        case EISDIR: "this is a folder: add a file name"
        case ENAMETOOLONG: "choose a shorter name"
        default: operation == .openEncoder ? "install an FFmpeg that has this encoder" : nil
        }
    }
}

/// Makes PNG and JPEG out of canvases.
package enum PictureEncoder {
    package enum Format: Sendable, Hashable {
        case png
        /// 1–100 as the Independent JPEG Group counts it; 90 and above keep the full resolution of the colours.
        case jpeg(quality: Int)

        /// By the ending of a file name; nil when it is neither.
        package init?(path: String, quality: Int = 90) {
            let lowercased = path.lowercased()
            if lowercased.hasSuffix(".png") {
                self = .png
            } else if lowercased.hasSuffix(".jpg") || lowercased.hasSuffix(".jpeg") {
                self = .jpeg(quality: quality)
            } else {
                return nil
            }
        }
    }

    /// Writes a canvas to a file.
    ///
    /// The file appears whole or not at all: the bytes go to a temporary name beside it
    /// first. A device or a pipe is written to directly.
    package static func write(_ canvas: Canvas, to path: String, format: Format) throws(ImagingError) {
        let bytes: [UInt8]
        do {
            bytes = try encode(canvas, as: format)
        } catch {
            throw ImagingError(operation: error.operation, path: path, code: error.code)
        }
        try write(bytes, to: path)
    }

    /// Writes a square region of a picture, `size` pixels a side.
    package static func write(
        _ square: RotatedSquare,
        of pyramid: Pyramid,
        size: Int,
        to path: String,
        format: Format
    ) throws(ImagingError) {
        let size = max(1, size)
        let canvas = Canvas(
            sampling: pyramid,
            map: .crop(square, size: size),
            size: Size(width: size, height: size)
        )
        try write(canvas, to: path, format: format)
    }

    // MARK: - Encoding

    /// The bytes of the file.
    package static func encode(_ canvas: Canvas, as format: Format) throws(ImagingError) -> [UInt8] {
        func check(_ code: Int32, _ operation: ImagingError.Operation) throws(ImagingError) {
            guard code < 0 else { return }
            let number = cff_errno(code)
            throw ImagingError(operation: operation, path: "", code: number > 0 ? number : code)
        }
        let (codecID, pixels, quantizer): (AVCodecID, AVPixelFormat, Int32)
        switch format {
        case .png: (codecID, pixels, quantizer) = (AV_CODEC_ID_PNG, AV_PIX_FMT_RGB24, 0)
        case .jpeg(let quality):
            let fine = quality >= 90
            (codecID, pixels) = (AV_CODEC_ID_MJPEG, fine ? AV_PIX_FMT_YUVJ444P : AV_PIX_FMT_YUVJ420P)
            quantizer = self.quantizer(quality: quality)
        }
        guard let codec = avcodec_find_encoder(codecID), let allocated = avcodec_alloc_context3(codec) else {
            throw ImagingError(operation: .openEncoder, path: "", code: cff_ERROR_ENCODER_NOT_FOUND)
        }
        var context: UnsafeMutablePointer<AVCodecContext>? = allocated
        var frame = av_frame_alloc()
        var packet = av_packet_alloc()
        defer {
            avcodec_free_context(&context)
            av_frame_free(&frame)
            av_packet_free(&packet)
        }
        guard let frame, let packet else {
            throw ImagingError(operation: .openEncoder, path: "", code: ENOMEM)
        }
        allocated.pointee.width = Int32(canvas.size.width)
        allocated.pointee.height = Int32(canvas.size.height)
        allocated.pointee.pix_fmt = pixels
        allocated.pointee.time_base = AVRational(num: 1, den: 1)
        allocated.pointee.thread_count = 1
        if quantizer > 0 {
            allocated.pointee.color_range = AVCOL_RANGE_JPEG
            allocated.pointee.colorspace = AVCOL_SPC_BT470BG
            allocated.pointee.flags |= Int32(AV_CODEC_FLAG_QSCALE)
            allocated.pointee.global_quality = quantizer * cff_QP2LAMBDA
            (allocated.pointee.qmin, allocated.pointee.qmax) = (1, 31)
        }
        try check(avcodec_open2(allocated, codec, nil), .openEncoder)

        frame.pointee.width = allocated.pointee.width
        frame.pointee.height = allocated.pointee.height
        frame.pointee.format = pixels.rawValue
        frame.pointee.color_range = allocated.pointee.color_range
        frame.pointee.quality = allocated.pointee.global_quality
        try check(av_frame_get_buffer(frame, 0), .encode)
        guard convert(canvas, into: frame, as: pixels) else {
            throw ImagingError(operation: .encode, path: "", code: EINVAL)
        }
        try check(avcodec_send_frame(allocated, frame), .encode)
        // The end of the input, or an encoder with frame threads keeps the picture.
        try check(avcodec_send_frame(allocated, nil), .encode)
        try check(avcodec_receive_packet(allocated, packet), .encode)
        return Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
    }

    /// Copies the pixels, or turns them into the colours of a JFIF file: BT.601 in full range.
    private static func convert(
        _ canvas: Canvas,
        into frame: UnsafeMutablePointer<AVFrame>,
        as pixels: AVPixelFormat
    ) -> Bool {
        let width = Int32(canvas.size.width), height = Int32(canvas.size.height)
        // JPEG's formats that say "full range" are deprecated in swscale: the range is told it below.
        let target =
            pixels == AV_PIX_FMT_YUVJ444P
            ? AV_PIX_FMT_YUV444P : pixels == AV_PIX_FMT_YUVJ420P ? AV_PIX_FMT_YUV420P : pixels
        guard
            let context = sws_getContext(
                width,
                height,
                AV_PIX_FMT_RGB24,
                width,
                height,
                target,
                SWS_BILINEAR | SWS_ACCURATE_RND,
                nil,
                nil,
                nil
            )
        else { return false }
        defer { sws_freeContext(context) }
        if target != AV_PIX_FMT_RGB24 {
            let table = sws_getCoefficients(SWS_CS_ITU601)
            guard sws_setColorspaceDetails(context, table, 1, table, 1, 0, 1 << 16, 1 << 16) >= 0 else { return false }
        }
        return canvas.withUnsafeBytes { bytes in
            var data = [frame.pointee.data.0, frame.pointee.data.1, frame.pointee.data.2, nil]
            let strides = [frame.pointee.linesize.0, frame.pointee.linesize.1, frame.pointee.linesize.2, 0]
            let sources: [UnsafePointer<UInt8>?] = [bytes.baseAddress, nil, nil, nil]
            return sws_scale(context, sources, [Int32(bytes.stride), 0, 0, 0], 0, height, &data, strides) == height
        }
    }

    /// FFmpeg's quantiser scale for a quality as the Independent JPEG Group counts it: its matrix at scale 8 is close
    /// to theirs at quality 50.
    private static func quantizer(quality: Int) -> Int32 {
        let quality = max(1, min(100, quality))
        let percent = quality < 50 ? 5000 / quality : 200 - 2 * quality
        return Int32(max(1, min(31, (percent * 8 + 50) / 100)))
    }

    // MARK: - Files

    /// Puts `bytes` into a file that appears whole or not at all.
    package static func write(_ bytes: [UInt8], to path: String) throws(ImagingError) {
        do {
            let file = try FileReplacement(path)
            try file.write(bytes)
            try file.commit()
        } catch {
            let operation: ImagingError.Operation =
                switch error.operation {
                case .open: .createFile
                case .write: .writeFile
                case .place: .renameFile
                }
            throw ImagingError(operation: operation, path: path, code: error.code)
        }
    }
}
