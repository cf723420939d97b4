import Events
import Foundation
import Glibc
import TestSupport
import Testing

/// Disks, files and pipes of the built daemon that do not take what they are given.
@Suite("Faults of outputs", .serialized, .needsInstallation, .timeLimit(.minutes(4)))
struct OutputFaultTests {
    // MARK: - Disks

    /// A small file system in memory where the daemon keeps its state.
    private final class Disk {
        let path: String

        /// - Throws: cancels the test where this user may not mount.
        init(for folder: TemporaryFolder, mebibytes: Int) throws {
            path = folder.path("state")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            guard mount("tmpfs", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
                try Test.cancel("this user may not mount a file system")
            }
        }

        deinit { umount2(path, Int32(MNT_DETACH)) }

        /// Leaves no byte free.
        func fill() {
            let file = open(path + "/ballast", O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
            for size in [1 << 20, 4096, 1] {
                let zeros = [UInt8](repeating: 0, count: size)
                while write(file, zeros, size) == size {}
            }
            close(file)
        }

        func clear() { unlink(path + "/ballast") }

        func remount(readOnly: Bool) -> Bool {
            mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT) | (readOnly ? UInt(MS_RDONLY) : 0), nil) == 0
        }
    }

    private func isError(_ code: String) -> (Event) -> Bool {
        { if case .error(let record) = $0.payload { record.code == code } else { false } }
    }

    @Test("a full disk: readers lose nothing, it is told once, and all is kept when there is room again")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder, more: "landmarks: true")
        let disk = try Disk(for: folder, mebibytes: 24)
        let daemon = try DaemonProcess(
            in: folder,
            sources: source,
            sinks: DaemonProcess.standardOutput + "  - kind: jsonl\n    path: events.jsonl\n",
            seconds: 120
        )
        _ = try await daemon.event { $0.type == "track.started" }
        disk.fill()
        _ = try await daemon.event(isError("journal_unavailable"))
        var seen = 0
        _ = try await daemon.event { _ in
            seen += 1
            // Now and then a byte may get free.
            if seen % 10 == 0 { disk.fill() }
            return seen == 100
        }
        disk.clear()
        _ = try await daemon.event(isError("journal_recovered"))
        daemon.command.send(SIGHUP)
        _ = try await daemon.event { $0.type == "face.observation" }
        let events = try await daemon.stop()
        #expect(events.errors.count { $0.code == "journal_unavailable" } == 1)
        let told = try #require(events.errors.first { $0.code == "journal_recovered" })
        #expect(told.message.contains("none were lost"), "\(told.message)")
        let text = try String(contentsOfFile: folder.path("state/events.jsonl"), encoding: .utf8)
        #expect(text.hasSuffix("\n"))
        var received = Received()
        for line in text.split(separator: "\n") { try received.take(String(line)) }
        #expect(received.seqs.count + received.lost == events.count)
        #expect(received.seqs.last == events.count)
    }

    @Test("a disk that cannot be written to at the start: readers lose nothing, and lines are kept once it can")
    func readOnlyDisk() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let disk = try Disk(for: folder, mebibytes: 24)
        let first = try DaemonProcess(in: folder, sources: source)
        _ = try await first.event { $0.type == "track.started" }
        let before = try await first.stop()
        try #require(disk.remount(readOnly: true))
        let second = try DaemonProcess(in: folder, sources: source)
        _ = try await second.event(isError("journal_unavailable"))
        _ = try await second.event { $0.type == "track.started" }
        // What was kept cannot be read meanwhile, which whoever resumes is told.
        let cursor = try #require(before.first?.envelope.cursor)
        let reader = try await second.subscriber("\"since\":\"\(cursor)\"")
        var received = Received()
        while received.lines.count < 10, let line = try await reader.line() { try received.take(line) }
        #expect(received.seqs == Array(1...10))
        #expect(received.gaps.map(\.reason) == ["journal_unavailable"])
        try #require(disk.remount(readOnly: false))
        _ = try await second.event(isError("journal_recovered"))
        let events = try await second.stop()
        #expect(events.errors.count { $0.code == "journal_unavailable" } == 1)
    }

    // MARK: - Files

    private static func file(_ folder: TemporaryFolder) -> String {
        "  - kind: jsonl\n    path: \(folder.path("out.jsonl"))\n"
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    @Test("renamed and told so, it goes on in a new file: every line is whole, in one file or the other")
    func rename() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let sinks = DaemonProcess.standardOutput + Self.file(folder)
        let daemon = try DaemonProcess(in: folder, sources: source, sinks: sinks)
        let path = folder.path("out.jsonl")
        _ = try await daemon.event { $0.type == "face.observation" }
        for number in 0..<5 {
            while size(path) <= 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(Glibc.rename(path, "\(path).\(number)") == 0)
            // Lines go to the renamed file until the signal arrives.
            try await Task.sleep(for: .milliseconds(number * 50))
            daemon.command.send(SIGHUP)
            while size(path) < 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        let events = try await daemon.stop()
        var received = Received()
        for file in (0..<5).map({ "\(path).\($0)" }) + [path] {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasSuffix("\n"))
            for line in text.split(separator: "\n") { try received.take(String(line)) }
        }
        #expect(received.seqs == Array(1...events.count))
    }

    @Test("emptied in place, as by copytruncate, the file begins anew with a whole line")
    func truncate() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let sinks = DaemonProcess.standardOutput + Self.file(folder)
        let daemon = try DaemonProcess(in: folder, sources: source, sinks: sinks)
        let path = folder.path("out.jsonl")
        for _ in 0..<3 {
            _ = try await daemon.event { $0.type == "face.observation" }
            while size(path) <= 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(Glibc.truncate(path, 0) == 0)
        }
        let events = try await daemon.stop()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var received = Received()
        for line in text.split(separator: "\n") { try received.take(String(line)) }
        let first = try #require(received.seqs.first)
        #expect(received.seqs == Array(first...events.count))
    }

    @Test(
        "killed while it writes, again and again: a cut line is repaired, no line is missing, each start has its name"
    )
    func killed() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let path = folder.path("out.jsonl")
        let seed: UInt64 = 7
        var chance = SeededGenerator(seed: seed)
        for round in 0..<6 {
            let before = max(0, size(path))
            let daemon = try DaemonProcess(in: folder, sources: source, sinks: Self.file(folder))
            let more = Int.random(in: 1...60_000, using: &chance)
            while size(path) < before + more {
                try #require(daemon.command.isRunning)
                try await Task.sleep(for: .milliseconds(1))
            }
            daemon.command.send(SIGKILL)
            let run = await daemon.command.finish()
            #expect(run.ending == .signalled(SIGKILL))
            // The kernel rarely tears a short write; a full disk or a loss of power does.
            if round % 2 == 0 { Glibc.truncate(path, off_t(size(path) - Int.random(in: 2...300, using: &chance))) }
        }
        let sinks = DaemonProcess.standardOutput + Self.file(folder)
        let last = try DaemonProcess(in: folder, sources: source, sinks: sinks)
        _ = try await last.event { $0.type == "track.started" }
        let events = try await last.stop()
        let decoder = EventDecoder()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let inFile = try text.split(separator: "\n").map { try decoder.event($0.utf8).envelope }
        #expect(text.hasSuffix("\n") && inFile.last?.seq == events.count)
        for lines in [inFile, try await DaemonProcess.journal(of: folder).map(\.envelope)] {
            let instances = Dictionary(grouping: lines, by: \.instanceID)
            #expect(instances.count == 7, "seed \(seed)")
            for (_, lines) in instances { #expect(lines.map(\.seq) == Array(1...lines.count), "seed \(seed)") }
        }
    }

    // MARK: - Pipes

    @Test("a reader of standard output that goes away costs its own lines only, and the daemon ends in order")
    func brokenPipe() async throws {
        let folder = try TemporaryFolder()
        let source = try await DaemonProcess.chatter(folder)
        let daemon = try DaemonProcess(in: folder, sources: source, output: .closed(afterLines: 2))
        try await daemon.listens()
        let reader = try await daemon.subscriber("\"since\":\"oldest\"")
        var received = Received()
        while received.lines.count < 100, let line = try await reader.line() { try received.take(line) }
        daemon.command.send(SIGTERM)
        for line in try await reader.lines() { try received.take(line) }
        let run = await daemon.command.finish()
        #expect(run.ending == .exited(143))
        #expect(run.standardError.split(separator: "\n").count { $0.contains("standard output") } == 1)
        #expect(received.lines.last?.contains("\"type\":\"run.summary\"") == true)
        #expect(received.seqs == Array(1...received.seqs.count))
        let kept = try await DaemonProcess.journal(of: folder)
        #expect(kept.map(\.envelope.seq) == received.seqs)
        #expect(kept.summary?.ledger.violations(atEnd: true) == [])
    }
}
