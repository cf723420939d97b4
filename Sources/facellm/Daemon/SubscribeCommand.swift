import Analysis
import ArgumentParser
import Console
import Events
import Foundation
import Service
import Synchronization

/// `facellm subscribe`: the running daemon's events, for ever.
struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Prints the running daemon's events: for people on a terminal, as lines of JSON elsewhere.",
        discussion: """
            When the daemon restarts it connects again and goes on behind the last event; what could not be had in \
            between is told by a line of type gap. It ends with Ctrl-C.
            """
    )

    @Option(help: "Where to begin: now, oldest, or the cursor of an event to go on behind it.")
    var since = "now"

    @Option(help: "Only these types, separated by commas; as track.started,face.analysis.")
    var types: String?

    @Option(help: "Only this source; can be given repeatedly.")
    var source: [String] = []

    @Option(help: "Only faces that the detector is at least so sure of, 0–1.")
    var minConfidence: Double?

    @Option(help: "The daemon's events socket; by default the one in its runtime folder.")
    var socket: String?

    @Flag(help: "Print JSON on a terminal, too.")
    var json = false

    @Flag(help: "Wait for a daemon that does not run yet.")
    var wait = false

    func validate() throws {
        if let minConfidence, !(0...1).contains(minConfidence) {
            throw ValidationError("--min-confidence \(minConfidence): a number from 0 to 1 was expected")
        }
        for name in typeNames ?? [] where EventType(rawValue: name) == nil {
            let known = EventType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--types \(name): not one of \(known)")
        }
        if since.isEmpty || since.utf8.count > 128 { throw ValidationError("--since: a cursor was expected") }
    }

    private var typeNames: [String]? {
        types.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    func run() async throws {
        var wish = EventsClient.Wish()
        wish.since = since
        wish.types = typeNames
        wish.sources = source.isEmpty ? nil : source
        wish.minimumConfidence = minConfidence
        let environment = ProcessInfo.processInfo.environment
        let path = socket ?? SocketFolder.find(SocketFolder.eventsName, environment: environment)
        let client = EventsClient(path: path, wish: wish, waitsForDaemon: wait)
        let isPretty = !json && isatty(STDOUT_FILENO) == 1
        let printer = Printer(isPretty: isPretty)

        let ending = SubscriptionEnding()
        let reading = Task { try await client.run(printer.show) }
        let signals = SignalWatch { reason in
            ending.note(reason.rawValue)
            reading.cancel()
        }
        defer { signals.stop() }
        do {
            try await reading.value
        } catch let failure as StandardOutput.Failure {
            // Whoever reads may stop when it has what it wants.
            guard failure.code != EPIPE else { throw ExitStatus(code: 0) }
            StandardError.line("facellm: \(failure)")
            throw ExitStatus(code: 1)
        } catch let error as SocketError {
            if let code = ending.code { throw ExitStatus(code: code) }
            throw DaemonFailure.end(error)
        } catch is CancellationError {
            throw ExitStatus(code: ending.code ?? 1)
        }
    }

    /// Writes what comes.
    private struct Printer: Sendable {
        let isPretty: Bool

        func show(_ update: EventsClient.Update) throws {
            switch update {
            case .connected(let hello):
                guard isPretty else { return }
                let names = hello.sources.isEmpty ? "no sources" : hello.sources.joined(separator: ", ")
                StandardError.line("connected: \(names)")
            case .line(let bytes):
                guard isPretty else { return try write(String(decoding: bytes, as: UTF8.self)) }
                guard let event = try? EventDecoder().event(bytes) else { return }
                if let words = EventWords.line(event) { try write(words) }
            case .disconnected(let error, _):
                StandardError.line("facellm: \(error.detail); connecting again")
            }
        }

        private func write(_ line: String) throws(StandardOutput.Failure) {
            try StandardOutput.write(line + "\n")
        }
    }
}

/// The exit status that a signal asked for.
private final class SubscriptionEnding: Sendable {
    private let state = Mutex<Int32?>(nil)

    var code: Int32? { state.withLock { $0 } }

    func note(_ code: Int32) { state.withLock { $0 = code } }
}
