/// How an open question is answered.
package struct DescriptionOptions: Sendable, Hashable {
    package var answer = AnswerOptions()
    /// Greedy by default, as FaceLLM's own script.
    package var sampling = SamplingOptions()
    /// Whether to tell where the answer looked.
    package var wantsHeatMap = false
    /// What the answer may repeat, as an earlier answer about the same face: makes it sooner, not other.
    package var likelyTexts: [String] = []

    package init() {}
}

/// An answer in words.
package struct Description: Sendable, Hashable {
    package let text: String
    package let ending: AnswerEnding
    /// The mean log-probability of a token: how usual the model finds its own words; 0 for an empty answer.
    package let meanLogProbability: Double
    package let heatMap: HeatMap?
    package let timings: EngineTimings
}

extension Engine {
    /// An answer in the model's own words.
    ///
    /// - Parameters:
    ///   - prompt: with the pictures' places; `Prompt` builds them.
    ///   - pictures: in the order of their places.
    ///   - onText: pieces of the answer as soon as they are certain; together they are its text.
    /// - Returns: what there is, where it is interrupted after its first words.
    /// - Throws: `EngineError`; of kind `cancelled` or `deadline` where it is interrupted before.
    package func describe(
        _ prompt: ChatPrompt,
        pictures: [PixelTiles],
        options: DescriptionOptions = DescriptionOptions(),
        stop: StopCondition = StopCondition(),
        onText: (String) -> Void = { _ in }
    ) throws(EngineError) -> Description {
        let run = Run(stop: stop)
        var answer: AnswerText, sampler: Sampler
        do throws(GenerationError) {
            answer = try AnswerText(tokenizer, options: options.answer)
            sampler = try Sampler(options.sampling)
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        var prepared = try prepare(prompt, pictures: pictures, run: run)
        guard !prepared.rest.isEmpty else { throw EngineError(.buildPrompt, reason: "the prompt has no question") }
        var history = prepared.ids.map(TokenID.init)
        var gaze = options.wantsHeatMap ? pictures.first.map { HeatMap.Gatherer($0, engine: self) } : nil
        let probe = gaze.map { _ in LanguageModel.AttentionProbe() }
        var logProbability = 0.0
        let draft = Draft(options.likelyTexts.map { tokenizer.encode($0, recognizesAddedTokens: false) })
        func deliver(_ piece: String) { if !piece.isEmpty { onText(piece) } }

        var began = ContinuousClock.now
        let end = model.language.generate(
            after: model.language.embed(prepared.rest),
            cache: &prepared.cache,
            sampler: &sampler,
            history: &history,
            expected: options.answer.maximumTokens,
            draft: draft,
            probe: probe,
            isCancelled: { run.mustStop },
            onToken: { token, _ in
                if answer.tokenCount == 0 {
                    run.timings.prefill += ContinuousClock.now - began
                    began = .now
                }
                logProbability += Double(token.logProbability)
                run.timings.outputTokens += 1
                if let probe, let start = prepared.pictureStart { gaze?.add(probe, pictureStart: start) }
                if stopIDs.contains(Int(token.id)) {
                    deliver(answer.finish(.endOfText))
                } else {
                    deliver(answer.append(token.id))
                }
                return answer.ending == nil
            }
        )
        run.timings.decode += run.timings.outputTokens > 0 ? ContinuousClock.now - began : .zero
        switch end {
        case .enough: break
        case .cancelled:
            guard run.timings.outputTokens > 0 else { throw run.interruption }
            deliver(answer.finish(.stopped))
        case .contextFull: deliver(answer.finish(.tokenLimit))
        case .noToken:
            throw EngineError(
                .answer,
                reason: "the model's output is not a number",
                remedy: "Check the weights: facellm models verify --deep."
            )
        }
        return Description(
            text: answer.text,
            ending: answer.ending ?? .stopped,
            meanLogProbability: logProbability / Double(max(1, run.timings.outputTokens)),
            heatMap: gaze?.map(),
            timings: run.finish()
        )
    }
}
