import ArgumentParser
import FaceLLM
import Foundation

/// What a language model is asked, and how it answers.
struct AskingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A question, or the name of one that the model was trained on.", valueName: "text"))
    var question: String?

    @Option(
        help: ArgumentHelp(
            "Closed questions, separated by commas, or all: \(FieldCatalogue.builtIn.fields.map(\.name).joined(separator: ", ")).",
            valueName: "list"
        )
    )
    var fields: String?

    @Option(help: ArgumentHelp("Your own closed questions and rules (JSON).", valueName: "file"))
    var fieldsFile: String?

    @Option(help: ArgumentHelp("Answers to choose from, separated by commas.", valueName: "list"))
    var choose: String?

    @Flag(help: "Takes away what the model would choose without a picture.")
    var calibrate = false

    @Flag(help: "Ends the answer after its first sentence.")
    var sentence = false

    @Option(help: ArgumentHelp("Tokens of an answer, at most.", valueName: "count"))
    var maxTokens = 500

    @Option(help: ArgumentHelp("0 takes the likeliest token; above, answers vary.", valueName: "number"))
    var temperature: Float = 0

    @Option(help: ArgumentHelp("Only so many of the likeliest tokens; 0 for all.", valueName: "count"))
    var topK = 0

    @Option(help: ArgumentHelp("Only the likeliest tokens of so much probability together.", valueName: "number"))
    var topP: Float = 1

    @Option(help: ArgumentHelp("Only tokens so likely beside the likeliest.", valueName: "number"))
    var minP: Float = 0

    @Option(help: ArgumentHelp("Above 1, tokens that were used are less likely.", valueName: "number"))
    var repetitionPenalty: Float = 1

    @Option(help: ArgumentHelp("Same seed, same answer.", valueName: "number"))
    var seed: UInt64 = 0

    @Option(
        name: .customLong("timeout"),
        help: ArgumentHelp("Seconds that an answer may take; what is there by then is given.", valueName: "seconds")
    )
    var timeoutSeconds: Double?

    var timeout: Duration? { timeoutSeconds.map { .seconds($0) } }

    /// Words between commas, without the space around them.
    static func words(_ list: String) -> [String] {
        list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    func validate() throws {
        if fields != nil && choose != nil { throw ValidationError("--fields and --choose exclude one another.") }
        if fieldsFile != nil && fields == nil {
            throw ValidationError("--fields-file defines fields: name those to ask in --fields, or all.")
        }
        if let choose {
            let words = Self.words(choose)
            guard words.count >= 2, Set(words).count == words.count else {
                throw ValidationError("--choose needs two different answers at least, separated by commas.")
            }
        }
        if let timeoutSeconds, !(timeoutSeconds > 0 && timeoutSeconds <= 86_400) {
            throw ValidationError("--timeout is \(timeoutSeconds); it must be above 0 and at most 86400.")
        }
        do {
            try sampling.validate()
            try answer.validate()
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private var sampling: SamplingOptions {
        SamplingOptions(
            temperature: temperature,
            topK: topK,
            topP: topP,
            minP: minP,
            repetitionPenalty: repetitionPenalty,
            seed: seed
        )
    }

    private var answer: AnswerOptions {
        AnswerOptions(length: sentence ? .sentence : .paragraph, maximumTokens: maxTokens)
    }

    /// The question's words; the published script's where none is given.
    var questionText: String {
        guard let question else { return FaceQuestion.release.text }
        return FaceQuestion(rawValue: question)?.text ?? question
    }

    /// What all of this asks about a face.
    func inquiry() throws -> FaceInquiry {
        var catalogue: FieldCatalogue?
        let rules: ConsistencyRules
        do {
            var all = FieldCatalogue.builtIn
            if let fieldsFile {
                guard let data = FileManager.default.contents(atPath: fieldsFile) else {
                    throw ValidationError("--fields-file \(fieldsFile): it cannot be read.")
                }
                (all, rules) = try UserFields(json: Array(data)).resolved()
            } else {
                rules = try ConsistencyRules()
            }
            if let fields { catalogue = fields == "all" ? all : try all.selecting(Set(Self.words(fields))) }
        } catch let error as FieldError {
            throw ValidationError("\(error)")
        }
        // Fields alone need no sentence, unless one is asked for.
        var inquiry = FaceInquiry(
            catalogue: catalogue,
            rules: rules,
            question: fields != nil && question == nil ? nil : questionText
        )
        inquiry.choice.isCalibrated = calibrate
        inquiry.description.answer = answer
        inquiry.description.sampling = sampling
        return inquiry
    }
}
