import CMachine
import Foundation

/// What a process has used so far.
package struct ProcessUsage: Sendable, Hashable {
    /// User and system time, seconds.
    package var cpuSeconds: Double
    /// Largest resident set, MiB.
    package var peakMiB: Double

    package static var own: ProcessUsage { usage(of: RUSAGE_SELF.rawValue) }
    /// Of children that ended.
    package static var children: ProcessUsage { usage(of: RUSAGE_CHILDREN.rawValue) }

    private static func usage(of who: Int32) -> ProcessUsage {
        var usage = rusage()
        getrusage(who, &usage)
        return ProcessUsage(usage)
    }

    init(_ usage: rusage) {
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        peakMiB = Double(usage.ru_maxrss) / 1024
    }
}

/// The largest resident set since a moment of one's choice, which `getrusage` cannot give.
package enum PeakMemory {
    /// Begins anew: the peak is then what is resident now.
    ///
    /// - Returns: false where the kernel does not allow it; the peak is then that of the whole process so far.
    package static func reset() -> Bool {
        // Freed blocks go back to the kernel first, or an earlier engine's would count for the next.
        cm_return_freed_memory()
        guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
        let isWritten = fputs("5", file) >= 0
        return fclose(file) == 0 && isWritten
    }

    /// `VmHWM`, MiB; nil where `/proc` is not there.
    package static var mebibytes: Double? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
        return mebibytes(status: status)
    }

    /// The value of a line as `VmHWM:    123456 kB`.
    package static func mebibytes(status: String) -> Double? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }) else { return nil }
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 3, words[2] == "kB", let kibibytes = Double(words[1]) else { return nil }
        return kibibytes / 1024
    }
}
