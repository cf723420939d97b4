import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Wrong command lines: status 2, and what to write instead.
    @Suite("Usage", .serialized)
    struct UsageTests {
        @Test(
            "a wrong option",
            arguments: [
                (["--frames"], "Unknown option '--frames'"),
                (["--landmarks"], "--landmarks adds to observations: give --observations too."),
                (["--start", "-1"], "--start is -1.0; it must not be negative."),
                (["--start=-1"], "--start is -1.0; it must not be negative."),
                (["--start", "nan"], "--start is nan"),
                (["--duration", "0"], "--duration is 0.0; it must be more than 0."),
                (["--sample-fps", "0"], "--sample-fps is 0.0; it must be between 0.01 and 1000."),
                (["--sample-fps", "-5"], "--sample-fps is -5.0; it must be between 0.01 and 1000."),
                (["--sample-fps", "fast"], "The value 'fast' is invalid for '--sample-fps <rate>'"),
                (["--every-frame", "--keyframes-only"], "--every-frame and --keyframes-only exclude one another."),
                (["--max-faces", "0"], "--max-faces must be between 1 and 1000."),
                (["--min-face-px", "-3"], "--min-face-px must not be negative."),
                (["--max-decode-errors", "-1"], "--max-decode-errors must not be negative."),
                (["--tiling", "99"], "The value '99' is invalid for '--tiling <auto|off|N>'"),
                (["--attributes", "name"], "The value 'name' is invalid for '--attributes <list>'"),
                (["--log-level", "loud"], "The value 'loud' is invalid for '--log-level <level>'"),
                (["--describe-budget", "3"], "--describe-budget is for the language model: give --model too."),
                (["--describe-fields", "none"], "--describe-fields is for the language model"),
                (["--model", "/nowhere"], "--model /nowhere: there is no such folder."),
                (["--model", "/", "--describe-fields", "Glasses"], "The value 'Glasses' is invalid for"),
                (["--model", "/", "--describe-fields", "glasses,shoes"], "there is no field shoes."),
                (["--model", "/", "--describe-question", " "], "--describe-question must have between 1 and"),
                (["--model", "/", "--describe-refresh", "-1"], "--describe-refresh is -1.0; it must be between 0.1"),
                (["--model", "/", "--describe-timeout", "nan"], "--describe-timeout is nan; it must be between 0.1"),
                (["--model", "/", "--describe-budget", "0"], "--describe-budget is 0; it must be between 1 and"),
                (["--model", "/", "--fields-file", "/nowhere"], "--fields-file /nowhere: there is no such file"),
                (["another.mp4"], "Unexpected argument 'another.mp4'"),
            ]
        )
        func wrongOption(arguments: [String], words: String) async throws {
            let run = try await Facellm.start(["analyze", Installation.portrait] + arguments).finish()
            #expect(run.ending == .exited(2))
            #expect(run.standardError.contains(words), "\(run.standardError)")
            #expect(run.standardError.contains("facellm analyze --help"))
            #expect(run.text == "")
        }

        @Test("no input, and no such command")
        func nothing() async throws {
            let first = try await Facellm.run("analyze")
            #expect(first.ending == .exited(2))
            #expect(first.standardError.contains("Missing expected argument '<input>'"))
            let second = try await Facellm.run("analyse", "party.mp4")
            #expect(second.ending == .exited(2))
            #expect(second.standardError.contains("analyse"))
        }

        @Test("an output that is the input is refused, whatever it is called", arguments: ["--output", "--annotate"])
        func sameFile(option: String) async throws {
            let folder = try TemporaryFolder()
            let data = try await Clips.small.data
            let clip = try folder.file("clip.mp4", data)
            try FileManager.default.createSymbolicLink(atPath: folder.path("link.mp4"), withDestinationPath: clip)
            try FileManager.default.linkItem(atPath: clip, toPath: folder.path("hard.mp4"))
            for (input, output) in [
                (clip, clip), (clip, folder.path("link.mp4")), (clip, folder.path("./hard.mp4")),
                ("file://" + clip, clip),
            ] {
                let run = try await Facellm.run("analyze", input, option, output)
                #expect(run.ending == .exited(2), "\(input) \(output): \(run.standardError)")
                #expect(run.standardError.contains("\(option) \(output) is the input: it would be overwritten."))
                #expect(try Data(contentsOf: URL(filePath: clip)) == data)
            }
        }

        @Test("events and video into the same file")
        func sameOutput() async throws {
            let folder = try TemporaryFolder()
            let file = folder.path("out")
            let run = try await Facellm.run("analyze", Installation.portrait, "-o", file, "--annotate", file)
            #expect(run.ending == .exited(2))
            #expect(run.standardError.contains("--annotate and --output name the same file \(file)."))
            #expect(folder.files == [])
        }

        @Test("help, version and completion")
        func help() async throws {
            let version = try await Facellm.run("--version")
            #expect(version.ending == .exited(0))
            #expect(version.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
            let help = try await Facellm.run("--help")
            #expect(help.ending == .exited(0))
            for command in ["analyze", "models", "doctor"] { #expect(help.text.contains("  \(command) ")) }
            let options = try await Facellm.run("analyze", "--help")
            #expect(options.ending == .exited(0))
            for option in ["--output", "--observations", "--stable", "--crops", "--start", "Exit status: 0 complete"] {
                #expect(options.text.contains(option))
            }
            for shell in ["bash", "zsh", "fish"] {
                let script = try await Facellm.run("--generate-completion-script", shell)
                #expect(script.ending == .exited(0))
                #expect(script.text.contains("facellm") && script.text.contains("--observations".dropFirst(2)))
                #expect(script.standardError == "")
            }
        }
    }
}
