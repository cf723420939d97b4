import ArgumentParser
import Service

/// `facellm sources`: what the running daemon watches.
struct SourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract: "Lists, adds and removes the sources of the running daemon.",
        subcommands: [List.self, Add.self, Remove.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the sources and how they stand.")

        @OptionGroup var control: ControlOptions

        func run() async throws {
            let answer = try await control.ask("sources.list")
            try control.print(control.json ? answer.description : StatusTable.sources(answer))
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a source, for this start of the daemon and the following ones.",
            discussion: """
                The daemon keeps it in the file sources.json of its state directory; the configuration file is not \
                changed. What is not said here is as source_defaults has it.

                A password in a URL can be seen by other users while this command runs: \
                name the place where the URL is with --url-from instead.
                """
        )

        @Argument(help: "A name for it, which stands in every event.")
        var name: String

        @Argument(help: "Its address: rtsp://…, http://…, a file or a device.")
        var url: String?

        @Option(help: "Where the daemon finds the address: env:NAME, file:PATH or credential:NAME.")
        var urlFrom: String?

        @Option(
            name: .customLong("set"),
            help: "Another setting of the source as in the configuration, as sample_fps=5; can be given repeatedly."
        )
        var settings: [String] = []

        @OptionGroup var control: ControlOptions

        func validate() throws {
            guard (url == nil) != (urlFrom == nil) else {
                throw ValidationError("give the address of the source, or --url-from, and not both")
            }
            _ = try source()
        }

        func run() async throws {
            try await control.carryOut("sources.add", ["source": .object(try source())], done: "added \(name)")
        }

        private func source() throws -> [String: JSONValue] {
            var source: [String: JSONValue] = ["name": .string(name)]
            if let url { source["url"] = .string(url) }
            if let urlFrom { source["url_from"] = .string(urlFrom) }
            for setting in settings {
                guard let sign = setting.firstIndex(of: "="), sign > setting.startIndex else {
                    throw ValidationError("--set \(setting): KEY=VALUE was expected")
                }
                let value = String(setting[setting.index(after: sign)...])
                // Numbers, true and lists are JSON; anything else is a text.
                source[String(setting[..<sign])] = (try? JSONValue(text: value.utf8)) ?? .string(value)
            }
            return source
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Removes a source that was added for good, and one of the configuration file until that is read again."
        )

        @Argument(help: "The name of the source.")
        var name: String

        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.carryOut("sources.remove", ["source": .string(name)], done: "removed \(name)")
        }
    }
}
