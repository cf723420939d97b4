import Analysis
import ArgumentParser
import Console
import Glibc

/// The command-line tool: analyses recorded videos and tells about the installation.
@main
struct Facellm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "facellm",
        abstract: "Describes the faces in a video: where, how turned, what they show, as lines of JSON.",
        discussion: """
            facellm describes what a face shows, not who it is nor what the person feels. \
            It keeps no pictures and nothing by which a person could be known again, unless asked to save crops.
            """,
        version: RunProvenance.version,
        subcommands: [
            AnalyzeCommand.self, ReportCommand.self, RedactCommand.self, DescribeCommand.self, ModelsCommand.self,
            DoctorCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "The running daemon",
                subcommands: [
                    SubscribeCommand.self, StatusCommand.self, SourcesCommand.self, PauseCommand.self,
                    ResumeCommand.self, ReloadCommand.self, PurgeCommand.self,
                ]
            )
        ]
    )

    static func main() async {
        // A reader that goes away is an error of its write, and a file too large is one too: never a silent death.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let status as ExitStatus {
            Glibc.exit(status.code)
        } catch {
            // Usage errors have the status 2 here, not sysexits' 64.
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code.isSuccess {
                print(text)
            } else if !text.isEmpty {
                StandardError.write(text + "\n")
            }
            Glibc.exit(code.isSuccess ? 0 : 2)
        }
    }
}

/// Ends the program with a status; everything was said already.
struct ExitStatus: Error {
    var code: Int32
}
