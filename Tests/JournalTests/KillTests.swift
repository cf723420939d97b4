import Events
import FoundationEssentials
import Glibc
import Journal
import TestSupport
import Testing

/// Processes that are killed while they write.
@Suite("A killed daemon", .timeLimit(.minutes(10)))
struct KillTests {
    /// Publishes until it is killed, and notes in `acknowledged` what it was told is on disk.
    static func write(to directory: String, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        // A third dies while opening or soon after, the others at any moment behind some lines.
        let line = seed % 3 == 0 ? 0 : Int.random(in: 100...600, using: &random)
        let delay = Duration.microseconds(Int.random(in: 0...(line == 0 ? 20_000 : 3000), using: &random))
        let id = "run\(seed)"
        let bus = Late<EventBus>()
        let killer = Task.detached(name: "killer") {
            while (bus.value?.lastSeq ?? 0) < line { await Task.yield() }
            let deadline = ContinuousClock.now + delay
            while ContinuousClock.now < deadline {}
            kill(getpid(), SIGKILL)
        }
        let acknowledged = open(directory + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        var settings = JournalSettings.test
        settings.batchInterval = .milliseconds(1)
        let journal = try Journal(directory: directory, instanceID: id, settings: settings) { _ in }
        let running = EventBus(instanceID: id, store: journal)
        bus.value = running
        while !killer.isCancelled {
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let text = String(repeating: "x", count: Int.random(in: 1...2000, using: &random))
                try running.publish(
                    .error(ErrorRecord(code: "test", message: text, retryable: false)),
                    source: "door"
                )
            }
            let seq = running.lastSeq
            if await journal.flush() {
                let note = Array("\(id)-\(seq)\n".utf8)
                _ = Glibc.write(acknowledged, note, note.count)
            }
        }
    }

    @Test("after a hundred kills no acknowledged line is missing, and there is no hole")
    func hundredKills() async throws {
        let directory = try StateDirectory()
        for seed in UInt64(1)...100 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = directory.path as String, seed = seed as UInt64] in
                try await KillTests.write(to: path, seed: seed)
            }
        }
        let daemon = try Daemon(directory, id: "check")
        let items = await daemon.read()
        #expect(daemon.reports.all.isEmpty)
        #expect(items.count == items.events.count, "a hole: \(items.names)")
        var lines: [String: Int] = [:]
        for event in items.events {
            #expect(event.cursor.seq == lines[event.cursor.instanceID, default: 0] + 1)
            lines[event.cursor.instanceID] = event.cursor.seq
            #expect(try EventDecoder().event(event.line.bytes).envelope.cursor == event.cursor.description)
        }
        let notes = try String(contentsOf: URL(filePath: directory.path + "/acknowledged"), encoding: .utf8)
        let cursors = notes.split(separator: "\n").compactMap { Cursor(String($0)) }
        #expect(cursors.count > 100)
        for cursor in cursors {
            #expect(lines[cursor.instanceID, default: 0] >= cursor.seq)
        }
        await daemon.journal.close()
    }
}
