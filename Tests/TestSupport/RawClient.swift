import Events
import Foundation
import Glibc

/// A client made of system calls, which can behave badly; what blocks does so away from Swift's threads.
final class RawClient: @unchecked Sendable {
    // A test uses it from one task at a time.
    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var isClosed = false

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(_ path: String) throws {
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

    deinit { close() }

    func close() {
        if !isClosed { Glibc.close(descriptor) }
        isClosed = true
    }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends all of it; errors are the server's right.
    func send(_ bytes: [UInt8]) async {
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

    func send(_ line: String) async { await send(Array((line + "\n").utf8)) }

    /// The next line without its `\n`; nil at the end, where a line that is cut off counts as none.
    func line() async throws -> String? {
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
    func bytes(atMost count: Int) async throws -> [UInt8] {
        try await off { [descriptor] in
            var buffer = [UInt8](repeating: 0, count: count)
            var status = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&status, 1, 60_000) > 0 else { throw Failure(description: "nothing came for a minute") }
            let read = recv(descriptor, &buffer, count, 0)
            if read < 0, errno != ECONNRESET { throw Failure(description: "recv: errno \(errno)") }
            return Array(buffer.prefix(max(0, read)))
        }
    }

    /// Puts back what was read by `bytes(atMost:)`, for `line()`.
    func keep(_ bytes: [UInt8]) { pending += bytes }

    /// Waits until the server has closed the connection, without reading.
    func waitForClose() async throws {
        try await off { [descriptor] in
            var status = pollfd(fd: descriptor, events: 0, revents: 0)
            guard poll(&status, 1, 60_000) > 0 else { throw Failure(description: "open after a minute") }
        }
    }

    /// Everything up to the end.
    func lines() async throws -> [String] {
        var lines: [String] = []
        while let line = try await line() { lines.append(line) }
        return lines
    }

}

/// Runs what blocks on a thread of its own; Dispatch is slow to make threads when all that it has are blocked.
func off<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// What a Python program prints.
func python(_ arguments: [String]) async throws -> String {
    try await off {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}

/// A JSON object's field, for short expectations.
func field<Value>(_ key: String, of line: String?, as type: Value.Type = String.self) -> Value? {
    guard let line, let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        return nil
    }
    return object[key] as? Value
}

func type(of line: String?) -> String? { field("type", of: line) }
func seq(of line: String?) -> Int? { field("seq", of: line, as: Int.self) }
func isDone(_ line: String?) -> Bool? { field("ok", of: line, as: Bool.self) }

/// A folder that goes with the test; its path is short, for sockets.
final class SocketsFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/facellm-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw RawClient.Failure(description: "mkdtemp: errno \(errno)") }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
