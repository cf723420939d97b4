import ArgumentParser
import Events
import Service

/// `facellm status`: how the running daemon stands.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tells how the running daemon and its sources stand."
    )

    @OptionGroup var control: ControlOptions

    func run() async throws {
        let status = try await control.ask("status")
        try control.print(control.json ? status.description : StatusTable.status(status))
    }
}

/// `facellm pause`.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops looking at a source, or at all, until it is resumed or the daemon starts again."
    )

    @Argument(help: "The name of the source; all without one.")
    var source: String?

    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.carryOut("pause", SourceField.of(source), done: "paused \(source ?? "all sources")")
    }
}

/// `facellm resume`.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Looks at a paused source, or at all, again."
    )

    @Argument(help: "The name of the source; all without one.")
    var source: String?

    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.carryOut("resume", SourceField.of(source), done: "resumed \(source ?? "all sources")")
    }
}

/// `facellm reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Makes the daemon read its configuration again; only sources that changed start anew.",
        discussion: """
            It prints what changed, a line each. What a running daemon cannot change is told as "needs a restart: KEY".
            """
    )

    @OptionGroup var control: ControlOptions

    func run() async throws {
        let result = try await control.ask("reload")
        guard !control.json, case .array(let changes)? = result["changes"] else {
            return try control.print(result.description)
        }
        for case .string(let line) in changes { try control.print(line) }
    }
}

/// `facellm purge`.
struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Deletes events from the daemon's journal for good, by their age, their source or both."
    )

    @Option(help: "Delete what was published before: a time as 2026-03-01T09:30:00Z, or an age as 12h or 30d.")
    var before: String?

    @Option(help: "Delete what is about this source.")
    var source: String?

    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard before != nil || source != nil else {
            throw ValidationError("say what to delete: --before, --source or both")
        }
        if let before, Self.time(before, now: .now()) == nil {
            throw ValidationError("--before \(before): a time as 2026-03-01T09:30:00Z or an age as 12h was expected")
        }
    }

    func run() async throws {
        var fields = SourceField.of(source)
        if let before, let time = Self.time(before, now: .now()) { fields["before"] = .string(time.description) }
        let result = try await control.ask("purge", fields)
        if control.json {
            try control.print(result.description)
        } else if case .number(let count)? = result["purged"] {
            try control.print("deleted \(Int(exactly: count) ?? 0) lines")
        } else {
            try control.print("deleted")
        }
    }

    /// The moment that a text means: RFC 3339 in UTC, with or without milliseconds, or an age.
    static func time(_ text: String, now: Timestamp) -> Timestamp? {
        if let time = Timestamp(text) { return time }
        if text.hasSuffix("Z"), let time = Timestamp(text.dropLast() + ".000Z") { return time }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let count = Int64(text.dropLast()), count >= 0 else {
            return nil
        }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit * 1000)
        guard !overflow, milliseconds <= now.millisecondsSince1970 else { return nil }
        return Timestamp(millisecondsSince1970: now.millisecondsSince1970 - milliseconds)
    }
}

/// The field `source` of a request.
private enum SourceField {
    static func of(_ name: String?) -> [String: JSONValue] {
        name.map { ["source": .string($0)] } ?? [:]
    }
}
