import Foundation
import TestSupport
import Testing
import Video

@Suite("Stopping and resources", .needsFFmpeg, .serialized, .timeLimit(.minutes(3)))
struct ResourceTests {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -f mpegts video.ts")
    }

    /// How long `work` takes on a thread of its own: other tests keep the few threads of tasks busy for seconds.
    private func time(_ work: @escaping @Sendable () -> Void) async -> Duration {
        await withCheckedContinuation { done in
            Thread {
                done.resume(returning: ContinuousClock().measure(work))
            }.start()
        }
    }

    @Test("a FIFO that nobody writes to can be left", arguments: [0.0, 0.3])
    func cancelOpening(delay: Double) async throws {
        let path = folder.path("silent")
        #expect(mkfifo(path, 0o600) == 0)
        let duration = await time {
            let interrupt = Interrupt()
            Thread {
                Thread.sleep(forTimeInterval: delay)
                interrupt.cancel()
            }.start()
            #expect(throws: VideoError.self) {
                try VideoReader(.init(input: .file(path)), interrupt: interrupt)
            }
        }
        #expect(duration < .seconds(delay + 1))
        // The same by way of a task.
        let task = Task { try await VideoReader.open(.init(input: .file(path))) }
        task.cancel()
        let result = await task.result
        #expect(throws: VideoError.self) { try result.get() }
    }

    @Test("a FIFO that falls silent can be left")
    func cancelReading() async throws {
        let pipe = try Pipe(feeding: folder.path("video.ts"), in: folder, staysOpenFor: 20)
        // Probing would wait for more than the pipe gives, so it is short here.
        let reader = try await VideoReader.open(.init(input: pipe.input, sampling: .everyFrame))
        #expect(try await reader.next() != nil)
        let task = Task { while try await reader.next() != nil {} }
        let duration = await time {
            Thread.sleep(forTimeInterval: 0.2)
            reader.cancel()
            while !reader.isFinished { Thread.sleep(forTimeInterval: 0.005) }
        }
        try await task.value
        #expect(duration < .seconds(1.2))
        let statistics = reader.statistics
        #expect(statistics.framesDecoded == statistics.framesSampled + statistics.framesUnsampled)
    }

    @Test("a slow consumer of a live source misses frames, and they are counted")
    func dropping() async throws {
        var options = VideoReader.Options(input: .file(folder.path("video.ts")), sampling: .everyFrame)
        options.policy = .dropOldest
        let reader = try await VideoReader.open(options)
        while !reader.isFinished { try await Task.sleep(for: .milliseconds(5)) }
        var taken = 0
        while let event = try await reader.next() { taken += event.frame == nil ? 0 : 1 }
        let statistics = reader.statistics
        #expect(taken == 3)
        #expect(statistics.framesSampled == 3)
        #expect(statistics.framesDropped == 97)
        #expect(statistics.framesDecoded == 100)
        #expect(statistics.framesUnsampled == 97)
    }

    @Test("a full queue holds the decoder back")
    func backPressure() async throws {
        let reader = try await VideoReader.open(.init(input: .file(folder.path("video.ts")), sampling: .everyFrame))
        try await Task.sleep(for: .milliseconds(200))
        #expect(reader.statistics.framesDecoded <= 5)
        var taken = 0
        while try await reader.next() != nil { taken += 1 }
        #expect(taken == 100)
        #expect(reader.progress?.mediaTime ?? 0 > 3.9)
    }

    @Test("opened and closed three hundred times")
    func leaks() async throws {
        try await folder.ffmpeg("-f lavfi -i testsrc2=s=160x120:r=10:d=0.5 -c:v libx264 short.mp4")
        func once(_ number: Int) async throws {
            let name = ["short.mp4", "short.mp4", "missing.mp4", "video.ts"][number % 4]
            guard let reader = try? await VideoReader.open(.init(input: .file(folder.path(name)))) else { return }
            _ = try await reader.next()
            if number % 2 == 0 { while try await reader.next() != nil {} }
            reader.cancel()
            while !reader.isFinished { try await Task.sleep(for: .milliseconds(1)) }
        }
        for number in 0..<40 { try await once(number) }
        try await Task.sleep(for: .milliseconds(100))
        let before = Self.usage
        for number in 0..<300 { try await once(number) }
        try await Task.sleep(for: .milliseconds(300))
        let after = Self.usage
        #expect(after.descriptors <= before.descriptors + 3)
        #expect(after.megabytes - before.megabytes < 24)
    }

    private static var usage: (descriptors: Int, megabytes: Double) {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (descriptors, (pages?.dropFirst().first.flatMap { Double($0) } ?? 0) * 4096 / 1e6)
    }
}
