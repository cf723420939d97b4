import Events
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Runs that are told to stop.
    @Suite("Signals", .serialized)
    struct SignalTests {
        enum Stop: String, CaseIterable, CustomTestStringConvertible {
            case interrupt, terminate
            var testDescription: String { rawValue }
            var number: Int32 { self == .interrupt ? SIGINT : SIGTERM }
            var status: Int32 { self == .interrupt ? 130 : 143 }
            var reason: ExitReason { self == .interrupt ? .interrupted : .terminated }
        }

        /// Seconds in which a run has to end.
        private static let limit = Duration.seconds(5)

        private func stop(_ running: RunningCommand, by stop: Stop) async -> CommandLineRun {
            let start = ContinuousClock.now
            running.send(stop.number)
            let run = await running.finish()
            #expect(ContinuousClock.now - start < Self.limit)
            #expect(run.ending == .exited(stop.status), "\(run.standardError)")
            return run
        }

        @Test("in the middle of a long video: a valid last line", arguments: Stop.allCases)
        func middle(by reason: Stop) async throws {
            let running = try Facellm.start(["analyze", try await Clips.long.path, "--observations"])
            _ = try #require(await running.line(containing: "track.started"))
            let run = await stop(running, by: reason)
            let events = try await EventFile(run.standardOutput)
            #expect(events.summary.exitReason == reason.reason)
            #expect(!events.summary.complete)
            #expect(events.ended.map(\.reason) == [.interrupted])
            #expect(try #require(events.summary.lastMediaTimeSeconds) < 190)
        }

        @Test("while it waits for more of a FIFO: a valid last line")
        func waiting() async throws {
            let folder = try TemporaryFolder()
            let fifo = try FIFO(in: folder)
            let running = try Facellm.start(["analyze", fifo.path, "--observations"])
            let data = try await Clips.stream.data
            let end = try await fifo.write(data.prefix(data.count * 8 / 10))
            defer { try? end.close() }
            _ = try #require(await running.line(containing: "track.started"))
            let run = await stop(running, by: .interrupt)
            let events = try await EventFile(run.standardOutput)
            #expect(events.summary.exitReason == .interrupted)
            #expect(events.ended.map(\.reason) == [.interrupted])
        }

        @Test("before the input said anything", arguments: Stop.allCases)
        func opening(by reason: Stop) async throws {
            let folder = try TemporaryFolder()
            let fifo = try FIFO(in: folder)
            let running = try Facellm.start(["analyze", fifo.path])
            // Returns as soon as the program has opened its end.
            let end = try await fifo.write(Data())
            defer { try? end.close() }
            let run = await stop(running, by: reason)
            let events = try await EventFile(run.standardOutput)
            #expect(events.events.count == 1)
            #expect(events.summary.exitReason == reason.reason)
            #expect(!events.summary.complete)
        }
    }
}
