/// The answers to some closed questions about one face.
package struct FieldAnswers: Sendable, Hashable {
    /// As they were scored, in the order of the catalogue; without the fields that were not asked.
    package let scores: [FieldScores]
    /// After the consistency rules, in the same order; a field that does not apply has no value.
    package let answers: [ConsistencyRules.Answer]
    /// What the rules changed.
    package let resolutions: [ConsistencyRules.Resolution]
    package let timings: EngineTimings
}

extension Engine {
    /// Answers closed questions about one picture of a face, all in one pass over the computed picture.
    ///
    /// - Parameters:
    ///   - catalogue: what to ask; fields that depend on answers of others are asked in rounds.
    ///   - rules: which answers exclude one another.
    ///   - facts: what was measured on the face; part of the questions.
    package func answer(
        _ catalogue: FieldCatalogue,
        rules: ConsistencyRules,
        picture: PixelTiles,
        facts: PerceptionFacts? = nil,
        options: ChoiceOptions = ChoiceOptions(),
        stop: StopCondition = StopCondition()
    ) throws(EngineError) -> FieldAnswers {
        let run = Run(stop: stop)
        var found: [String: FieldScores] = [:]
        var values: [String: String] = [:]
        for round in catalogue.rounds {
            let asked = round.filter { $0.isAsked(after: values) }
            if asked.isEmpty { continue }
            let sequences: FieldSequences
            do throws(ChatPromptError) {
                sequences = try FieldSequences(asked, builder: builder, facts: facts, tokenizer: tokenizer)
            } catch {
                throw EngineError(.buildPrompt, reason: error.description)
            }
            let scored = try score(sequences.sequences, after: sequences.prefix, pictures: [picture], run: run)
            let baseline =
                options.isCalibrated
                ? try self.baseline(sequences.sequences, after: sequences.prefix, pictures: [picture], run: run) : nil
            do throws(ChoiceError) {
                for scores in try sequences.scores(
                    scored,
                    baseline: baseline,
                    normalization: options.normalization,
                    temperature: options.temperature
                ) {
                    found[scores.field] = scores
                    values[scores.field] = scores.best?.value
                }
            } catch {
                throw EngineError(.buildPrompt, reason: error.description)
            }
        }
        let scores = catalogue.fields.compactMap { found[$0.name] }
        let (answers, resolutions) = rules.resolve(scores)
        return FieldAnswers(scores: scores, answers: answers, resolutions: resolutions, timings: run.finish())
    }
}
