import ArgumentParser
import Console
import Foundation
import Service

/// `--socket` of the commands that give orders to the daemon.
struct ControlOptions: ParsableArguments {
    @Option(help: "The daemon's control socket; by default the one in its runtime folder.")
    var socket: String?

    @Flag(help: "Print the daemon's answer as JSON.")
    var json = false

    /// Asks the daemon; a failure is said and ends the program.
    func ask(_ op: String, _ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        let environment = ProcessInfo.processInfo.environment
        let path = socket ?? SocketFolder.find(SocketFolder.controlName, environment: environment)
        do {
            return try await ControlClient(path: path).ask(op, fields)
        } catch let error as SocketError {
            throw DaemonFailure.end(error)
        }
    }

    /// Asks the daemon and says that it was done.
    func carryOut(_ op: String, _ fields: [String: JSONValue] = [:], done: String) async throws {
        let result = try await ask(op, fields)
        if json { return try print(result.description) }
        if case .string(let note)? = result["note"] { return try print("\(done); \(note)") }
        try print(done)
    }

    /// Words for people, or JSON, which is handed on as it came.
    func print(_ text: String) throws {
        do throws(StandardOutput.Failure) {
            try StandardOutput.write((json ? text : TerminalText.plain(text, keepsLines: true)) + "\n")
        } catch {
            // Whoever reads may stop when it has what it wants.
            if error.code == EPIPE { throw ExitStatus(code: 0) }
            StandardError.line("facellm: \(error)")
            throw ExitStatus(code: 1)
        }
    }
}

/// How a command ends when the daemon cannot be had.
enum DaemonFailure {
    /// Says what is wrong; to be thrown then.
    static func end(_ error: SocketError) -> ExitStatus {
        StandardError.line("facellm: \(error)")
        return ExitStatus(code: error.exitCode)
    }
}
