internal import CFFmpeg
internal import Glibc

extension VideoInput {
    /// Whether the other side may fall silent, so that deadlines are needed.
    var mayHang: Bool {
        switch self {
        case .url, .device: true
        case .file, .standardInput: false
        }
    }
}

extension Demuxer {
    /// What FFmpeg is told beside the name of the input; the caller frees it.
    static func dictionary(for options: VideoReader.Options) -> OpaquePointer? {
        var dictionary: OpaquePointer?
        switch options.input {
        case .file, .standardInput:
            // Per cent signs in names of pictures are no numbering.
            av_dict_set(&dictionary, "pattern_type", "none", 0)
        case .url(let url):
            // Our own deadlines know the phase and come first; these are for what does not ask the interrupt callback.
            let deadlines = options.deadlines
            let longest = max(deadlines.connect, deadlines.probe, deadlines.firstFrame, deadlines.read) + 1
            let microseconds = Int64(longest * 1e6)
            let scheme = url.prefix { $0 != ":" }.lowercased()
            if scheme == "rtsp" || scheme == "rtsps" {
                av_dict_set(&dictionary, "rtsp_transport", options.transport.rawValue, 0)
                // Microseconds since FFmpeg 5; before, the same name was seconds of waiting for a caller.
                av_dict_set_int(&dictionary, "timeout", microseconds, 0)
                av_dict_set(&dictionary, "allowed_media_types", "video", 0)
                if let queue = options.reorderQueue {
                    av_dict_set_int(&dictionary, "reorder_queue_size", Int64(queue), 0)
                }
            } else {
                av_dict_set_int(&dictionary, "rw_timeout", microseconds, 0)
            }
        case .device: break
        }
        return dictionary
    }

    /// The format that `input` is read by; nil where its bytes tell.
    static func format(of input: VideoInput) throws(VideoError) -> UnsafePointer<AVInputFormat>? {
        guard case .device(let path) = input else { return nil }
        if let problem = deviceLibrary { throw VideoError(.open, .noDeviceSupport(problem), source: path) }
        guard let format = av_find_input_format("video4linux2") else {
            throw VideoError(.open, .noDeviceSupport("this FFmpeg was built without Video4Linux"), source: path)
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw VideoError(.open, code: -errno, source: path) }
        guard status.st_mode & S_IFMT == S_IFCHR else {
            throw VideoError(.open, .noDeviceSupport("'\(path)' is none that pictures come from"), source: path)
        }
        return format
    }

    /// What is wrong with FFmpeg's library of devices; nil once it is loaded and its devices are known.
    ///
    /// It is loaded when the first camera is opened: it brings libraries of windows and sound along that nobody else
    /// needs. It has had libavformat's number in every release.
    private static let deviceLibrary: String? = {
        let name = "libavdevice.so.\(avformat_version() >> 16)"
        guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            let detail = dlerror().map { String(cString: $0) } ?? "no reason given"
            return "FFmpeg's library of devices cannot be loaded (\(detail)); install the ffmpeg package"
        }
        guard let symbol = dlsym(library, "avdevice_register_all") else { return "\(name) registers no devices" }
        typealias Register = @convention(c) () -> Void
        unsafeBitCast(symbol, to: Register.self)()
        return nil
    }()
}
