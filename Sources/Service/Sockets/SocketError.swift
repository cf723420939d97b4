import Glibc
import NIOCore

/// What can go wrong with the daemon's sockets, on either side.
package struct SocketError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    package let operation: Operation
    /// What kind of failure it is, for callers that act on it.
    package let kind: Kind
    /// `errno`, or 0 where no system call failed.
    package let code: Int32
    /// The socket concerned.
    package let path: String
    /// What happened, in words.
    package let detail: String

    package enum Operation: String, Sendable, Hashable {
        case listen = "listen on"
        case connect = "connect to"
        case ask = "ask the daemon at"
    }

    package enum Kind: String, Sendable, Hashable {
        /// Somebody listens there already.
        case inUse
        /// The path names something that is no socket.
        case notASocket
        /// Nobody listens there.
        case noDaemon
        /// This user may not.
        case notPermitted
        /// The path does not fit into an address: 107 bytes.
        case pathTooLong
        /// A folder on the way does not exist.
        case notFound
        /// No answer in time.
        case timedOut
        /// The other side ended the connection.
        case disconnected
        /// What came is not what was agreed.
        case malformed
        /// The daemon refused for a reason of its own; `detail` tells it.
        case refused
        /// Anything else; see `code`.
        case other
    }

    package init(_ operation: Operation, _ kind: Kind, code: Int32 = 0, path: String, detail: String) {
        self.operation = operation
        self.kind = kind
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Translates `errno` after a system call.
    init(_ operation: Operation, errno code: Int32, path: String) {
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        let kind: Kind =
            switch (operation, code) {
            case (_, EACCES), (_, EPERM), (_, EROFS): .notPermitted
            case (.listen, ENOENT), (.listen, ENOTDIR): .notFound
            case (.listen, EADDRINUSE): .inUse
            case (.listen, _): .other
            case (_, ENOENT), (_, ENOTDIR), (_, ECONNREFUSED), (_, ENOTSOCK): .noDaemon
            case (_, EPIPE), (_, ECONNRESET): .disconnected
            default: .other
            }
        self.init(operation, kind, code: code, path: path, detail: "\(words) (errno \(code))")
    }

    /// Translates what the event loop threw.
    init(_ operation: Operation, _ error: any Error, path: String) {
        switch error {
        case let error as SocketError: self = error
        case let error as IOError: self.init(operation, errno: error.errnoCode, path: path)
        case let error as ChannelError where error == .ioOnClosedChannel || error == .alreadyClosed || error == .eof:
            self.init(operation, .disconnected, path: path, detail: "the connection was closed")
        case ChannelError.connectTimeout:
            self.init(operation, .timedOut, path: path, detail: "no answer in time")
        case is SocketAddressError:
            self.init(operation, .pathTooLong, path: path, detail: "the path is longer than a socket's address")
        default: self.init(operation, .other, path: path, detail: "\(error)")
        }
    }

    /// What the user can do about it, a sentence; empty where nothing helps.
    package var remedy: String {
        switch kind {
        case .inUse: "Another daemon is running there: stop it first, or choose another runtime folder."
        case .notASocket: "Remove that file, or choose another path."
        case .noDaemon:
            "No daemon is running there: start it (systemctl start facellmd, or facellmd), or name its socket with "
                + "--socket."
        case .notPermitted where operation == .listen: "Choose a folder that the daemon may write."
        case .notPermitted: "Join the group that owns the socket (see ls -l), or run this as the daemon's user."
        case .pathTooLong: "Choose a shorter path: at most 107 bytes."
        case .notFound: "Create the folder first, or set XDG_RUNTIME_DIR to a folder of yours."
        case .timedOut: "The daemon may be busy: try again, and see its log."
        case .disconnected: "See the daemon's log."
        case .malformed, .refused, .other: ""
        }
    }

    /// Whether the same may succeed later without anyone changing the command.
    package var isRetryable: Bool {
        switch kind {
        case .noDaemon, .timedOut, .disconnected: true
        case .other: operation == .connect
        default: false
        }
    }

    /// The exit status that fits: 2 where a path or a permission is wrong, else 1.
    package var exitCode: Int32 {
        switch kind {
        case .notASocket, .pathTooLong, .notPermitted, .notFound: 2
        default: 1
        }
    }

    package var description: String {
        // What the daemon says may be a sentence already.
        "cannot \(operation.rawValue) \"\(path)\": \(detail)\(detail.hasSuffix(".") ? "" : ".")"
            + (remedy.isEmpty ? "" : " \(remedy)")
    }
}
