import Analysis
import ArgumentParser
import Console
import Dispatch
import Foundation
import Glibc
import Logging
import Service
import Video

@main
enum Program {
    /// Not `async`: a main task has a raised priority (nice -4 on Linux, where that is allowed), all that is begun from
    /// it inherits it, and looking at pictures is nothing to put before other programs.
    static func main() {
        // A reader that goes away is an error of its write, and a file too large is one too: never a silent death.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        Task.detached(priority: .medium) { await Facellmd.launch() }
        dispatchMain()
    }
}

/// The daemon: watches sources and publishes what their faces show, for weeks.
struct Facellmd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "facellmd",
        abstract: "Describes the faces in live video, as lines of JSON for whoever subscribes.",
        discussion: """
            facellmd describes what a face shows, not who it is nor what the person feels. It keeps no pictures and \
            nothing by which a person could be known again.

            Signals: HUP reads the configuration again, TERM and INT end it in order, a second one ends it at once. \
            Exit status: 1 failure, 2 usage or configuration, 130 and 143 after INT and TERM.
            """,
        version: RunProvenance.version
    )

    /// What is read where no file is named.
    private static let standardFile = "/etc/facellm/facellmd.yaml"

    @Option(
        help: ArgumentHelp(
            "The configuration. (default: \(standardFile), where there is one)",
            valueName: "file"
        )
    )
    var config: String?

    @Flag(help: "Checks the configuration, says what is wrong with it, and ends.")
    var checkConfig = false

    @Flag(help: "Prints every value that is in effect and where it comes from, and ends.")
    var dumpConfig = false

    @Option(help: ArgumentHelp("Where the journal is kept.", valueName: "folder"))
    var stateDir: String?

    @Option(help: ArgumentHelp("Where the sockets are.", valueName: "folder"))
    var runtimeDir: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning or error.", valueName: "level"))
    var logLevel: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A key of the configuration and its value; stronger than the file.", valueName: "key=value")
    )
    var assignments: [String] = []

    static func launch() async -> Never {
        do {
            let command = try parse()
            end(await command.start())
        } catch {
            // Usage errors have the status 2 here, not sysexits' 64.
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code.isSuccess { print(text) } else { StandardError.write(text + "\n") }
            end(code.isSuccess ? 0 : 2)
        }
    }

    /// Ends without the destructors of libraries, under which threads may still work.
    private static func end(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    func validate() throws {
        for assignment in assignments where !assignment.dropFirst().contains("=") {
            throw ValidationError("--set \(assignment): a key, '=' and a value were expected.")
        }
    }

    private func start() async -> Int32 {
        let file = config ?? (FileManager.default.isReadableFile(atPath: Self.standardFile) ? Self.standardFile : nil)
        let loader = loader
        let loaded: LoadedConfiguration
        do throws(ConfigurationError) {
            loaded = try loader.load(file: file)
        } catch {
            Self.tell("\(error)", priority: 3)
            return 2
        }
        if checkConfig || dumpConfig {
            print(dumpConfig ? loaded.effective : loaded.summary, terminator: "")
            return 0
        }
        for warning in loaded.warnings { Self.tell(warning.text(file: loaded.file), priority: 4) }
        return await run(loaded) { () throws(ConfigurationError) in try loader.load(file: file) }
    }

    /// What is said before there is a log: a line each, with syslog's priority where the journal reads it.
    private static func tell(_ text: String, priority: Int) {
        let isJournal = LogLine.Form.automatic(environment: ProcessInfo.processInfo.environment) == .journal
        for line in text.split(separator: "\n") { StandardError.line("\(isJournal ? "<\(priority)>" : "")\(line)") }
    }

    private var loader: ConfigurationLoader {
        var loader = ConfigurationLoader(environment: ProcessInfo.processInfo.environment)
        loader.flags["daemon.state_directory"] = stateDir.map(Self.absolute)
        loader.flags["daemon.runtime_directory"] = runtimeDir.map(Self.absolute)
        loader.flags["daemon.log_level"] = logLevel
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            loader.flags[String(parts[0])] = String(parts[1])
        }
        return loader
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private func run(
        _ loaded: LoadedConfiguration,
        load: @escaping @Sendable () throws(ConfigurationError) -> LoadedConfiguration
    ) async -> Int32 {
        FFmpegLog.capture()
        let environment = ProcessInfo.processInfo.environment
        let format = loaded.configuration.daemon.logFormat
        let output = LogOutput(form: LogLine.Form(rawValue: format.rawValue) ?? .automatic(environment: environment))
        defer { output.flush() }
        let setLogLevel = { @Sendable (level: Configuration.LogLevel) in
            output.level = Logger.Level(rawValue: level.rawValue) ?? .info
        }
        setLogLevel(loaded.configuration.daemon.logLevel)
        LoggingSystem.bootstrap { JournalLogHandler(label: $0, output: output) }
        let logger = Logger(label: "facellmd")
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var options = Daemon.Options(configuration: loaded, logger: logger, load: load) { configuration in
            configuration.engine.opener(environment: environment, cores: cores)
        }
        options.environment = environment
        options.setLogLevel = setLogLevel
        let activated = SocketActivation.sockets(environment: environment).mapValues { SocketListener.descriptor($0) }
        options.parts = { facts in
            let metrics = try MetricsPart(facts, logger: logger).map { [$0 as any DaemonPart] } ?? []
            return DaemonServers.parts(of: facts, activated: activated, logger: logger) + metrics
        }
        if let limit = Notifier.watchdogLimit(environment: environment) {
            options.pulseInterval = min(options.pulseInterval, limit / 3)
        }
        let notifier = Notifier(environment: environment)
        options.tell = { phase in
            switch phase {
            case .ready: notifier?.ready()
            case .reloading: notifier?.reloading()
            case .stopping: notifier?.stopping()
            case .alive: notifier?.watchdog()
            case .status(let words): notifier?.status(words)
            }
        }
        let daemon: Daemon
        do {
            daemon = try Daemon(options)
        } catch {
            logger.critical("\(error)")
            return 1
        }
        let signals = SignalWatch(
            stop: { daemon.stop($0) },
            hangUp: { Task { await daemon.hangUp() } }
        )
        defer { signals.stop() }
        return await daemon.run()
    }
}
