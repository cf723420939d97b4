internal import CFFmpeg
internal import Glibc

/// A video that could not be written, or not to its end.
package struct VideoWriterError: Error, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case create
        case openEncoder = "open an encoder for"
        case encode = "encode"
        case write
        case finish
    }

    package let operation: Operation
    package let path: String
    /// `errno`, or FFmpeg's own negative code.
    package let code: Int32

    package init(_ operation: Operation, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        let number = code < 0 ? cff_errno(code) : code
        self.code = number > 0 ? number : code
    }

    /// One line: the file, what is wrong, and what to do.
    package var description: String {
        let reason = code > 0 ? String(cString: strerror(code)) : FFmpegLog.describe(code)
        return "cannot \(operation.rawValue) \(path): \(reason)\(remedy.map { "; \($0)" } ?? "")"
    }

    /// What the person in front of it can do, if anything.
    package var remedy: String? {
        // The encoder's numbers only look like those of the system.
        if operation == .encode { return nil }
        return switch code {
        case ENOSPC, EDQUOT: "free some space there, or choose another folder; what was written so far can be played"
        case EFBIG: "the file system or a limit takes no larger file: choose another folder"
        case EACCES, EPERM: "choose a folder that this user may write to"
        case EROFS: "the file system is read-only: choose another folder"
        case ENOENT: "create the folder first"
        case ENOTDIR: "part of the path is a file, not a folder"
        case EISDIR: "this is a folder: add a file name that ends in .mp4"
        case ENAMETOOLONG: "choose a shorter name"
        case ETXTBSY: "another program uses this file: choose another name"
        default:
            code == cff_ERROR_ENCODER_NOT_FOUND ? "install an FFmpeg with libx264, or with its own MPEG-4 encoder" : nil
        }
    }
}
