import Glibc

/// Where a server listens.
package enum SocketListener: Sendable, Hashable {
    /// A file of ours.
    case path(SocketPath)
    /// A socket that listens already, handed over by systemd; its file is not ours to remove.
    case descriptor(Int32)
}

/// The file of a Unix socket: made with the right permissions from the first moment, removed at the end.
package struct SocketPath: Sendable, Hashable {
    package let path: String
    /// Permissions of the file; `0o660`.
    package let mode: UInt32
    /// The group that owns the file; nil for the daemon's own.
    package let groupID: UInt32?

    package init(_ path: String, mode: UInt32 = 0o660, groupID: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.groupID = groupID
    }

    /// Connections that the kernel may hold before they are accepted.
    private static let backlog: Int32 = 256

    /// Names a file on disk even when another one took its path.
    struct Identity: Hashable {
        let device: UInt
        let inode: UInt

        init?(_ path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
        }
    }

    /// Begins to listen; a stale file of a daemon that died is replaced, one that somebody listens on is not.
    ///
    /// - Returns: a descriptor that the caller owns, not blocking.
    /// - Throws: `SocketError` of `listen`.
    func listen() throws(SocketError) -> Int32 {
        try removeStaleFile()
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw SocketError(.listen, errno: errno, path: path) }
        do throws(SocketError) {
            var address = try UnixAddress(path, .listen)
            // `bind` takes the permissions of the unbound socket over: nobody else gets in before they are set.
            try check(fchmod(descriptor, 0o600))
            try check(address.withPointer { bind(descriptor, $0, $1) })
            if let groupID { try check(chown(path, uid_t.max, groupID)) }
            try check(chmod(path, mode))
            try check(Glibc.listen(descriptor, Self.backlog))
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Removes the file if it is still the one that `identity` names.
    func remove(_ identity: Identity?) {
        if let identity, Identity(path) == identity { unlink(path) }
    }

    private func removeStaleFile() throws(SocketError) {
        switch UnixSocketProbe(path) {
        case .notASocket:
            throw SocketError(.listen, .notASocket, path: path, detail: "something that is no socket is there")
        case .inUse:
            throw SocketError(.listen, .inUse, path: path, detail: "somebody listens there already")
        case .free:
            guard unlink(path) == 0 || [ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno) else {
                throw SocketError(.listen, errno: errno, path: path)
            }
        }
    }

    private func check(_ result: Int32) throws(SocketError) {
        guard result == 0 else { throw SocketError(.listen, errno: errno, path: path) }
    }
}

/// The address of a Unix socket: a path, or an abstract name that begins with `@`.
struct UnixAddress {
    private var address = sockaddr_un()
    private let length: socklen_t

    init(_ path: String, _ operation: SocketError.Operation) throws(SocketError) {
        guard let value = UnixAddress(path) else {
            throw SocketError(
                operation,
                .pathTooLong,
                path: path,
                detail: "the path has \(path.utf8.count) bytes where 1 to 107 are possible"
            )
        }
        self = value
    }

    /// Nil for a path that is empty or too long.
    init?(_ path: String) {
        var bytes = Array(path.utf8)
        guard (1...107).contains(bytes.count) else { return nil }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        if bytes[0] == UInt8(ascii: "@") {
            // The length ends an abstract name, not a zero.
            bytes[0] = 0
            length = socklen_t(offset + bytes.count)
        } else {
            length = socklen_t(offset + bytes.count + 1)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    mutating func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let length = length
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
