import ArgumentParser
import Console
import FaceLLM
import Faces
import Foundation
import Synchronization

/// `facellm models make-random`: a FaceLLM model folder of noise.
struct MakeRandomModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-random",
        abstract: "Makes a folder in the shape of a FaceLLM model whose weights are random noise.",
        discussion: """
            What facellm says with such a model means nothing. The folder is there to try everything out without the \
            published weights, and to measure speed and memory. The same size and seed give the same files everywhere.
            """
    )

    enum Size: String, ExpressibleByArgument, CaseIterable {
        case oneB = "1b"
        case tiny
    }

    @Option(help: "1b: the shape of FaceLLM-1B, 1.9 GB. tiny: less than a megabyte.")
    var size: Size

    @Option(help: "Another seed makes other noise.")
    var seed: UInt64 = 1

    @Argument(help: "The folder to make; it must not exist, or be empty.")
    var folder: String

    func run() throws {
        let line = ByteProgress(isShown: isatty(STDERR_FILENO) == 1)
        do {
            let model = try model()
            defer { line.clear() }
            try RandomCheckpoint(model, seed: seed).write(to: folder) { line.show($0) }
        } catch {
            StandardError.line("facellm: \(error)")
            // Without an errno it is what was asked for that cannot be.
            throw ExitStatus(code: (error as? CheckpointError)?.code == 0 ? 2 : 1)
        }
        print("\(folder): random noise, seed \(seed), in the shape of a FaceLLM model (\(size.rawValue)).")
        print("It says nothing about faces. What is in it: facellm models verify \(folder)")
    }

    private func model() throws -> RandomCheckpoint.Model {
        switch size {
        case .tiny: return .tiny
        case .oneB:
            let models = ModelFolder.standard(environment: ProcessInfo.processInfo.environment)
            return .oneB(vocabulary: try models.verifiedPath(of: ModelCatalogue.vocabulary))
        }
    }
}

/// A line on the terminal that says how much has been written, at most once for each percent.
private final class ByteProgress: Sendable {
    private let isShown: Bool
    private let percent = Mutex(-1)

    init(isShown: Bool) { self.isShown = isShown }

    func show(_ progress: RandomCheckpoint.Progress) {
        guard isShown, progress.total > 0 else { return }
        let now = progress.written * 100 / progress.total
        percent.withLock { percent in
            guard now > percent else { return }
            percent = now
            StandardError.write("\rwriting noise: \(now) % of \(progress.total >> 20) MiB\u{1B}[K")
        }
    }

    func clear() {
        if isShown { StandardError.write("\r\u{1B}[K") }
    }
}
