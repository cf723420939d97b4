import Analysis
import FaceLLM
import Foundation

/// What a describer is made from, as the command line names it.
struct DescriberOptions: Sendable, Hashable {
    /// A folder with a checkpoint.
    var model: String
    /// Names of the fields to ask for; nil for all, none for a text alone.
    var fields: [String]?
    /// The name of a trained question, a question, or `none`; nil for that of the published script.
    var question: String?
    /// A file with fields that the user defined.
    var fieldsFile: String?
    /// Whether perception's measurements are part of the questions.
    var tellsFacts = false
    /// Nil for as many as there are cores.
    var threads: Int?
    var precision: ModelPrecision
    /// Faces that are described together, at most.
    var together = FaceLLMDescriber.usualTogether

    /// Tokens of a text: a sentence has about 30, and each costs as much time as a closed question.
    private static let maximumTokens = 64

    /// Opens the model.
    ///
    /// - Throws: what is wrong with the options or the checkpoint.
    func makeDescriber() async throws -> any FaceDescriber {
        let inquiry = try inquiry()
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var options = Engine.Options(threads: threads ?? cores)
        options.precision = precision
        options.weightCache = Engine.standardWeightCache(environment: ProcessInfo.processInfo.environment)
        return try await FaceLLMDescriber.open(
            model,
            options: options,
            inquiry: inquiry,
            tellsFacts: tellsFacts,
            mostTogether: together
        )
    }

    /// What every face is asked.
    private func inquiry() throws -> FaceInquiry {
        var catalogue = FieldCatalogue.builtIn
        var rules = try ConsistencyRules()
        if let fieldsFile {
            let data = try Data(contentsOf: URL(filePath: fieldsFile))
            (catalogue, rules) = try UserFields(json: Array(data)).resolved()
        }
        if let fields, !fields.isEmpty { catalogue = try catalogue.selecting(Set(fields)) }
        let text = question.map { FaceQuestion(rawValue: $0)?.text ?? $0 } ?? FaceQuestion.release.text
        var inquiry = FaceInquiry(
            catalogue: fields?.isEmpty == true ? nil : catalogue,
            rules: rules,
            question: question == "none" ? nil : text
        )
        inquiry.description.answer = AnswerOptions(length: .sentence, maximumTokens: Self.maximumTokens)
        return inquiry
    }
}
