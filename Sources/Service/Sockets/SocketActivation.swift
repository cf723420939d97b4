import Glibc

/// Sockets that systemd made and hands over: `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`.
package enum SocketActivation {
    /// The first descriptor that is handed over.
    private static let firstDescriptor: Int32 = 3
    /// More than any unit file of ours passes.
    private static let maximumCount: Int32 = 64

    /// The sockets by their `FileDescriptorName`; the first of a name wins.
    ///
    /// Child processes do not inherit them. What does not listen on a Unix stream socket is left alone.
    ///
    /// - Parameters:
    ///   - environment: of the process.
    ///   - processID: the process that they must be meant for.
    ///   - first: number of the first descriptor.
    package static func sockets(
        environment: [String: String],
        processID: Int32 = getpid(),
        first: Int32 = firstDescriptor
    ) -> [String: Int32] {
        guard environment["LISTEN_PID"].flatMap(Int32.init) == processID,
            let count = environment["LISTEN_FDS"].flatMap(Int32.init), (1...maximumCount).contains(count)
        else { return [:] }
        let names = (environment["LISTEN_FDNAMES"] ?? "")
            .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var found: [String: Int32] = [:]
        for index in 0..<count {
            let descriptor = first + index
            guard isListening(descriptor), fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { continue }
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            let name = Int(index) < names.count ? names[Int(index)] : "unknown"
            if found[name] == nil { found[name] = descriptor }
        }
        return found
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        option(SO_ACCEPTCONN, descriptor) == 1 && option(SO_DOMAIN, descriptor) == AF_UNIX
            && option(SO_TYPE, descriptor) == Int32(SOCK_STREAM.rawValue)
    }

    private static func option(_ name: Int32, _ descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
