import Glibc

/// Tells systemd how the daemon is: one datagram a message to `$NOTIFY_SOCKET`.
///
/// Nothing is waited for, and a message that cannot be sent is let go of: the daemon's work does not depend on it.
package final class Notifier: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Nil where nobody wants to know: `NOTIFY_SOCKET` is not set or is no path of a socket.
    package init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"),
            UnixAddress(path) != nil
        else { return nil }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return nil }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The start is done: sockets are bound and models loaded; also the end of `reloading()`.
    package func ready() { send("READY=1") }

    /// The configuration is being read again; `ready()` follows.
    package func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        // Newer systemd takes the message for a stray one without the time.
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)")
    }

    package func stopping() { send("STOPPING=1") }

    /// One line for people, shown by `systemctl status`.
    package func status(_ words: String) {
        send("STATUS=" + words.map { $0.isNewline ? " " : String($0) }.joined())
    }

    /// How long systemd waits for a sign of life; nil where it does not watch this process.
    package static func watchdogLimit(environment: [String: String], processID: Int32 = getpid()) -> Duration? {
        guard let limit = environment["WATCHDOG_USEC"].flatMap(Int64.init), limit > 0 else { return nil }
        if let watched = environment["WATCHDOG_PID"], Int32(watched) != processID { return nil }
        return .microseconds(limit)
    }

    /// Everything is in order; to be sent more often than `WATCHDOG_USEC` says.
    package func watchdog() { send("WATCHDOG=1") }

    private func send(_ message: String) {
        guard var address = UnixAddress(path) else { return }
        let text = Array(message.utf8)
        _ = text.withUnsafeBytes { bytes in
            address.withPointer { sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
        }
    }
}
