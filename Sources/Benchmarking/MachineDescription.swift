import Foundation

/// What a figure was measured on.
package struct MachineDescription: Sendable, Hashable, Codable {
    package var processor: String
    /// Vector instruction sets that matter here, as the kernel names them.
    package var features: [String]
    /// Cores that this process may use.
    package var cores: Int
    package var build: String
    /// Of the last minute, at the start.
    package var loadAverage: Double

    /// This machine, now.
    package static var current: MachineDescription {
        let cpuinfo = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        var load = [0.0]
        getloadavg(&load, 1)
        return MachineDescription(
            cpuinfo: cpuinfo,
            cores: ProcessInfo.processInfo.activeProcessorCount,
            build: build,
            loadAverage: load[0]
        )
    }

    private static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }

    private static let known: [String] = [
        "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16",
        "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve",
    ]

    /// - Parameter cpuinfo: the text of `/proc/cpuinfo`; its first processor counts.
    package init(cpuinfo: String, cores: Int, build: String, loadAverage: Double) {
        var values: [String: String] = [:]
        for line in cpuinfo.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2, values[parts[0]] == nil { values[parts[0]] = parts[1] }
        }
        processor = values["model name"] ?? values["CPU part"].map { "processor part \($0)" } ?? "unknown processor"
        let present = Set((values["flags"] ?? values["Features"] ?? "").split(separator: " ").map(String.init))
        features = Self.known.filter(present.contains)
        self.cores = cores
        self.build = build
        self.loadAverage = loadAverage
    }

    /// All of it in one line.
    package var line: String {
        let vectors = features.isEmpty ? "no known vector unit" : features.joined(separator: " ")
        return "machine: \(processor), \(cores) cores, \(vectors); \(build) build; load \(fixed(loadAverage, 1))"
    }
}
