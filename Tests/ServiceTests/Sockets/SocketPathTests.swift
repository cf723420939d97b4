import Events
import Foundation
import Glibc
import Service
import TestSupport
import Testing

@Suite("Socket files", .timeLimit(.minutes(1)))
struct SocketPathTests {
    private let folder: SocketsFolder

    init() throws { folder = try SocketsFolder() }

    @Test("the file has its mode and group, and goes with the server")
    func file() async throws {
        let group: UInt32? = geteuid() == 0 ? 12_345 : nil
        let path = folder("events.sock")
        let fixture = try await EventsFixture(folder: folder) {
            $0.listener = .path(SocketPath(path, mode: 0o640, groupID: group))
        }
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(status.st_gid == group ?? getegid())
        await fixture.finish()
        #expect(lstat(path, &status) != 0)
    }

    @Test("the file of a daemon that died is replaced, one that somebody listens on is not")
    func staleAndLive() async throws {
        let path = folder("events.sock")
        // Bound, listened on and closed: what a killed daemon leaves behind.
        let dead = try listeningSocket(path)
        close(dead)
        let fixture = try await EventsFixture(folder: folder)
        _ = try await fixture.client()
        let error = await #expect(throws: SocketError.self) { try await EventsFixture(folder: folder) }
        #expect(error?.kind == .inUse && error?.description.contains(path) == true)
        // The first one is not disturbed.
        _ = try await fixture.client()
        await fixture.finish()
    }

    @Test("what is said of a failure ends with one full stop")
    func fullStop() {
        for detail in ["no answer in time", "The disk is full."] {
            let error = SocketError(.ask, .refused, path: "/run/x", detail: detail)
            #expect(error.description == "cannot ask the daemon at \"/run/x\": \(detail.replacing(".", with: "")).")
        }
    }

    @Test("a server that stops leaves the file of its successor alone")
    func successor() async throws {
        let first = try await EventsFixture(folder: folder)
        unlink(first.path)
        let second = try await EventsFixture(folder: folder)
        await first.finish()
        _ = try await second.client()
        await second.finish()
    }

    @Test("what is no socket is left alone; long paths, missing folders are told")
    func unusable() async throws {
        try Data("precious".utf8).write(to: URL(filePath: folder("file")))
        let cases: [(String, SocketError.Kind)] = [
            ("file", .notASocket), ("absent/events.sock", .notFound),
            (String(repeating: "x", count: 120), .pathTooLong),
        ]
        for (name, kind) in cases {
            let path = folder(name)
            let error = await #expect(throws: SocketError.self) {
                try await EventsFixture(folder: folder) { $0.listener = .path(SocketPath(path)) }
            }
            #expect(error?.kind == kind && error?.remedy.isEmpty == false)
        }
        #expect(try String(contentsOfFile: folder("file"), encoding: .utf8) == "precious")
    }

    @Test("sockets are taken over from systemd by name, and their file stays")
    func activation() async throws {
        let path = folder("handed.sock")
        // Numbers that nothing else in the test process uses.
        let first: Int32 = 900
        let socket = try listeningSocket(path)
        #expect(dup2(socket, first) == first && dup2(STDERR_FILENO, first + 1) == first + 1)
        close(socket)
        defer { close(first + 1) }
        let environment = [
            "LISTEN_PID": "\(getpid())", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "events:control",
        ]
        let sockets = SocketActivation.sockets(environment: environment, first: first)
        // The second is no socket.
        #expect(sockets == ["events": first])
        #expect(fcntl(first, F_GETFD) & FD_CLOEXEC != 0)
        for change in [["LISTEN_PID": "1"], ["LISTEN_FDS": "x"], ["LISTEN_FDS": "-1"]] {
            let other = environment.merging(change) { $1 }
            #expect(SocketActivation.sockets(environment: other, first: first).isEmpty)
        }

        // Who connected before the daemon started is served.
        let early = try RawClient(path)
        let fixture = try await EventsFixture(folder: folder) { $0.listener = .descriptor(first) }
        #expect(type(of: try await early.line()) == "hello")
        await fixture.finish()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    /// Listens by system calls alone.
    private func listeningSocket(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound, listen(descriptor, 8) == 0 else { throw RawClient.Failure(description: "errno \(errno)") }
        return descriptor
    }
}

@Suite("Who may use a socket")
struct PeerPolicyTests {
    @Test("listed users and members of listed groups may, and always root and this user")
    func admits() {
        func peer(_ user: UInt32, _ group: UInt32) -> PeerCredentials {
            PeerCredentials(processID: 1, userID: user, groupID: group)
        }
        #expect(PeerPolicy.anyone.admits(peer(70_000, 70_000)))
        let policy = PeerPolicy(userIDs: [70_001], groupIDs: [70_002])
        #expect(policy.admits(peer(70_001, 1)) && policy.admits(peer(70_009, 70_002)))
        #expect(policy.admits(peer(0, 0)) && policy.admits(peer(geteuid(), 70_009)))
        #expect(!policy.admits(peer(70_009, 70_009)))
    }

    @Test("a process of another user is refused", .enabled(if: geteuid() == 0, "needs root to become another user"))
    func otherUser() async throws {
        let policy = PeerPolicy(userIDs: [70_001], groupIDs: [])
        let fixture = try await EventsFixture { $0.admits = policy.admits }
        chmod(fixture.folder.path, 0o755)
        chmod(fixture.path, 0o666)
        func code(user: Int) async throws -> String {
            let script = """
                import os, socket, sys, json
                os.setgid(70009); os.setuid(\(user))
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                line = json.loads(s.makefile().readline())
                print(line["type"], line.get("code", ""))
                """
            let text = try await python(["-c", script, fixture.path])
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        #expect(try await code(user: 70_009) == "error not_allowed")
        #expect(try await code(user: 70_001) == "hello")
        await fixture.finish()
    }
}
