import Glibc

/// What can go wrong with lines of events: making them, reading them, writing them out.
package struct EventError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    package let operation: Operation
    /// What kind of failure it is, for callers that act on it.
    package let kind: Kind
    /// `errno`, or 0 where no system call failed.
    package let code: Int32
    /// The file or stream concerned; `nil` where there is none.
    package let path: String?
    /// What happened, in words.
    package let detail: String

    package enum Operation: String, Sendable, Hashable {
        case open = "open the output"
        case write = "write events to"
        case close = "close"
        case rotate = "rotate"
        case encode = "encode an event"
        case decode = "read an event"
    }

    package enum Kind: String, Sendable, Hashable {
        /// Whoever read the lines has gone.
        case brokenPipe
        /// The file system is full, a quota is used up or the file may not grow.
        case noSpace
        /// The path names a directory.
        case isDirectory
        /// This user may not write there.
        case notPermitted
        /// A folder on the way does not exist.
        case notFound
        /// The file that lines should be appended to does not hold lines of JSON.
        case notJSONLines
        /// The line would be longer than `EventLine.maximumLength`: a fault of this program.
        case lineTooLong
        /// The text is not an event, or the event is not text.
        case malformed
        /// Anything else; see `code`.
        case other
    }

    package init(operation: Operation, kind: Kind, code: Int32 = 0, path: String? = nil, detail: String) {
        self.operation = operation
        self.kind = kind
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Translates `errno` after a system call.
    init(operation: Operation, errno code: Int32, path: String, note: String = "") {
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        self.init(
            operation: operation,
            kind: Kind(errno: code),
            code: code,
            path: path,
            detail: "\(words) (errno \(code))" + (note.isEmpty ? "" : "; \(note)")
        )
    }

    /// What the user can do about it, a sentence; empty where nothing helps.
    package var remedy: String {
        switch kind {
        case .brokenPipe: "The reader closed its end; keep it running until the last line, or write to a file."
        case .noSpace: "Free space, raise the quota or choose another file."
        case .isDirectory: "Name a file in it instead."
        case .notPermitted: "Choose a file that you may write, or change its permissions."
        case .notFound: "Create the folder first, or choose another path."
        case .notJSONLines: "Choose another file, or write without appending."
        case .lineTooLong: "Leave landmarks out; this is a fault of the program that is worth a report."
        case .malformed, .other: ""
        }
    }

    /// Whether the same may succeed later without anyone changing the command.
    package var isRetryable: Bool { kind == .noSpace }

    /// The exit status that fits: 2 where the user chose an output that cannot be opened, else 1.
    package var exitCode: Int32 {
        switch kind {
        case .isDirectory, .notPermitted, .notFound, .notJSONLines: 2
        default: operation == .open && kind != .noSpace ? 2 : 1
        }
    }

    package var description: String {
        let object = path.map { " \"\($0)\"" } ?? ""
        return "cannot \(operation.rawValue)\(object): \(detail)." + (remedy.isEmpty ? "" : " \(remedy)")
    }
}

extension EventError.Kind {
    init(errno code: Int32) {
        self =
            switch code {
            case EPIPE: .brokenPipe
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            case EISDIR: .isDirectory
            case EACCES, EPERM, EROFS, ETXTBSY: .notPermitted
            case ENOENT, ENOTDIR: .notFound
            default: .other
            }
    }
}
