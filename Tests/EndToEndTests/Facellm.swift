import Events
import Foundation
import Synchronization
import TestSupport
import Testing

/// The program under test.
enum Facellm {
    /// Compiled models are kept here between the runs of the tests, and nothing in the user's own folders.
    static let cache = Result { try TemporaryFolder("facellm-test-cache") }

    static func environment(_ changes: [String: String] = [:]) throws -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FACELLM_") }
        environment["FACELLM_PREFIX"] = Installation.prefix
        environment["XDG_CACHE_HOME"] = try cache.get().path
        environment["LC_ALL"] = "C.UTF-8"
        return environment.merging(changes) { $1 }
    }

    static func start(
        _ arguments: [String],
        environment: [String: String] = [:],
        _ options: RunningCommand.Options = .init()
    ) throws -> RunningCommand {
        var options = options
        options.environment = try self.environment(environment)
        return try RunningCommand(Installation.facellm, arguments, options)
    }

    /// Runs it to its end.
    static func run(
        _ arguments: String...,
        environment: [String: String] = [:],
        options: RunningCommand.Options = .init()
    ) async throws -> CommandLineRun {
        try await start(arguments, environment: environment, options).finish()
    }

    /// Analyses something that can be analysed: checks the status and every line.
    ///
    /// - Returns: the events.
    static func analyze(
        _ arguments: String...,
        status: Int32 = 0,
        environment: [String: String] = [:],
        options: RunningCommand.Options = .init(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> EventFile {
        let run = try await start(["analyze"] + arguments, environment: environment, options).finish()
        #expect(run.ending == .exited(status), "\(run.standardError)", sourceLocation: sourceLocation)
        return try await EventFile(run.standardOutput, sourceLocation: sourceLocation)
    }
}

/// The events of a whole run.
struct EventFile {
    let lines: [String]
    let events: [Event]
    let summary: RunSummary

    /// Reads all lines and checks what holds for every run: whole lines, the schema, the ledger, ends of tracks.
    init(_ data: Data, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.hasSuffix("\n"), "the last line is torn off", sourceLocation: sourceLocation)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        let decoder = EventDecoder()
        events = try lines.map { try decoder.event($0.utf8) }
        guard case .runSummary(let summary) = events.last?.payload else {
            Issue.record("the last line is no run.summary: \(lines.last ?? "none")", sourceLocation: sourceLocation)
            throw Incomplete()
        }
        self.summary = summary
        check(sourceLocation)
        try await Self.validate(data, sourceLocation)
    }

    struct Incomplete: Error {}

    private func check(_ sourceLocation: SourceLocation) {
        let ledger = summary.ledger
        #expect(ledger.violations(atEnd: true) == [], sourceLocation: sourceLocation)
        #expect(events.map(\.envelope.seq) == Array(1...events.count), sourceLocation: sourceLocation)
        #expect(ledger.eventsPublished == events.count, sourceLocation: sourceLocation)
        #expect(ledger.tracksStarted == started.count, sourceLocation: sourceLocation)
        #expect(ledger.tracksEnded == ended.count, sourceLocation: sourceLocation)
        #expect(Set(started.map(\.trackID)).count == started.count, sourceLocation: sourceLocation)
        #expect(
            started.map(\.trackID).sorted() == ended.map(\.trackID).sorted(),
            "every track ends once",
            sourceLocation: sourceLocation
        )
    }

    private static let hasWarned = Mutex(false)

    /// The schema and all that the script checks besides.
    static func validate(_ data: Data, _ sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("events.jsonl", data)
        let script = Installation.package.appending(path: "scripts/validate-events").path
        let run = try await CommandLineRun.of("python3", [script, "--strict", file])
        if run.status == 3 || run.status == 127 {
            let isFirst = hasWarned.withLock { hasWarned in
                defer { hasWarned = true }
                return !hasWarned
            }
            if isFirst {
                Issue.record(
                    "no check against the schema, which needs python3 with jsonschema: run scripts/setup --tests",
                    severity: .warning
                )
            }
            return
        }
        #expect(run.status == 0, "\(run.text)\(run.standardError)", sourceLocation: sourceLocation)
    }

    // MARK: - By type

    var statuses: [SourceStatus] {
        events.compactMap { if case .sourceStatus(let status) = $0.payload { status } else { nil } }
    }

    var started: [TrackChange] {
        events.compactMap { if case .trackStarted(let change) = $0.payload { change } else { nil } }
    }

    var changes: [TrackChange] {
        events.compactMap {
            switch $0.payload {
            case .trackStarted(let change), .trackUpdated(let change): change
            default: nil
            }
        }
    }

    var observations: [FaceObservation] {
        events.compactMap { if case .faceObservation(let observation) = $0.payload { observation } else { nil } }
    }

    var ended: [TrackEnd] {
        events.compactMap { if case .trackEnded(let end) = $0.payload { end } else { nil } }
    }

    var analyses: [FaceAnalysis] {
        events.compactMap { if case .faceAnalysis(let analysis) = $0.payload { analysis } else { nil } }
    }

    /// Media times of the frames that faces were seen in.
    var times: [Double] { (changes.map(\.frame) + observations.map(\.frame)).map(\.mediaTimeSeconds).sorted() }
}
