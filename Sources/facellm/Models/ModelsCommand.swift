import ArgumentParser
import Faces
import Foundation

/// `facellm models`: what is installed, and model folders of FaceLLM.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Lists the installed models; makes and checks folders of FaceLLM models.",
        subcommands: [ListModelsCommand.self, MakeRandomModelCommand.self, VerifyModelCommand.self],
        defaultSubcommand: ListModelsCommand.self
    )
}

/// `facellm models list`: what is installed and where it comes from.
struct ListModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the installed models with path, source, licence and hash."
    )

    func run() throws {
        let folder = ModelFolder.standard(environment: ProcessInfo.processInfo.environment)
        var isComplete = true
        for model in ModelCatalogue.all {
            let state: String
            do throws(FacesError) {
                _ = try folder.verifiedPath(of: model)
                state = "ok"
            } catch {
                state = error.reason
                isComplete = false
            }
            print(
                """
                \(model.name): \(model.usedFor)
                  path     \(folder.path)/\(model.file)
                  source   \(model.source) on PyPI
                  licence  \(model.licence)
                  sha256   \(model.sha256)
                  state    \(state)
                """
            )
        }
        if !isComplete { throw ExitStatus(code: 1) }
    }
}
