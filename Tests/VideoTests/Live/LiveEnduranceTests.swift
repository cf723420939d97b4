import Foundation
import Synchronization
import TestSupport
import Testing
import Video

@Suite("Live sources for weeks", .serialized, .timeLimit(.minutes(60)))
struct LiveEnduranceTests {
    /// What grows where something leaks.
    private struct Usage: CustomStringConvertible {
        var descriptors = 0
        var threads = 0
        var megabytes = 0.0

        static var now: Usage {
            func entries(_ folder: String) -> Int {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/\(folder)").count) ?? 0
            }
            let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            let resident = pages?.dropFirst().first.flatMap { Double($0) } ?? 0
            return Usage(descriptors: entries("fd"), threads: entries("task"), megabytes: resident * 4096 / 1e6)
        }

        var description: String { "\(descriptors) descriptors, \(threads) threads, \(Int(megabytes)) MB" }
    }

    @Test("a source that flaps: descriptors, threads and memory stay where they were", .needsCamera)
    func flapping() async throws {
        let variable = "FACELLM_LIVE_RECONNECTS"
        let rounds = ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? 50
        let folder = try TemporaryFolder()
        try await folder.makeStream()
        let camera = try await Server.camera(folder, "--mode reset --count 60 --speed 40")
        let tape = try LiveTape("rtsp://127.0.0.1:\(camera.port)/x") {
            $0.pace.first = 0.001
            $0.pace.longest = 0.002
            $0.reader.sampling = .rate(2)
        }
        for _ in 0..<max(10, rounds / 10) { #expect(await tape.next(.reconnecting) != nil) }
        let before = Usage.now
        for _ in 0..<rounds {
            await tape.next(.reconnecting)
            tape.forget()
        }
        let after = Usage.now
        #expect(after.descriptors <= before.descriptors + 2, "\(before) → \(after)")
        #expect(after.threads <= before.threads + 3, "\(before) → \(after)")
        #expect(after.megabytes - before.megabytes < 16, "\(before) → \(after)")
        print("\(rounds) reconnects: \(before) → \(after)")
        tape.source.stop()
        #expect(tape.source.statistics.connections >= rounds)
    }

    /// Does not return before it is let go, as FFmpeg in a name server's time-out.
    private final class StuckReader: LiveReader {
        let gate = DispatchSemaphore(value: 0)

        func read(
            _ options: VideoReader.Options,
            interrupt: Interrupt,
            into connection: LiveConnection
        ) throws(VideoError) -> Bool {
            gate.wait()
            return false
        }
    }

    @Test("readers that do not return are left behind, counted, and gone when they return")
    func abandoned() async throws {
        let reader = StuckReader()
        var options = LiveSource.Options(reader: .init(input: .url("rtsp://nowhere/x")))
        options.reader.deadlines.connect = 0.02
        options.reader.deadlines.probe = 0.02
        options.reader.deadlines.firstFrame = 0.02
        options.abandonAfter = 0.05
        options.grace = 0.05
        options.pace.first = 0.01
        options.pace.longest = 0.05
        let tape = LiveTape(try LiveSource(options, reader: reader, seed: 1))
        for _ in 0..<4 { #expect(await tape.next(.reconnecting)?.reason == .readerStuck) }
        while tape.source.statistics.readersStuck < 4 { await tape.next(.reconnecting) }
        // No more than four at once.
        for _ in 0..<3 { #expect(await tape.next(.reconnecting)?.reason == .readerStuck) }
        #expect(tape.source.statistics.readersRunning == 4 && tape.source.statistics.isOutOfReaders)
        for _ in 0..<4 { reader.gate.signal() }
        while tape.source.statistics.isOutOfReaders { try await Task.sleep(for: .milliseconds(5)) }
        while tape.source.statistics.readersAbandoned < 5 { await tape.next(.reconnecting) }
        tape.source.stop()
        for _ in 0..<100 { reader.gate.signal() }
        while tape.source.statistics.readersRunning > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("options that make no sense", arguments: [0, -1, .nan, .infinity] as [Double])
    func options(value: Double) {
        let fields: [WritableKeyPath<LiveSource.Options, Double>] = [
            \.stallAfter, \.frozenAfter, \.abandonAfter, \.grace, \.pace.first, \.pace.longest,
            \.reader.deadlines.connect, \.reader.deadlines.probe, \.reader.deadlines.firstFrame,
            \.reader.deadlines.read,
        ]
        for field in fields {
            var options = LiveSource.Options(reader: .init(input: .url("rtsp://nowhere/x")))
            options[keyPath: field] = value
            let error = #expect(throws: VideoError.self) { try LiveSource(options) }
            #expect(error?.exitStatus == 2)
        }
    }

    @Test("letting go of a source ends its reader")
    func letGo() async throws {
        let reader = WaitingReader()
        do {
            let source = try LiveSource(.init(reader: .init(input: .url("rtsp://nowhere/x"))), reader: reader, seed: 1)
            source.start()
        }
        for await isInterrupted in reader.ended.stream {
            #expect(isInterrupted)
            break
        }
    }

    /// Returns when it is interrupted.
    private final class WaitingReader: LiveReader {
        let ended = AsyncStream.makeStream(of: Bool.self)

        func read(
            _ options: VideoReader.Options,
            interrupt: Interrupt,
            into connection: LiveConnection
        ) throws(VideoError) -> Bool {
            while !interrupt.isCancelled { usleep(1000) }
            ended.continuation.yield(true)
            throw VideoError(.read, .cancelled, source: "x")
        }
    }

    @Test("a consumer that takes nothing costs a bounded memory, and what is lost is counted")
    func slowConsumer() async throws {
        let handOff = HandOff<Int>(depth: 2, policy: .dropOldest) { $0 >= 0 }
        var dropped = 0
        for number in 1...10_000 {
            if case .dropped = handOff.send(-number) { dropped += 1 }
        }
        handOff.finish()
        var taken = 0
        while try await handOff.next() != nil { taken += 1 }
        #expect(taken == 256)
        #expect(dropped == 10_000 - 256)
    }
}
