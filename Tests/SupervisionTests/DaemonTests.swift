import Events
import Foundation
import TestSupport
import Testing

/// The built daemon as a process.
@Suite("Daemon", .serialized, .needsInstallation, .needsCamera, .timeLimit(.minutes(4)))
struct DaemonTests {
    /// What the camera of a test is doing when the signal comes.
    enum Phase: String, CaseIterable, CustomTestStringConvertible {
        /// It takes the connection and never answers.
        case connect = "mute"
        /// It promises to play and sends nothing.
        case firstFrame = "no-media"
        case decode = "play"
        var testDescription: String { rawValue }
    }

    @Test("told to end in any phase it ends in order within 5 s", arguments: Phase.allCases, [SIGTERM, SIGINT])
    func ends(in phase: Phase, by signal: Int32) async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder, "--mode \(phase.rawValue)")
        let daemon = try DaemonProcess(in: folder, sources: DaemonProcess.camera("door", port: camera.port))
        _ = try await daemon.event { event in
            phase == .decode ? event.type == "track.started" : event.type == "source.status"
        }
        let events = try await daemon.stop(by: signal)
        #expect(events.summary?.exitReason == (signal == SIGTERM ? .terminated : .interrupted))
        #expect(events.statuses.last?.status == .ended)
        if phase == .decode { #expect(events.ended.last?.reason == .interrupted) }
    }

    @Test("a second daemon on the same state directory is refused and says by whom")
    func secondDaemon() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(in: folder, sources: "")
        // Its process stands in the state directory as soon as it has the lock.
        while !FileManager.default.fileExists(atPath: folder.path("state/owner.pid")) { await Task.yield() }
        let second = try DaemonProcess(in: folder, sources: "")
        let run = await second.command.finish()
        #expect(run.status == 1)
        #expect(run.standardError.contains("\(daemon.command.processID)"), "\(run.standardError)")
        daemon.command.send(SIGKILL)
        _ = await daemon.command.finish()
    }

    @Test("killed and started again: nothing of the journal is lost, and a cursor goes on where it was")
    func killed() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let source = DaemonProcess.camera("door", port: camera.port)
        let first = try DaemonProcess(in: folder, sources: source)
        let seen = try await first.event { $0.type == "track.ended" }
        // The sign is behind a later line, so what it stood for was committed.
        _ = try await first.event { $0.type == "track.started" }
        first.command.send(SIGKILL)
        _ = await first.command.finish()
        let second = try DaemonProcess(in: folder, sources: source)
        _ = try await second.event { $0.type == "track.started" }
        let events = try await second.stop()
        let all = try await DaemonProcess.journal(of: folder)
        let instances = all.map(\.envelope.instanceID)
        #expect(Set(instances).count == 2)
        let old = all.filter { $0.envelope.instanceID == seen.envelope.instanceID }
        #expect(old.map(\.envelope.seq) == Array(1...old.count))
        #expect(old.count >= (seen.envelope.seq ?? 0))
        let resumed = try await DaemonProcess.journal(of: folder, after: seen.envelope.cursor)
        #expect(resumed.map(\.envelope.cursor) == Array(all.drop { $0 != seen }.dropFirst()).map(\.envelope.cursor))
        #expect(resumed.last == events.last)
    }

    @Test("hung up it reads the configuration again: only what changed is opened anew, nonsense changes nothing")
    func reload() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let camera = try await Server.camera(folder)
        let door = DaemonProcess.camera("door", port: camera.port)
        let daemon = try DaemonProcess(in: folder, sources: door)
        _ = try await daemon.event { $0.type == "track.started" }
        _ = try folder.file("facellmd.yaml", "sources: nonsense\n")
        daemon.command.send(SIGHUP)
        // Then it goes on as before.
        _ = try await daemon.event { $0.type == "track.ended" }
        let yard = DaemonProcess.camera("yard", port: camera.port)
        _ = try DaemonProcess.configure(folder, sources: "\(door)\n\(yard)")
        daemon.command.send(SIGHUP)
        _ = try await daemon.event { $0.type == "track.started" && $0.envelope.source == "yard" }
        let changed = yard.replacing("    limits", with: "    min_face_px: 400\n    limits")
        _ = try DaemonProcess.configure(folder, sources: "\(door)\n\(changed)")
        daemon.command.send(SIGHUP)
        _ = try await daemon.event { event in
            if case .sourceStatus(let status) = event.payload {
                return event.envelope.source == "yard" && status.status == .online && event.envelope.epoch == 1
            }
            return false
        }
        let events = try await daemon.stop()
        let doorStates = events.filter { $0.envelope.source == "door" }.statuses.map(\.status)
        #expect(doorStates == [.connecting, .online, .ended])
        let yardStates = events.filter { $0.envelope.source == "yard" }.statuses.map(\.status)
        #expect(yardStates == [.connecting, .online, .ended, .connecting, .online, .ended])
    }

    @Test("what is wrong with the configuration is told with status 2, and nothing is touched")
    func wrongConfiguration() async throws {
        let folder = try TemporaryFolder()
        let daemon = try DaemonProcess(in: folder, sources: "  - name: door\n    urk: rtsp://127.0.0.1/x")
        let run = await daemon.command.finish()
        #expect(run.status == 2)
        #expect(run.standardError.contains("urk"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("state")))
        let check = try DaemonProcess(in: folder, sources: "", arguments: ["--check-config"])
        #expect(await check.command.finish().status == 0)
        let usage = try DaemonProcess(in: folder, sources: "", arguments: ["--no-such-flag"])
        #expect(await usage.command.finish().status == 2)
    }
}
