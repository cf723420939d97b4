import Foundation

/// What a program that ran to its end has used.
package struct CommandRun: Sendable, Hashable, Codable {
    package var wallSeconds: Double
    /// User and system time, of its own children too.
    package var cpuSeconds: Double

    package init(wallSeconds: Double, cpuSeconds: Double) {
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
    }

    /// Runs a program with nothing to read and nowhere to write, and waits for it.
    ///
    /// - Parameter arguments: the program's path first; not looked for in `PATH`.
    package static func run(_ arguments: [String]) throws(BenchmarkError) -> CommandRun {
        guard let program = arguments.first else { throw BenchmarkError(.runCommand, "no program") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var strings = arguments.map { strdup($0) } + [nil]
        defer { for string in strings { free(string) } }

        var process = pid_t()
        let start = ContinuousClock.now
        let failure = posix_spawn(&process, program, &actions, nil, &strings, environ)
        guard failure == 0 else { throw BenchmarkError(.runCommand, "\(program) does not start", code: failure) }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw BenchmarkError(.runCommand, "\(program) is lost", code: errno) }
        }
        let elapsed = ContinuousClock.now - start
        // The low seven bits are the signal, the next eight the exit status.
        guard status & 0x7f == 0 else {
            throw BenchmarkError(.runCommand, "\(arguments.joined(separator: " ")): ended by signal \(status & 0x7f)")
        }
        guard status == 0 else {
            throw BenchmarkError(.runCommand, "\(arguments.joined(separator: " ")): exit status \(status >> 8)")
        }
        return CommandRun(wallSeconds: elapsed / .seconds(1), cpuSeconds: ProcessUsage(usage).cpuSeconds)
    }
}
