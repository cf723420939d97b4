package import Foundation
import Glibc
import Synchronization

/// How a child process ended and what it wrote.
package struct CommandLineRun: Sendable {
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        /// Killed by a signal that it did not handle.
        case signalled(Int32)
        /// It did not end in time and was killed.
        case timedOut
    }

    package var ending: Ending
    package var standardOutput: Data
    package var standardError: String
    /// Peak resident memory, bytes.
    package var peakMemory: Int

    /// The exit status; nil where there is none.
    package var status: Int32? {
        if case .exited(let status) = ending { status } else { nil }
    }

    package var text: String { String(decoding: standardOutput, as: UTF8.self) }

    /// Runs a program to its end.
    package static func of(
        _ executable: String,
        _ arguments: [String],
        _ options: RunningCommand.Options = .init()
    ) async throws -> CommandLineRun {
        try await RunningCommand(executable, arguments, options).finish()
    }
}

/// A child process.
///
/// A thread of its own reads what it writes as soon as it comes, so that no pipe ever fills up.
package final class RunningCommand: Sendable {
    package struct Options: Sendable {
        package enum Output: Sendable {
            /// A pipe; the text is kept.
            case kept
            /// A pipe whose reading end is closed after so many lines, as by `head`.
            case closed(afterLines: Int)
        }

        package var environment: [String: String]?
        /// A file to read as standard input.
        package var input: String
        package var output: Output
        /// Makes standard error a terminal.
        package var hasTerminal: Bool
        package var folder: String?
        package var seconds: Double

        package init(
            input: String = "/dev/null",
            output: Output = .kept,
            hasTerminal: Bool = false,
            seconds: Double = 60
        ) {
            (self.input, self.output, self.hasTerminal, self.seconds) = (input, output, hasTerminal, seconds)
        }
    }

    package struct SpawnFailed: Error, CustomStringConvertible { package let description: String }

    package let processID: pid_t
    /// What comes on standard output, line by line.
    package let lines: AsyncStream<String>
    private let result: AsyncStream<CommandLineRun>
    /// Whether the process was waited for: its number may belong to another one then.
    private let isReaped = Mutex(false)

    package init(_ executable: String, _ arguments: [String], _ options: Options = .init()) throws {
        let output = try Self.pipe()
        let errors = try options.hasTerminal ? Self.terminal() : Self.pipe()
        defer {
            close(output.write)
            close(errors.write)
        }
        processID = try Self.spawn(executable, arguments, options, output: output.write, errors: errors.write)
        let lines = AsyncStream.makeStream(of: String.self)
        let result = AsyncStream.makeStream(of: CommandLineRun.self)
        self.lines = lines.stream
        self.result = result.stream
        Thread.detachNewThread { [self] in
            let run = follow(options, output: output.read, errors: errors.read) { lines.continuation.yield($0) }
            lines.continuation.finish()
            result.continuation.yield(run)
            result.continuation.finish()
        }
    }

    /// Waits for the end; to be asked once.
    package func finish() async -> CommandLineRun {
        for await run in result { return run }
        preconditionFailure("finish() of process \(processID) was called twice")
    }

    /// Waits for a line of standard output that contains `words`.
    ///
    /// - Returns: nil when the output ended without one.
    package func line(containing words: String) async -> String? {
        await lines.first { $0.contains(words) }
    }

    /// Whether it has not ended; a process that nobody has waited for yet counts as running.
    package var isRunning: Bool { isReaped.withLock { !$0 } }

    package func send(_ signal: Int32) {
        isReaped.withLock { if !$0 { kill(processID, signal) } }
    }

    // MARK: - The thread

    private func follow(
        _ options: Options,
        output: Int32,
        errors: Int32,
        line: (String) -> Void
    ) -> CommandLineRun {
        var descriptors = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
        descriptors.append(pollfd(fd: errors, events: Int16(POLLIN), revents: 0))
        var texts = [Data(), Data()]
        var linesSeen = 0
        var lineStart = 0
        let end = ContinuousClock.now + .seconds(options.seconds)
        var isLate = false
        func checkTime() {
            if !isLate, ContinuousClock.now > end {
                isLate = true
                send(SIGKILL)
            }
        }

        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while descriptors.contains(where: { $0.fd >= 0 }) {
            checkTime()
            guard poll(&descriptors, 2, 100) > 0 else { continue }
            for index in descriptors.indices where descriptors[index].fd >= 0 && descriptors[index].revents != 0 {
                let count = read(descriptors[index].fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                // The end of a terminal shows as EIO.
                guard count > 0 else {
                    close(descriptors[index].fd)
                    descriptors[index].fd = -1
                    continue
                }
                texts[index].append(contentsOf: buffer[..<count])
                guard index == 0 else { continue }
                while let next = texts[0][lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
                    line(String(decoding: texts[0][lineStart..<next], as: UTF8.self))
                    lineStart = next + 1
                    linesSeen += 1
                }
                if case .closed(let limit) = options.output, linesSeen >= limit {
                    close(descriptors[0].fd)
                    descriptors[0].fd = -1
                }
            }
        }

        var status: Int32 = 0
        var usage = rusage()
        while true {
            let reaped = isReaped.withLock { isReaped in
                isReaped = wait4(processID, &status, WNOHANG, &usage) != 0
                return isReaped
            }
            if reaped { break }
            checkTime()
            usleep(2000)
        }
        let signal = status & 0x7f
        return CommandLineRun(
            ending: isLate ? .timedOut : signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal),
            standardOutput: texts[0],
            standardError: String(decoding: texts[1], as: UTF8.self),
            peakMemory: usage.ru_maxrss * 1024
        )
    }

    // MARK: - System calls

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw failure("make a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func terminal() throws -> (read: Int32, write: Int32) {
        var ours: Int32 = 0, theirs: Int32 = 0
        guard openpty(&ours, &theirs, nil, nil, nil) == 0 else { throw failure("open a terminal", errno) }
        for end in [ours, theirs] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ours, theirs)
    }

    private static func spawn(
        _ executable: String,
        _ arguments: [String],
        _ options: Options,
        output: Int32,
        errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, options.input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // What other tests have open is none of the child's business, and would keep their pipes from ending.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        }

        // As a shell starts programs, whatever the test runner ignores or blocks.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let environment = options.environment ?? ProcessInfo.processInfo.environment
        let inFolder = options.folder.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
        let command = inFolder + [executable] + arguments
        let words = command.map { strdup($0) }
        let settings = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in words + settings { free(text) } }
        var processID: pid_t = 0
        let code = posix_spawnp(&processID, command[0], &actions, &attributes, words + [nil], settings + [nil])
        guard code == 0 else { throw failure("run \(executable)", code) }
        return processID
    }

    private static func failure(_ operation: String, _ code: Int32) -> SpawnFailed {
        SpawnFailed(description: "cannot \(operation): \(String(cString: strerror(code)))")
    }
}
