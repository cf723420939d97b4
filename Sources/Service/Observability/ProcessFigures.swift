import Glibc

/// What the kernel knows about this process.
package struct ProcessFigures: Sendable, Hashable {
    /// Resident memory, bytes.
    package var residentBytes = 0
    package var threads = 0
    package var openDescriptors = 0
    /// Time on processors since the start, user and system, seconds.
    package var processorSeconds = 0.0

    /// A figure that cannot be read is 0.
    package static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        for line in contents(of: "/proc/self/status").split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, let number = Int(words[1]) else { continue }
            if words[0] == "VmRSS:" { figures.residentBytes = number * 1024 }
            if words[0] == "Threads:" { figures.threads = number }
        }
        figures.openDescriptors = descriptors()
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            figures.processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        return figures
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// Without the one that the counting itself needs.
    private static func descriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = -1
        while let entry = readdir(folder) {
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return max(0, count)
    }

    private static func contents(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
