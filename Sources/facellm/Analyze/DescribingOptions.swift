import Analysis
import ArgumentParser
import Events
import Foundation

/// Whether faces are put into words by the language model, which words, and how often.
struct DescribingOptions: ParsableArguments {
    private static let defaults = DescriptionSettings()

    @Option(
        help: ArgumentHelp(
            "A folder with a FaceLLM checkpoint: adds a face.analysis line for each face, and for what changes of it.",
            valueName: "dir"
        )
    )
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Fields to ask the model for, separated by commas: \(FieldList.names.joined(separator: ", ")), names from"
                + " --fields-file, all or none.",
            valueName: "list"
        )
    )
    var describeFields: FieldList?

    @Option(
        help: ArgumentHelp(
            "What to ask the model for a sentence: the name of one of the questions it was trained on, the question, or"
                + " none.",
            valueName: "name|text"
        )
    )
    var describeQuestion: String?

    @Option(help: ArgumentHelp("Fields of your own, with their answers, as JSON.", valueName: "json"))
    var fieldsFile: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "After how long a face that does not change is described anew."
                + " (default: \(defaults.shots.refreshInterval))",
            valueName: "seconds"
        )
    )
    var describeRefresh: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Descriptions of one face in view, at most. (default: \(defaults.shots.perTrack))",
            valueName: "count"
        )
    )
    var describeBudget: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long the model may take over one face. (default: \(defaults.timeout.components.seconds))",
            valueName: "seconds"
        )
    )
    var describeTimeout: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Pictures of a face that its sentence is about, at most: the best until then, spread in time; fields are of"
                + " one. (default: \(defaults.frames))",
            valueName: "count"
        )
    )
    var describeFrames: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Faces that are described together, where several wait: sooner than one after the other, with the same"
                + " words. (default: \(FaceLLMDescriber.usualTogether))",
            valueName: "count"
        )
    )
    var describeBatch: Int?

    @Flag(help: "Tells the model what perception measured: pose, eyes, mouth.")
    var describeFacts = false

    @Option(
        name: .customLong("model-threads"),
        help: ArgumentHelp("Threads of the model; as many as there are cores if not given.", valueName: "count")
    )
    var threads: Int?

    @OptionGroup var precision: PrecisionOptions

    /// How often and how long; what was not given stays at its default.
    var settings: DescriptionSettings {
        var settings = DescriptionSettings()
        if let describeRefresh { settings.shots.refreshInterval = describeRefresh }
        if let describeBudget { settings.shots.perTrack = describeBudget }
        if let describeFrames { settings.frames = describeFrames }
        if let describeTimeout { settings.timeout = .seconds(describeTimeout) }
        return settings
    }

    /// What the describer is made from; nil where there is to be none.
    var describer: DescriberOptions? {
        model.map {
            DescriberOptions(
                model: $0,
                fields: describeFields?.fields,
                question: describeQuestion,
                fieldsFile: fieldsFile,
                tellsFacts: describeFacts,
                threads: threads,
                precision: precision.precision,
                together: describeBatch ?? FaceLLMDescriber.usualTogether
            )
        }
    }

    func validate() throws {
        guard let model else {
            let given: [(String, Bool)] = [
                ("--describe-fields", describeFields != nil), ("--describe-question", describeQuestion != nil),
                ("--fields-file", fieldsFile != nil), ("--describe-refresh", describeRefresh != nil),
                ("--describe-budget", describeBudget != nil), ("--describe-timeout", describeTimeout != nil),
                ("--describe-frames", describeFrames != nil), ("--describe-batch", describeBatch != nil),
                ("--describe-facts", describeFacts),
                ("--model-threads", threads != nil),
            ]
            if let name = given.first(where: \.1)?.0 {
                throw ValidationError("\(name) is for the language model: give --model too.")
            }
            return
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: model, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("--model \(model): there is no such folder.")
        }
        if let fieldsFile, !FileManager.default.isReadableFile(atPath: fieldsFile) {
            throw ValidationError("--fields-file \(fieldsFile): there is no such file, or it cannot be read.")
        }
        if fieldsFile == nil, let own = describeFields?.fields?.first(where: { !FieldList.names.contains($0) }) {
            throw ValidationError(
                "--describe-fields: there is no field \(own). Define it in a --fields-file, or choose among"
                    + " \(FieldList.names.joined(separator: ", "))."
            )
        }
        if describeFields?.fields?.isEmpty == true && describeQuestion == "none" {
            throw ValidationError("--describe-fields none and --describe-question none leave nothing to ask.")
        }
        if let describeQuestion {
            let isText = describeQuestion.contains { !$0.isWhitespace }
            guard isText, describeQuestion.utf8.count <= 4000 else {
                throw ValidationError("--describe-question must have between 1 and 4000 bytes.")
            }
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--model-threads is \(threads); it must be between 1 and 1024.")
        }
        try check(describeRefresh, "--describe-refresh", 0.1...1e6)
        try check(describeTimeout, "--describe-timeout", 0.1...1e5)
        if let describeFrames, !DescriptionSettings.frameRange.contains(describeFrames) {
            let range = DescriptionSettings.frameRange
            throw ValidationError(
                "--describe-frames is \(describeFrames); it must be between \(range.lowerBound) and \(range.upperBound)."
            )
        }
        try BatchLimit.check(describeBatch, "--describe-batch")
        if let describeBudget, !(1...100_000).contains(describeBudget) {
            throw ValidationError("--describe-budget is \(describeBudget); it must be between 1 and 100000.")
        }
    }

    private func check(_ seconds: Double?, _ name: String, _ range: ClosedRange<Double>) throws {
        guard let seconds, !range.contains(seconds) else { return }
        throw ValidationError(
            "\(name) is \(seconds); it must be between \(range.lowerBound) and \(Int(range.upperBound))."
        )
    }
}

/// The value of `--describe-fields`.
struct FieldList: ExpressibleByArgument {
    /// Nil for all.
    var fields: [String]?

    /// The fields that need no definition: what the model can tell better than geometry and the classifiers of age.
    static let names =
        ["expression"]
        + AttributeName.known.filter { $0 != .apparentAgeYears && $0 != .apparentGender }.map(\.rawValue)

    init?(argument: String) {
        switch argument {
        case "all": return
        case "none": fields = []
        default:
            var names: [String] = []
            for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
                let name = word.trimmingCharacters(in: .whitespaces)
                guard AttributeName(rawValue: name) != nil else { return nil }
                if !names.contains(name) { names.append(name) }
            }
            fields = names
        }
    }
}
