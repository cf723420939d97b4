import ArgumentParser
import FaceLLM

/// `facellm models verify`: whether a folder holds a FaceLLM model that can be run.
struct VerifyModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks a folder with a FaceLLM model and tells what is in it and everything that is missing.",
        discussion: "Exit status: 0 the model can be run, 2 it cannot."
    )

    @Argument(help: "The folder with config.json, or the one that holds it as \"model\".")
    var folder: String

    @Flag(help: "Look at every number of the weights, not at a sample: seconds for each gigabyte.")
    var deep = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() throws {
        let report = CheckpointReport.examine(folder, isDeep: deep)
        print(json ? try report.json() : report.text, terminator: json ? "\n" : "")
        if !report.isUsable { throw ExitStatus(code: 2) }
    }
}
