internal import Imaging

/// What is asked about a face: closed questions, an open one, or both.
package struct FaceInquiry: Sendable, Hashable {
    /// The closed questions; nil for none.
    package var catalogue: FieldCatalogue?
    package var rules: ConsistencyRules
    package var choice = ChoiceOptions()
    /// The open question; nil for none.
    package var question: String?
    package var description = DescriptionOptions()

    package init(catalogue: FieldCatalogue? = nil, rules: ConsistencyRules, question: String? = nil) {
        self.catalogue = catalogue
        self.rules = rules
        self.question = question
    }

    /// A hash of all that is asked, in its order: 64 hexadecimal digits.
    ///
    /// Two answers with different hashes do not compare.
    package var fingerprint: String {
        let hash = SHA256()
        for field in catalogue?.fields ?? [] {
            for text in [field.name, field.question, field.stem] + field.options.flatMap({ [$0.value, $0.phrase] }) {
                hash.update(text.utf8)
                hash.update(CollectionOfOne(0))
            }
        }
        hash.update((question ?? "").utf8)
        return hash.finish()
    }
}

/// What was answered about a face.
package struct FaceReport: Sendable, Hashable {
    package var fields: FieldAnswers?
    package var description: Description?
    /// Why something that was asked is not answered; nil where everything is.
    package var shortfall: EngineError?
    package var timings = EngineTimings()

    package init() {}
}

extension Engine {
    /// Answers an inquiry about one picture of a face: the closed questions first, since they are what is sure.
    ///
    /// - Throws: `EngineError` where there is no answer at all; what was answered before an interruption is returned.
    package func report(
        on picture: PixelTiles,
        inquiry: FaceInquiry,
        facts: PerceptionFacts? = nil,
        stop: StopCondition = StopCondition(),
        onText: (String) -> Void = { _ in }
    ) throws(EngineError) -> FaceReport {
        var report = FaceReport()
        if let catalogue = inquiry.catalogue {
            let fields = try answer(
                catalogue,
                rules: inquiry.rules,
                picture: picture,
                facts: facts,
                options: inquiry.choice,
                stop: stop
            )
            report.fields = fields
            report.timings += fields.timings
        }
        guard let question = inquiry.question else { return report }
        do throws(EngineError) {
            let description = try describe(
                builder.prompt(builder.face(question, facts: facts)),
                pictures: [picture],
                options: inquiry.description,
                stop: stop,
                onText: onText
            )
            report.description = description
            report.timings += description.timings
        } catch {
            guard report.fields != nil else { throw error }
            report.shortfall = error
        }
        return report
    }
}
