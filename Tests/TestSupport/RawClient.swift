import Foundation
import Glibc

/// A client made of system calls, which can behave badly; what blocks does so away from Swift's threads.
package final class RawClient: @unchecked Sendable {
    // A test uses it from one task at a time.
    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var isClosed = false

    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    package init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            Glibc.close(descriptor)
            isClosed = true
            throw Failure(description: "connect: errno \(code)")
        }
    }

    /// A connection to this machine's `port`.
    package init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            Glibc.close(descriptor)
            isClosed = true
            throw Failure(description: "connect: errno \(code)")
        }
    }

    deinit { close() }

    package func close() {
        if !isClosed { Glibc.close(descriptor) }
        isClosed = true
    }

    package func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends all of it; errors are the server's right.
    package func send(_ bytes: [UInt8]) async {
        try? await off { [descriptor] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    package func send(_ line: String) async { await send(Array((line + "\n").utf8)) }

    /// The next line without its `\n`; nil at the end, where a line that is cut off counts as none.
    package func line() async throws -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = try await bytes(atMost: 65_536)
            if more.isEmpty { return nil }
            pending += more
        }
    }

    /// What can be read now, at least one byte; empty at the end.
    package func bytes(atMost count: Int) async throws -> [UInt8] {
        try await off { [descriptor] in
            var buffer = [UInt8](repeating: 0, count: count)
            var status = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&status, 1, 60_000) > 0 else { throw Failure(description: "nothing came for a minute") }
            let read = recv(descriptor, &buffer, count, 0)
            if read < 0, errno != ECONNRESET { throw Failure(description: "recv: errno \(errno)") }
            return Array(buffer.prefix(max(0, read)))
        }
    }

    /// What was read and is no whole line.
    package var rest: [UInt8] { pending }

    /// Puts back what was read by `bytes(atMost:)`, for `line()`.
    package func keep(_ bytes: [UInt8]) { pending += bytes }

    /// Waits until the server has closed the connection, without reading.
    package func waitForClose() async throws {
        try await off { [descriptor] in
            var status = pollfd(fd: descriptor, events: 0, revents: 0)
            guard poll(&status, 1, 60_000) > 0 else { throw Failure(description: "open after a minute") }
        }
    }

    /// Whether the server has closed the connection; there may be something left to read.
    package var isHungUp: Bool {
        var status = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&status, 1, 0) > 0
    }

    /// Everything up to the end.
    package func lines() async throws -> [String] {
        var lines: [String] = []
        while let line = try await line() { lines.append(line) }
        return lines
    }
}

/// Runs what blocks on a thread of its own; Dispatch is slow to make threads when all that it has are blocked.
package func off<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}
