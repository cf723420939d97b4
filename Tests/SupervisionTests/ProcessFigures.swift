import Foundation
import Glibc
import TestSupport
import Testing

/// What a running process uses, as the kernel tells it.
enum ProcessFigures {
    static func descriptors(_ process: pid_t) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
    }

    /// Seconds of processor time since its start.
    static func processorSeconds(_ process: pid_t) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // The name in parentheses may hold blanks; user and system time are the 14th and 15th field.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        let ticks = fields[12...13].compactMap { Double($0) }.reduce(0, +)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory, bytes.
    static func residentBytes(_ process: pid_t) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Bounds how many files it may have open.
    static func limitDescriptors(_ process: pid_t, to count: Int) async throws {
        let run = try await CommandLineRun.of("prlimit", ["--pid", "\(process)", "--nofile=\(count):"])
        try #require(run.status == 0, "\(run.standardError)")
    }
}
