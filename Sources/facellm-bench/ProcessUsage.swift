import Foundation

/// What a process has used so far.
struct ProcessUsage {
    /// User and system time, seconds.
    var cpuSeconds: Double
    /// Largest resident set, MiB.
    var peakMiB: Double

    static var own: ProcessUsage { usage(of: RUSAGE_SELF.rawValue) }
    /// Of children that ended.
    static var children: ProcessUsage { usage(of: RUSAGE_CHILDREN.rawValue) }

    private static func usage(of who: Int32) -> ProcessUsage {
        var usage = rusage()
        getrusage(who, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return ProcessUsage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            peakMiB: Double(usage.ru_maxrss) / 1024
        )
    }
}
