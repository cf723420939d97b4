import ArgumentParser
import Benchmarking
import Console
import Events
import Faces
import Foundation
import Service

/// `facellm-bench daemon`: what watching several cameras at once costs, with the real daemon and real RTSP.
struct DaemonBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon",
        abstract: "Processor time, lag, drops and memory of facellmd with several RTSP cameras.",
        discussion: """
            The cameras are one process of GStreamer's RTSP server (scripts/setup --tests), which sends H.264 of a \
            face that comes for 15 s and goes for 5; each stream is at another place of it. The daemon is a process of \
            its own with its default settings and no describer. Lag is what the daemon says of each source: from the \
            picture's time by the camera's clock to its end in perception.
            """
    )

    @Option(help: "How many cameras.")
    var sources = 8

    @Option(help: "Samples a second of each.")
    var sampleFps = 5.0

    @Option(help: "Height of the pictures; 16 to 9.")
    var height = 720

    @Option(help: "Pictures a second of each camera.")
    var fps = 25

    @Option(help: "Seconds that are measured.")
    var seconds = 60.0

    @Option(help: "Seconds before, which are not.")
    var warmUp = 10.0

    @Option(help: ArgumentHelp("The daemon. (default: facellmd beside this program)", valueName: "file"))
    var daemon: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A key of the daemon's configuration and its value.", valueName: "key=value")
    )
    var assignments: [String] = []

    @Option(help: "The folder of the RTSP server's program.")
    var servers = "Tests/TestSupport/Servers"

    func validate() throws {
        guard 1...256 ~= sources else { throw ValidationError("--sources must be 1 to 256") }
        guard seconds >= 1, warmUp >= 0 else {
            throw ValidationError("--seconds must be 1 or more, --warm-up 0 or more")
        }
        guard 90...4320 ~= height, 1...240 ~= fps else { throw ValidationError("no such pictures: --height, --fps") }
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/facellm-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        print(MachineDescription.current.line)
        let clip = CameraClip(width: (height * 16 / 9 + 1) & ~1, height: height, framesPerSecond: fps)
        try clip.make(folder + "/clip.h264")
        let server = try Companion(
            [
                "/usr/bin/python3", servers + "/rtsp-server.py", folder + "/clip.h264", "--fps", String(fps),
                "--streams", String(sources), "--tell", String(clip.firstPictureOfFace),
            ],
            errors: folder + "/server.log"
        )
        let port: Substring
        do {
            port = try await server.line(beginningWith: "port ", within: .seconds(30)).dropFirst(5)
        } catch {
            StandardError.write((try? String(contentsOfFile: folder + "/server.log", encoding: .utf8)) ?? "")
            throw error
        }
        let measurement = try await measure(in: folder, port: String(port), server: server)
        print(measurement.report)
    }

    private func measure(in folder: String, port: String, server: Companion) async throws -> DaemonMeasurement {
        let file = folder + "/facellmd.yaml"
        try configuration(port: port).write(toFile: file, atomically: true, encoding: .utf8)
        let log = folder + "/facellmd.log"
        let program =
            daemon
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "facellmd").path
        let process = try Companion(
            [program, "--config", file, "--state-dir", folder + "/state", "--runtime-dir", folder + "/run"]
                + assignments.flatMap { ["--set", $0] },
            errors: log
        )
        let watch = DaemonWatch(process: process, server: server, folder: folder)
        do {
            return try await watch.measure(warmUp: warmUp, seconds: seconds)
        } catch {
            StandardError.write((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
            throw error
        }
    }

    private func configuration(port: String) -> String {
        let names = (1...sources).map { $0 == 1 ? "stream" : "stream\($0)" }
        let list = names.map { "  - {name: \($0), url: 'rtsp://127.0.0.1:\(port)/\($0)'}\n" }.joined()
        return "source_defaults: {sample_fps: \(sampleFps)}\nsources:\n\(list)"
    }
}

/// What the cameras show: for 5 s a wall, then for 15 s a person before it, with a sensor's noise.
struct CameraClip {
    private static let emptySeconds = 5
    private static let faceSeconds = 15

    var width: Int
    var height: Int
    var framesPerSecond: Int

    var firstPictureOfFace: Int { Self.emptySeconds * framesPerSecond }

    /// H.264 in Annex B as cameras send it: a keyframe every two seconds, no B pictures, a constant rate of bits.
    func make(_ path: String) throws {
        let environment = ProcessInfo.processInfo.environment
        let prefix = URL(filePath: ModelFolder.standard(environment: environment).path).deletingLastPathComponent()
        let photograph = prefix.appending(path: "demo/astronaut.png").path
        guard FileManager.default.isReadableFile(atPath: photograph) else {
            throw BenchmarkError(.runCommand, "\(photograph) is missing: run scripts/setup")
        }
        let size = "\(width)x\(height)"
        let bits = 3000 * height / 720
        let filter =
            "[0:v]noise=alls=5:allf=t,format=yuv420p,setsar=1[wall];"
            + "[1:v]scale=\(width):\(width),crop=\(width):\(height):x=0:y='\(height)*(0.06+0.04*sin(t))',"
            + "noise=alls=5:allf=t,format=yuv420p,setsar=1[face];[wall][face]concat=n=2:v=1[out]"
        _ = try CommandRun.run([
            "/usr/bin/env", "ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
            "color=gray:s=\(size):r=\(framesPerSecond):d=\(Self.emptySeconds)", "-loop", "1", "-framerate",
            "\(framesPerSecond)", "-t", "\(Self.faceSeconds)", "-i", photograph, "-filter_complex", filter,
            "-map", "[out]", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-bf", "0",
            "-g", "\(2 * framesPerSecond)", "-b:v", "\(bits)k", "-maxrate", "\(bits)k", "-bufsize", "\(bits)k",
            "-x264-params", "aud=1", "-f", "h264", path,
        ])
    }
}
