import Events
import Foundation
import TestSupport
import Testing

/// The built daemon and cameras that misbehave on order.
@Suite("Cameras that fail", .serialized, .needsInstallation, .needsCamera, .timeLimit(.minutes(4)))
struct CameraFaultTests {
    /// Reads on until each source's own condition has been met; in any order, of one event each.
    private func wait(_ daemon: DaemonProcess, _ conditions: [String: (SourceStatus) -> Bool]) async throws {
        var open = conditions
        while !open.isEmpty {
            _ = try await daemon.event { event in
                guard case .sourceStatus(let status) = event.payload, let source = event.envelope.source,
                    open[source]?(status) == true
                else { return false }
                open[source] = nil
                return true
            }
        }
    }

    @Test("seven cameras that fail, each in its way, and one that works: each is told of, and the one goes on")
    func together() async throws {
        let folder = try TemporaryFolder()
        _ = try await folder.cameraFile()
        let modes = [
            "silent": "--mode silent", "mute": "--mode mute", "empty": "--mode no-media",
            "frozen": "--mode freeze --count 75 --silence 2 --faults 1", "reset": "--mode reset --count 110",
            "locked": "--password admin:right", "gone": "--mode status --status 404", "door": "--mode play",
        ]
        var cameras: [String: Server] = [:]
        var sources: [String] = []
        let secret = "geh@im: 100%"
        for (name, options) in modes.sorted(by: { $0.key < $1.key }) {
            let camera = try await Server.camera(["silent", "mute"].contains(name) ? nil : folder, options)
            cameras[name] = camera
            var place = "    url: rtsp://127.0.0.1:\(camera.port)/stream"
            if name == "locked" {
                let file = try folder.file(
                    "url",
                    "rtsp://admin:geh%40im%3A%20100%25@127.0.0.1:\(camera.port)/stream?token=geheim\n"
                )
                chmod(file, 0o600)
                place = "    url_from: file:\(file)"
            }
            sources.append("  - name: \(name)\n\(place)")
        }
        let limits =
            "source_defaults:\n  limits: {connect_s: 1, probe_s: 2, first_frame_s: 1, read_s: 30, stalled_after_s: 1, "
            + "reconnect_first_s: 0.3, reconnect_longest_s: 30}\n"
        let daemon = try DaemonProcess(
            in: folder,
            sources: sources.joined(separator: "\n"),
            more: limits,
            seconds: 120
        )
        func reconnecting(_ reason: String, attempt: Int = 2) -> (SourceStatus) -> Bool {
            { $0.status == .reconnecting && $0.reason == reason && ($0.attempt ?? 0) >= attempt }
        }
        try await wait(
            daemon,
            [
                "silent": reconnecting("connect_timeout", attempt: 3),
                "mute": reconnecting("connect_timeout", attempt: 3),
                "empty": reconnecting("probe_timeout"),
                "frozen": { $0.status == .stalled && $0.reason == "no_pictures" },
                "reset": { $0.status == .reconnecting && ["connection_lost", "end_of_stream"].contains($0.reason) },
                "locked": reconnecting("unauthorized"),
                "gone": reconnecting("not_found"),
                "door": { $0.status == .online },
            ]
        )
        try await wait(daemon, ["frozen": { $0.status == .online }, "reset": { $0.status == .online }])
        // After all of that the one that works still shows who comes and goes.
        _ = try await daemon.event { $0.type == "track.started" && $0.envelope.source == "door" }
        let events = try await daemon.stop()

        func statuses(_ source: String) -> [SourceStatus.Status] {
            events.filter { $0.envelope.source == source }.statuses.map(\.status)
        }
        #expect(statuses("door") == [.connecting, .online, .ended])
        #expect(statuses("frozen") == [.connecting, .online, .stalled, .online, .ended])
        // Promised and not kept: that is silence, and told as such before the next attempt.
        #expect(statuses("empty").prefix(3) == [.connecting, .stalled, .reconnecting])
        for refused in ["locked", "gone"] {
            // What will not change soon is tried again after the longest pause only.
            #expect(statuses(refused) == [.connecting, .reconnecting, .ended])
            #expect(cameras[refused].map { $0.connections <= 2 } == true)
        }
        let gaps = events.filter { $0.type == "gap" }
        #expect(gaps.count { $0.envelope.source == "frozen" } == 1)
        #expect(gaps.count { $0.envelope.source == "reset" } >= 1)
        #expect(gaps.allSatisfy { ["frozen", "reset"].contains($0.envelope.source) })
        let epochs = events.filter { $0.envelope.source == "reset" }.compactMap(\.envelope.epoch)
        #expect(epochs.contains(1) && zip(epochs, epochs.dropFirst()).allSatisfy { $0 <= $1 })
        for source in ["silent", "mute", "empty", "locked", "gone"] {
            #expect(!events.contains { $0.envelope.source == source && $0.type == "track.started" })
        }
        let run = try #require(daemon.ending)
        let said = run.text + run.standardError
        #expect(said.contains("unauthorized"))
        for word in ["geh%40im", secret, "100%25", "token", "admin", "geheim"] {
            #expect(!said.contains(word), "'\(word)' was told")
        }
    }

    @Test("a camera that changes its picture's size: tracks end, faces are found in the new one at the same place")
    func sizes() async throws {
        let folder = try TemporaryFolder()
        var whole = Data()
        for size in ["640:360", "1920:1080", "360:640"] {
            let part = try await folder.ffmpeg(
                "-loop 1 -framerate 25 -t 3 -i \(Installation.portrait) -vf "
                    + "crop=480:270:x=0+10*sin(t):y=0,scale=\(size):force_original_aspect_ratio=increase,"
                    + "crop=\(size),setsar=1,format=yuv420p -c:v libx264 -preset ultrafast -bf 0 -g 25 "
                    + "-x264-params aud=1 -f h264",
                "part.h264"
            )
            whole += try Data(contentsOf: URL(filePath: part))
        }
        try folder.file("video.h264", whole)
        let camera = try await Server.camera(folder)
        let daemon = try DaemonProcess(
            in: folder,
            sources: DaemonProcess.camera("door", port: camera.port) + "\n    observations: true"
        )
        for epoch in 0...2 {
            _ = try await daemon.event { $0.type == "face.observation" && $0.envelope.epoch == epoch }
        }
        _ = try await daemon.event { $0.type == "source.status" }
        let events = try await daemon.stop()
        let widths = events.statuses.compactMap(\.video?.width)
        #expect(widths.prefix(3) == [640, 1920, 360])
        #expect(events.gaps.isEmpty)
        // Each change ends the track of the face that was there.
        let ends = events.filter { $0.type == "track.ended" }.prefix(2)
        #expect(ends.map(\.envelope.epoch) == [0, 1])
        #expect(events.ended.prefix(2).allSatisfy { $0.reason == .epoch })
        var boxes: [Int: [BoundingBox]] = [:]
        for event in events {
            guard case .faceObservation(let observation) = event.payload, let epoch = event.envelope.epoch,
                epoch <= 2
            else { continue }
            #expect(observation.frame.width == [640, 1920, 360][epoch])
            boxes[epoch, default: []].append(observation.face.boundingBox)
        }
        // Of the person, whatever else may pass for a face in the background.
        let largest = boxes.mapValues { $0.max { $0.width < $1.width } }
        let first = try #require(largest[0] ?? nil), second = try #require(largest[1] ?? nil)
        // The same view, so the same place in ratios of the picture; the third is cut upright out of it.
        let places = "\(first), \(second)"
        #expect(abs(first.left - second.left) < 0.06 && abs(first.width - second.width) < 0.04, "\(places)")
        #expect(abs(first.top - second.top) < 0.06 && abs(first.height - second.height) < 0.08)
        let third = try #require(largest[2] ?? nil)
        #expect(third.width > first.width && third.left >= 0 && third.left + third.width <= 1.1)
    }
}
