import ArgumentParser
import Console
import Glibc

/// Measures: speed belongs here, never in a timed test.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "facellm-bench",
        abstract: "Measures facellm: stage times, processor time, memory, accuracy.",
        subcommands: [
            PipelineBench.self, EngineBench.self, TokenizerBench.self, DescribeBench.self, PrecisionBench.self,
            ExpressionsBench.self, JournalBench.self, DaemonBench.self,
        ]
    )

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        #if DEBUG
            StandardError.write(
                "facellm-bench: this is a debug build, its figures mean nothing: build with -c release\n"
            )
            Glibc.exit(2)
        #else
            do {
                var command = try parseAsRoot()
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch {
                exit(withError: error)
            }
        #endif
    }
}
