import Foundation
import Synchronization

/// A program that runs beside a measurement, and what it prints, line by line.
///
/// Its standard input stays open as long as this object lives; it is killed when the object goes.
package final class Companion: Sendable {
    private struct State {
        var lines: [String] = []
        var isAtEnd = false
    }

    /// What the reading thread and the object share.
    private final class Output: Sendable {
        let state = Mutex(State())

        /// Blocks until there is nothing more to come.
        func follow(_ descriptor: Int32) {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                text += buffer[..<count]
                while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: text[..<end], as: UTF8.self)
                    text.removeFirst(end + 1)
                    state.withLock { $0.lines.append(line) }
                }
            }
            state.withLock { $0.isAtEnd = true }
        }
    }

    package let processID: Int32
    private let name: String
    private let process: Process
    private let input = Pipe()
    private let output = Output()

    /// - Parameters:
    ///   - arguments: the program's path first; not looked for in `PATH`.
    ///   - errors: the path of the file that standard error goes to; nil for nowhere.
    package init(_ arguments: [String], errors: String? = nil) throws(BenchmarkError) {
        guard let program = arguments.first else { throw BenchmarkError(.runCommand, "no program") }
        name = arguments.joined(separator: " ")
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(arguments.dropFirst())
        process.standardInput = input
        if let errors { _ = FileManager.default.createFile(atPath: errors, contents: nil) }
        process.standardError = errors.flatMap(FileHandle.init(forWritingAtPath:)) ?? .nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            throw BenchmarkError(.runCommand, "\(program) does not start: \(error)")
        }
        processID = process.processIdentifier
        // The thread's own, which outlives this object's.
        let descriptor = dup(pipe.fileHandleForReading.fileDescriptor)
        Thread.detachNewThread { [output] in
            defer { close(descriptor) }
            output.follow(descriptor)
        }
    }

    deinit { if process.isRunning { kill(processID, SIGKILL) } }

    /// What it printed so far.
    package var lines: [String] { output.state.withLock { $0.lines } }

    package var isRunning: Bool { process.isRunning }

    /// Waits for the first line that begins with `words`.
    ///
    /// - Throws: `BenchmarkError` when the program ends before, or says nothing of it within `limit`.
    package func line(beginningWith words: String, within limit: Duration) async throws -> String {
        let end = ContinuousClock.now + limit
        while true {
            let (lines, isAtEnd) = output.state.withLock { ($0.lines, $0.isAtEnd) }
            if let line = lines.first(where: { $0.hasPrefix(words) }) { return line }
            if isAtEnd {
                process.waitUntilExit()
                throw BenchmarkError(.runCommand, "\(name): exit status \(process.terminationStatus)")
            }
            guard ContinuousClock.now < end else {
                throw BenchmarkError(.runCommand, "\(name): no word of '\(words)' within \(limit)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Tells it to end and waits until it has.
    ///
    /// - Returns: how long it took and its exit status, or minus the signal's number; nil when it had to be killed.
    package func end(_ signal: Int32 = SIGTERM, within limit: Duration) async throws -> (Duration, status: Int32)? {
        let start = ContinuousClock.now
        kill(processID, signal)
        while process.isRunning {
            guard ContinuousClock.now - start < limit else {
                kill(processID, SIGKILL)
                return nil
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let status = process.terminationStatus
        return (ContinuousClock.now - start, process.terminationReason == .exit ? status : -status)
    }
}
