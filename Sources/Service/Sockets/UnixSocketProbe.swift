import Glibc

/// What stands at the path of a Unix socket before it is bound.
enum UnixSocketProbe {
    /// Nothing, or the file of a process that is gone; both may be replaced.
    case free
    case inUse
    case notASocket

    init(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            self = .free
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            self = .notASocket
            return
        }
        self = Self.isRefused(path) ? .free : .inUse
    }

    /// Only a refusal proves that nobody is there; a full backlog does not.
    private static func isRefused(_ path: String) -> Bool {
        guard var address = UnixAddress(path) else { return false }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        return address.withPointer { connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
    }
}
