import Events
import Foundation
import Glibc
import Service
import TestSupport
import Testing

/// Readers of the built daemon that come back with a cursor.
@Suite("Faults of resuming", .serialized, .needsInstallation, .timeLimit(.minutes(3)))
struct ResumeFaultTests {
    /// Reads from a cursor to the end of what the daemon says at its end.
    private func read(_ daemon: DaemonProcess, since cursor: String) async throws -> Task<Received, any Error> {
        let client = try await daemon.subscriber("\"since\":\"\(cursor)\"")
        return Task {
            var received = Received()
            for line in try await client.lines() { try received.take(line) }
            return received
        }
    }

    @Test("a cursor of an earlier start goes on there and then with this one, without a gap")
    func earlierInstance() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let first = try DaemonProcess(in: folder, sources: source)
        var seen = 0
        let mark = try await first.event { _ in
            seen += 1
            return seen == 20
        }
        let old = try await first.stop()
        let second = try DaemonProcess(in: folder, sources: source)
        try await second.listens()
        let reading = try await read(second, since: try #require(mark.envelope.cursor))
        let new = try await second.stop()
        let received = try await reading.value
        #expect(received.gaps.isEmpty && received.errors.isEmpty)
        #expect(received.seqs == Array(21...old.count) + Array(1...new.count))
    }

    @Test("a cursor that was purged, or never was, is told as one gap, and reading goes on with the oldest line")
    func expired() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let first = try DaemonProcess(in: folder, sources: source)
        let mark = try await first.event { $0.type == "track.started" }
        let old = try await first.stop()
        let second = try DaemonProcess(in: folder, sources: source)
        _ = try await second.event { $0.type == "face.observation" }
        let limit = try #require(old.last?.envelope.publishedAt)
        let next = Timestamp(millisecondsSince1970: limit.millisecondsSince1970 + 1)
        let purged = try await second.ask("purge", ["before": .string("\(next)")])
        #expect(purged["purged"] == .number(Double(old.count)))
        let cursor = try #require(mark.envelope.cursor)
        let readings = [
            try await read(second, since: cursor), try await read(second, since: "elsewhere-7"),
            try await read(second, since: "oldest"),
        ]
        let new = try await second.stop()
        var results: [Received] = []
        for reading in readings { results.append(try await reading.value) }
        #expect(results.map { $0.gaps.map(\.reason) } == [["cursor_expired"], ["cursor_unknown"], []])
        #expect(results[0].lost == old.count - (mark.envelope.seq ?? 0))
        for received in results { #expect(received.seqs == Array(1...new.count)) }
    }
}
