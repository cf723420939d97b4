import Foundation

/// What a running process and each of its threads have had of the processors so far, as `/proc` tells it.
package struct ProcessTimes: Sendable, Hashable {
    package struct Thread: Sendable, Hashable {
        package var name: String
        package var seconds: Double

        package init(name: String, seconds: Double) { (self.name, self.seconds) = (name, seconds) }
    }

    /// User and system time of all threads, of those too that have ended.
    package var seconds: Double
    /// By the kernel's number; threads that have ended are missing.
    package var threads: [Int: Thread]

    package init(seconds: Double, threads: [Int: Thread]) {
        (self.seconds, self.threads) = (seconds, threads)
    }

    /// Nil where there is no such process, or no `/proc`.
    package init?(of process: Int32) {
        guard let seconds = Self.read("/proc/\(process)/stat")?.seconds else { return nil }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        var threads: [Int: Thread] = [:]
        for name in names {
            guard let number = Int(name) else { continue }
            threads[number] = Self.read("/proc/\(process)/task/\(name)/stat")
        }
        self.init(seconds: seconds, threads: threads)
    }

    /// Processor seconds since `earlier`, by the name of the thread; what ended threads had is not in it.
    package func byThread(since earlier: ProcessTimes) -> [String: Double] {
        threads.reduce(into: [:]) { sums, entry in
            // A number may have been given to another thread meanwhile.
            let before = earlier.threads[entry.key].flatMap { $0.name == entry.value.name ? $0.seconds : nil } ?? 0
            sums[entry.value.name, default: 0] += max(0, entry.value.seconds - before)
        }
    }

    private static func read(_ path: String) -> Thread? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            thread(stat: $0, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// The name and time in a line of `/proc/PID/stat` (proc(5)): `NUMBER (NAME) STATE …`, where the name may hold blanks
    /// and brackets, and user and system time are the fields 14 and 15, in ticks.
    package static func thread(stat: String, ticksPerSecond: Double) -> Thread? {
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return Thread(
            name: String(stat[stat.index(after: open)..<close]),
            seconds: (user + system) / ticksPerSecond
        )
    }
}

/// What all processors of the machine did since it started, seconds: the first line of `/proc/stat`.
package struct MachineTimes: Sendable, Hashable {
    package var busy: Double
    package var idle: Double
    /// Wanted, and given to another guest of the same hardware.
    package var stolen: Double

    package init(busy: Double, idle: Double, stolen: Double) {
        (self.busy, self.idle, self.stolen) = (busy, idle, stolen)
    }

    /// Now; nil where there is no `/proc`.
    package static var current: MachineTimes? {
        (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)).flatMap {
            MachineTimes(stat: $0, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// - Parameter stat: `cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`, in ticks.
    package init?(stat: String, ticksPerSecond: Double) {
        let words = stat.prefix { $0 != "\n" }.split(separator: " ")
        let ticks = words.dropFirst().compactMap { Double($0) }
        guard words.first == "cpu", ticks.count >= 8 else { return nil }
        self.init(
            busy: (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticksPerSecond,
            idle: (ticks[3] + ticks[4]) / ticksPerSecond,
            stolen: ticks[7] / ticksPerSecond
        )
    }
}
