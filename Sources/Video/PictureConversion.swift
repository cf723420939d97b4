internal import CFFmpeg
internal import Imaging

/// Makes `Picture`s of decoded frames: without a copy where the pixels are 8-bit planes already, else by swscale.
struct PictureConverter: ~Copyable {
    private struct Layout: Hashable {
        var width: Int32
        var height: Int32
        var format: Int32
        var colorspace: Int32
        var isFullRange: Bool
    }

    private var scaler: OpaquePointer?
    private var scalerLayout: Layout?

    init() {}

    deinit {
        if let scaler { sws_freeContext(scaler) }
    }

    /// - Throws: `unsupportedPixelFormat`, `outOfMemory`.
    mutating func picture(
        of storage: FrameStorage,
        geometry: PictureGeometry,
        source: String
    ) throws(VideoError) -> Picture {
        let frame = storage.frame
        let format = AVPixelFormat(rawValue: frame.pointee.format)
        let isFullRange = Self.isFullRange(frame, format)
        let target = Self.target(for: format)
        guard target != AV_PIX_FMT_NONE else {
            throw VideoError(.convert, .unsupportedPixelFormat(Self.name(of: format)), source: source)
        }
        let usable =
            target == format
            ? storage : try convert(storage, to: target, isFullRange: isFullRange, source: source)
        guard let picture = Self.wrap(usable, target: target, color: Self.color(frame, target, isFullRange), geometry)
        else { throw VideoError(.convert, .unsupportedPixelFormat(Self.name(of: format)), source: source) }
        return picture
    }

    static func name(of format: AVPixelFormat) -> String {
        av_get_pix_fmt_name(format).map { String(cString: $0) } ?? "unknown"
    }

    // MARK: - Formats

    /// The 8-bit planar format that `format` is, or loses least in: chroma stays as it is sampled and its matrix is
    /// undone when pixels are looked at, RGB stays RGB.
    private static func target(for format: AVPixelFormat) -> AVPixelFormat {
        switch format {
        case AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV444P,
            AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_GRAY8, AV_PIX_FMT_GBRP:
            return format
        default: break
        }
        guard let descriptor = av_pix_fmt_desc_get(format), sws_isSupportedInput(format) != 0 else {
            return AV_PIX_FMT_NONE
        }
        let flags = Int32(truncatingIfNeeded: descriptor.pointee.flags)
        let isColor = flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_BAYER) != 0
        if isColor { return AV_PIX_FMT_GBRP }
        if descriptor.pointee.nb_components < 3 { return AV_PIX_FMT_GRAY8 }
        return switch (descriptor.pointee.log2_chroma_w, descriptor.pointee.log2_chroma_h) {
        case (1, 1): AV_PIX_FMT_YUV420P
        case (1, 0): AV_PIX_FMT_YUV422P
        default: AV_PIX_FMT_YUV444P
        }
    }

    private static func isFullRange(_ frame: UnsafeMutablePointer<AVFrame>, _ format: AVPixelFormat) -> Bool {
        switch format {
        case AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ411P:
            return true
        default: break
        }
        if frame.pointee.color_range == AVCOL_RANGE_JPEG { return true }
        if frame.pointee.color_range == AVCOL_RANGE_MPEG { return false }
        // Unspecified: video is limited, grey and RGB pictures are not.
        guard let descriptor = av_pix_fmt_desc_get(format) else { return false }
        return descriptor.pointee.nb_components < 3
    }

    /// Luma weights by the frame's matrix; where none is named, BT.709 from 1280 x 720 on and BT.601 below, as players do.
    private static func color(
        _ frame: UnsafeMutablePointer<AVFrame>,
        _ target: AVPixelFormat,
        _ isFullRange: Bool
    ) -> ColorTransform {
        switch target {
        case AV_PIX_FMT_GBRP: return .identity
        case AV_PIX_FMT_GRAY8:
            let scale: Float = isFullRange ? 1 : 255.0 / 219.0
            return ColorTransform(
                matrix: [scale, 0, 0, 0, scale, 0, 0, 0, scale],
                offset: isFullRange ? [0, 0, 0] : [16, 16, 16]
            )
        default: break
        }
        switch frame.pointee.colorspace {
        case AVCOL_SPC_BT709: return .yCbCr(kr: 0.2126, kb: 0.0722, fullRange: isFullRange)
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL:
            return .yCbCr(kr: 0.2627, kb: 0.0593, fullRange: isFullRange)
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M, AVCOL_SPC_FCC:
            return .yCbCr(kr: 0.299, kb: 0.114, fullRange: isFullRange)
        case AVCOL_SPC_SMPTE240M: return .yCbCr(kr: 0.212, kb: 0.087, fullRange: isFullRange)
        default:
            return frame.pointee.height >= 720 || frame.pointee.width >= 1280
                ? .yCbCr(kr: 0.2126, kb: 0.0722, fullRange: isFullRange)
                : .yCbCr(kr: 0.299, kb: 0.114, fullRange: isFullRange)
        }
    }

    // MARK: - Pixels

    private static func wrap(
        _ storage: FrameStorage,
        target: AVPixelFormat,
        color: ColorTransform,
        _ geometry: PictureGeometry
    ) -> Picture? {
        let frame = storage.frame.pointee
        guard let descriptor = av_pix_fmt_desc_get(target)?.pointee else { return nil }
        let full = Size(width: Int(frame.width), height: Int(frame.height))
        let half = Size(
            width: -((-full.width) >> Int(descriptor.log2_chroma_w)),
            height: -((-full.height) >> Int(descriptor.log2_chroma_h))
        )
        let plane: (UnsafeMutablePointer<UInt8>?, Int32, Size) -> Plane? = { base, stride, size in
            base.map { Plane(base: UnsafePointer($0), stride: Int(stride), size: size) }
        }
        let data = frame.data, stride = frame.linesize
        let planes: [Plane?] =
            switch target {
            case AV_PIX_FMT_GRAY8: [plane(data.0, stride.0, full)]
            // FFmpeg keeps green, blue, red.
            case AV_PIX_FMT_GBRP:
                [plane(data.2, stride.2, full), plane(data.0, stride.0, full), plane(data.1, stride.1, full)]
            default: [plane(data.0, stride.0, full), plane(data.1, stride.1, half), plane(data.2, stride.2, half)]
            }
        let present = planes.compactMap { $0 }
        guard present.count == planes.count, full.width > 0, full.height > 0 else { return nil }
        return Picture(
            planes: present,
            color: color,
            size: geometry.displayed,
            displayToStored: geometry.displayToStored,
            storage: storage
        )
    }

    private mutating func convert(
        _ storage: FrameStorage,
        to target: AVPixelFormat,
        isFullRange: Bool,
        source: String
    ) throws(VideoError) -> FrameStorage {
        let frame = storage.frame
        guard let result = FrameStorage() else { throw VideoError(.convert, .outOfMemory, source: source) }
        result.frame.pointee.width = frame.pointee.width
        result.frame.pointee.height = frame.pointee.height
        result.frame.pointee.format = target.rawValue
        guard av_frame_get_buffer(result.frame, 0) >= 0 else {
            throw VideoError(.convert, .outOfMemory, source: source)
        }
        try prepareScaler(for: frame, target: target, isFullRange: isFullRange, source: source)
        let code = sws_scale_frame(scaler, result.frame, frame)
        guard code >= 0 else { throw VideoError(.convert, code: code, source: source) }
        return result
    }

    private mutating func prepareScaler(
        for frame: UnsafeMutablePointer<AVFrame>,
        target: AVPixelFormat,
        isFullRange: Bool,
        source: String
    ) throws(VideoError) {
        let layout = Layout(
            width: frame.pointee.width,
            height: frame.pointee.height,
            format: frame.pointee.format,
            colorspace: Int32(truncatingIfNeeded: frame.pointee.colorspace.rawValue),
            isFullRange: isFullRange
        )
        if scaler != nil, scalerLayout == layout { return }
        if let scaler { sws_freeContext(scaler) }
        scaler = sws_getContext(
            layout.width,
            layout.height,
            AVPixelFormat(rawValue: layout.format),
            layout.width,
            layout.height,
            target,
            SWS_BILINEAR | SWS_ACCURATE_RND,
            nil,
            nil,
            nil
        )
        scalerLayout = layout
        guard let scaler else {
            let name = Self.name(of: AVPixelFormat(rawValue: layout.format))
            throw VideoError(.convert, .unsupportedPixelFormat(name), source: source)
        }
        // The same matrix and range on both sides: only depth and layout of the samples change here, and
        // `ColorTransform` does the rest. Formats without a matrix refuse this call, rightly.
        let matrix = sws_getCoefficients(SWS_CS_DEFAULT)
        let range: Int32 = isFullRange ? 1 : 0
        sws_setColorspaceDetails(scaler, matrix, range, matrix, range, 0, 1 << 16, 1 << 16)
    }
}
