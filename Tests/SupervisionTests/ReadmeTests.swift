import Events
import Foundation
import Glibc
import TestSupport
import Testing

/// The clients that README.md prints, taken out of it and run against the built daemon.
@Suite("The clients in the README", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct ReadmeTests {
    private static let socket = "/run/facellm/events.sock"

    /// The only block of the README that has these words, with the daemon's socket for the usual one.
    private func block(with words: String, for daemon: DaemonProcess) throws -> String {
        let readme = try String(contentsOf: Installation.package.appending(path: "README.md"), encoding: .utf8)
        let parts = readme.components(separatedBy: "```")
        // Every other part stands between fences; its first line is the rest of the fence.
        let blocks = stride(from: 1, to: parts.count, by: 2).map { parts[$0] }.filter { $0.contains(words) }
        try #require(blocks.count == 1, "README.md has \(blocks.count) blocks with \(words)")
        let text = String(blocks[0].drop { $0 != "\n" }.dropFirst())
        try #require(text.contains(Self.socket))
        return text.replacing(Self.socket, with: daemon.eventsSocket)
    }

    @Test(
        "socat prints hello and then lives with the daemon",
        .enabled(if: Installation.executable("socat") != nil, "socat is not installed: scripts/setup --tests")
    )
    func socat() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(in: folder, sources: try await DaemonProcess.chatter(folder))
        try await daemon.listens()
        let command = try block(with: "UNIX-CONNECT:", for: daemon)
        // A terminal at which nobody types.
        let input = folder.path("input")
        try #require(mkfifo(input, 0o600) == 0)
        let ours = open(input, O_RDWR | O_CLOEXEC)
        defer { close(ours) }
        let client = try RunningCommand("/bin/sh", ["-c", command], .init(input: input))
        var lines = client.lines.makeAsyncIterator()
        #expect(await lines.next()?.contains("\"type\":\"hello\"") == true)
        let first = try #require(await lines.next())
        let events = try await daemon.stop()
        let run = await client.finish()
        #expect(run.ending == .exited(0), "\(run.standardError)")
        var received = Received()
        for line in run.text.split(separator: "\n").dropFirst() { try received.take(String(line)) }
        #expect(received.lines.first == first && received.gaps.isEmpty)
        #expect(received.seqs == Array((received.seqs.first ?? 0)...events.count))
    }

    @Test("ten lines of Python print each face that comes", .needsCamera)
    func python() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(in: folder, sources: try await DaemonProcess.chatter(folder))
        _ = try await daemon.event { $0.type == "track.started" }
        let program = try folder.file("client.py", try block(with: "socket.AF_UNIX", for: daemon))
        let text = try String(contentsOfFile: program, encoding: .utf8)
        #expect(text.split(separator: "\n").count <= 10)
        let client = try RunningCommand(try #require(Server.python), [program])
        #expect(await client.line(containing: "door t1") != nil)
        let events = try await daemon.stop()
        let run = await client.finish()
        #expect(run.ending == .exited(0), "\(run.standardError)")
        #expect(run.text.split(separator: "\n").count == events.started.count)
    }
}
