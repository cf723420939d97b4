import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a run needs must not grow with the length of the video.
    @Suite("Memory", .serialized)
    struct MemoryTests {
        @Test("ten times as long takes the same memory")
        func length() async throws {
            let clip = try await Clips.small.path
            let long = try await Clips.tenfold.path
            // The first run alone compiles the models.
            _ = try await Facellm.run("analyze", clip)
            let short = try await Facellm.run("analyze", clip)
            let tenfold = try await Facellm.run("analyze", long)
            #expect(tenfold.ending == .exited(0))
            let limit = Double(short.peakMemory) * 1.1 + 8e6
            #expect(Double(tenfold.peakMemory) < limit, "\(short.peakMemory) and \(tenfold.peakMemory) bytes")
        }
    }
}
