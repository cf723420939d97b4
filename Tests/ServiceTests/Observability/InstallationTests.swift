import Foundation
import Testing

/// What a command printed and how it ended.
private struct CommandResult {
    var status: Int32
    var output: String

    /// Standard output and error together; nil where the command is not installed.
    static func of(_ command: [String], environment: [String: String] = [:]) throws -> CommandResult? {
        let paths = ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(command[0])" } + [command[0]]
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return CommandResult(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
    }
}

private enum Checkout {
    static let path = #filePath.components(separatedBy: "/Tests/")[0]

    static func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The lines `Key=value` of a unit by their section, in order.
    static func unit(_ name: String) throws -> [String: [(key: String, value: String)]] {
        var section = ""
        var found: [String: [(key: String, value: String)]] = [:]
        for line in try String(contentsOfFile: file("systemd/\(name)"), encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                section = String(line.dropFirst().dropLast())
            } else {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                try #require(parts.count == 2, "\(line)")
                found[section, default: []].append((parts[0], parts[1]))
            }
        }
        return found
    }
}

@Suite struct UnitTests {
    @Test func serviceIsSupervisedAsTheDaemonExpects() throws {
        let service = try #require(try Checkout.unit("facellmd.service")["Service"])
        let values = Dictionary(service.map { ($0.key, $0.value) }) { $1 }
        let expected = [
            "Type": "notify", "ExecReload": "/bin/kill -HUP $MAINPID", "WatchdogSec": "60", "Restart": "on-failure",
            "RestartPreventExitStatus": "2", "SuccessExitStatus": "143 130", "User": "facellm",
            "RuntimeDirectory": "facellm",
            "StateDirectory": "facellm", "CacheDirectory": "facellm", "ConfigurationDirectory": "facellm",
            "RuntimeDirectoryPreserve": "yes", "LimitCORE": "0", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
            // Subscribers would all be "nobody".
            "PrivateUsers": "no",
            // OpenVINO compiles to machine code.
            "MemoryDenyWriteExecute": "no",
            "ExecStart": "/usr/local/bin/facellmd --config /etc/facellm/facellmd.yaml",
        ]
        for (key, value) in expected { #expect(values[key] == value, "\(key)") }
        for limit in ["TimeoutStopSec", "MemoryHigh", "TasksMax", "LimitNOFILE"] { #expect(values[limit] != nil) }
    }

    @Test func restartsForEverAndNotForEveryClientOfASocket() throws {
        let unit = try Checkout.unit("facellmd.service")
        let values = Dictionary((unit["Unit"] ?? []) + (unit["Service"] ?? [])) { $1 }
        let seconds = try ["StartLimitIntervalSec", "StartLimitBurst", "RestartSec"].map { key in
            try #require(values[key].flatMap { Double($0) }, "\(key)")
        }
        // Restarts alone never reach the limit; 20 in 2 s, as clients of a socket can cause them, do.
        #expect(seconds[0] / seconds[2] < seconds[1] && seconds[1] <= 20)
    }

    @Test(arguments: [("facellmd.socket", "events"), ("facellmd-control.socket", "control")])
    func socketsHaveTheNamesThatTheDaemonLooksFor(unit: String, name: String) throws {
        let socket = try #require(try Checkout.unit(unit)["Socket"])
        let values = Dictionary(socket.map { ($0.key, $0.value) }) { $1 }
        #expect(values["FileDescriptorName"] == name)
        #expect(values["ListenStream"] == "/run/facellm/\(name).sock")
        #expect(values["SocketMode"] == "0660")
        #expect(values["SocketGroup"] == "facellm")
        #expect(unit == "facellmd.socket" || values["Service"] == "facellmd.service")
    }

    @Test func exposureIsSmall() throws {
        let command = [
            "systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager",
            Checkout.file("systemd/facellmd.service"),
        ]
        guard let result = try CommandResult.of(command) else { try Test.cancel("no systemd-analyze here") }
        // Status 1 where the exposure is above 2.5.
        #expect(result.status == 0, "\(result.output.suffix(200))")
        #expect(result.output.contains("Overall exposure level for facellmd.service"))
        #expect(!result.output.contains("Unknown key"))
    }

    @Test func systemdUnderstandsTheUnits() throws {
        for unit in ["facellmd.service", "facellmd.socket", "facellmd-control.socket"] {
            let command = ["systemd-analyze", "verify", "--man=no", Checkout.file("systemd/\(unit)")]
            guard let result = try CommandResult.of(command) else { try Test.cancel("no systemd-analyze here") }
            // The program is installed later.
            let complaints = result.output.split(separator: "\n").filter { !$0.contains("is not executable") }
            #expect(complaints.isEmpty, "\(complaints)")
        }
    }
}

@Suite struct InstallationTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("install-\(UUID().uuidString)")

    /// Every file below the destination with its permissions.
    private func files() -> [String: Int] {
        var found: [String: Int] = [:]
        let root = folder.appendingPathComponent("root").path
        for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(root)/\(name)")
            guard attributes?[.type] as? FileAttributeType != .typeDirectory else { continue }
            found["/\(name)"] = attributes?[.posixPermissions] as? Int
        }
        return found
    }

    private func run(_ script: String, _ arguments: String...) throws -> CommandResult {
        let command = [Checkout.file("scripts/\(script)")] + arguments
        let environment = ["DESTDIR": folder.appendingPathComponent("root").path]
        return try #require(try CommandResult.of(command, environment: environment))
    }

    private func makePrograms() throws -> String {
        let build = folder.appendingPathComponent("build")
        try FileManager.default.createDirectory(at: build, withIntermediateDirectories: true)
        for name in ["facellm", "facellmd"] {
            let path = build.appendingPathComponent(name).path
            try "#!/bin/sh\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        return build.path
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent("root\(path)"), encoding: .utf8)
    }

    @Test func installsTwiceKeepsTheConfigurationAndLeavesNothing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let build = try makePrograms()
        let first = try run("install", "--build", build, "--prefix", "/opt/face+")
        try #require(first.status == 0, "\(first.output)")
        let installed = files()
        #expect(installed["/opt/face+/bin/facellmd"] == 0o755)
        #expect(installed["/etc/facellm/facellmd.yaml"] == 0o644)
        #expect(installed["/etc/systemd/system/facellmd.service"] == 0o644)
        // What the unit starts is where the program is.
        let unit = try text("/etc/systemd/system/facellmd.service")
        #expect(unit.contains("\nExecStart=/opt/face+/bin/facellmd --config /etc/facellm/facellmd.yaml\n"))
        #expect(!unit.contains("/usr/local/"))

        let configuration = folder.appendingPathComponent("root/etc/facellm/facellmd.yaml")
        try "# mine\n".write(to: configuration, atomically: true, encoding: .utf8)
        let second = try run("install", "--build", build, "--prefix", "/opt/face+")
        try #require(second.status == 0, "\(second.output)")
        #expect(try text("/etc/facellm/facellmd.yaml") == "# mine\n")
        #expect(Set(files().keys) == Set(installed.keys).union(["/etc/facellm/facellmd.yaml.new"]))

        #expect(try run("uninstall", "--prefix", "/opt/face+").status == 0)
        #expect(Set(files().keys) == ["/etc/facellm/facellmd.yaml"])
        #expect(try run("uninstall", "--prefix", "/opt/face+", "--purge").status == 0)
        #expect(files().isEmpty)
        #expect(try run("uninstall", "--purge").status == 0)
    }

    @Test(arguments: [
        ["--prefix"], ["--prefix", "relative"], ["--prefix", "/a b"], ["--prefix", "/%h"], ["--unknown"],
        ["--build", "/nowhere"],
    ])
    func wrongArgumentsInstallNothing(arguments: [String]) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let environment = ["DESTDIR": folder.appendingPathComponent("root").path]
        let command = [Checkout.file("scripts/install")] + arguments
        let result = try #require(try CommandResult.of(command, environment: environment))
        #expect(result.status == 1)
        #expect(result.output.hasPrefix("facellm installation: "))
        #expect(files().isEmpty)
    }

    @Test(arguments: ["install", "uninstall", "soak"])
    func scriptsTellTheirUsage(script: String) throws {
        let result = try #require(try CommandResult.of([Checkout.file("scripts/\(script)"), "--help"]))
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("usage: "))
    }

    @Test func shellcheckFindsNothing() throws {
        let scripts = ["install", "uninstall"].map { Checkout.file("scripts/\($0)") }
        guard let result = try CommandResult.of(["shellcheck", "-x"] + scripts) else {
            try Test.cancel("no shellcheck here")
        }
        #expect(result.status == 0, "\(result.output)")
    }
}

/// `scripts/soak` against a daemon that does what it is told; the real one is for hours, not for tests.
@Suite struct SoakTests {
    @Test(arguments: [
        ("", Int32(0), "ledger       0 problems"), ("leak", 1, "± 8              BAD"),
        ("miscount", 1, "frames_decoded = 10, its parts are 9"), ("skip", 1, "0 missed         BAD"),
        ("status", 1, "≤ 5 s, 0 or 143  BAD"), ("refuse", 2, "bad configuration"),
    ])
    func findsWhatIsWrong(fault: String, status: Int32, words: String) throws {
        let fake = "Tests/ServiceTests/Observability/fake-daemon.py"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let command = [
            Checkout.file("scripts/soak"), "0.0006", "--daemon", Checkout.file(fake), "--source", "/none.mp4",
            "--interval", "0.1",
        ]
        let environment = ["FAKE_FAULT": fault, "TMPDIR": folder.path]
        let result = try #require(try CommandResult.of(command, environment: environment))
        #expect(result.status == status, "\(result.output)")
        #expect(result.output.contains(words), "\(result.output)")
    }
}
