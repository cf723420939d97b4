/// One of several questions that are answered together.
package struct TogetherQuestion: Sendable {
    package let picture: PixelTiles
    package let facts: PerceptionFacts?
    /// What the answer may repeat.
    package let likelyTexts: [String]

    package init(picture: PixelTiles, facts: PerceptionFacts? = nil, likelyTexts: [String] = []) {
        self.picture = picture
        self.facts = facts
        self.likelyTexts = likelyTexts
    }
}

extension Engine {
    /// So many answers are made side by side: as many rows as the kernels take without reading a matrix twice.
    package static let mostTogether = 8

    /// Answers an inquiry about several faces, every weight read once for a token of each of them.
    ///
    /// Greedy answers are bit by bit those of `report`, asked one after the other. Answers that are sampled, or want a
    /// heat map, are made one after the other.
    ///
    /// - Returns: by the order of the questions; a failure concerns its own question alone.
    package func reports(
        on questions: [TogetherQuestion],
        inquiry: FaceInquiry,
        stop: StopCondition = StopCondition()
    ) -> [Result<FaceReport, EngineError>] {
        guard questions.count > 1, let question = inquiry.question, inquiry.description.sampling.isPlainGreedy,
            !inquiry.description.wantsHeatMap
        else {
            return questions.map { question in
                var inquiry = inquiry
                inquiry.description.likelyTexts = question.likelyTexts
                return Result { () throws(EngineError) in
                    try report(on: question.picture, inquiry: inquiry, facts: question.facts, stop: stop)
                }
            }
        }
        var closed = inquiry
        closed.question = nil
        var reports: [Result<FaceReport, EngineError>] = questions.map { question in
            Result { () throws(EngineError) in
                try report(on: question.picture, inquiry: closed, facts: question.facts, stop: stop)
            }
        }
        for start in stride(from: 0, to: questions.count, by: Self.mostTogether) {
            let part = Array(start..<min(questions.count, start + Self.mostTogether))
            let answers = describe(
                part.map { builder.prompt(builder.face(question, facts: questions[$0].facts)) },
                pictures: part.map { questions[$0].picture },
                options: inquiry.description,
                stop: stop
            )
            for (index, answer) in zip(part, answers) {
                switch (reports[index], answer) {
                case (.success(var report), .success(let description)):
                    report.description = description
                    report.timings += description.timings
                    reports[index] = .success(report)
                case (.success(var report), .failure(let error)):
                    if report.fields == nil {
                        reports[index] = .failure(error)
                    } else {
                        report.shortfall = error
                        reports[index] = .success(report)
                    }
                case (.failure, _): break
                }
            }
        }
        return reports
    }

    /// One of the answers that are being made.
    private struct Strand {
        let index: Int
        let run: Run
        var answer: AnswerText
        var next: Int
        var logProbability: Double
        let began: ContinuousClock.Instant
    }

    /// Greedy answers to several prompts of one picture each, token by token side by side.
    private func describe(
        _ prompts: [ChatPrompt],
        pictures: [PixelTiles],
        options: DescriptionOptions,
        stop: StopCondition
    ) -> [Result<Description, EngineError>] {
        var results = [Result<Description, EngineError>?](repeating: nil, count: prompts.count)
        var strands: [Strand] = []
        // In an array of their own: a cache that two places refer to would begin new memory with each token.
        var caches: [KVCache] = []
        for (index, prompt) in prompts.enumerated() {
            do throws(EngineError) {
                let (strand, cache) = try begin(prompt, index: index, picture: pictures[index], options, stop)
                strands.append(strand)
                caches.append(cache)
            } catch {
                results[index] = .failure(error)
            }
        }
        let language = model.language, vocabulary = language.configuration.vocabularySize
        var tokens: [Int] = []
        tokens.reserveCapacity(strands.count)
        while true {
            for place in strands.indices.reversed() where strands[place].answer.ending != nil {
                let strand = strands.remove(at: place)
                caches.remove(at: place)
                results[strand.index] = .success(finish(strand))
            }
            if strands.isEmpty { break }
            let isFull = caches.contains { $0.count >= $0.capacity }
            tokens.removeAll(keepingCapacity: true)
            for strand in strands { tokens.append(strand.next) }
            let logits =
                isFull || stop.isMet
                ? nil
                : language.nextLogits(
                    tokens,
                    caches: &caches,
                    expected: options.answer.maximumTokens,
                    isCancelled: { stop.isMet }
                )
            guard let logits else {
                for place in strands.indices { _ = strands[place].answer.finish(isFull ? .tokenLimit : .stopped) }
                continue
            }
            for place in strands.indices { take(logits + place * vocabulary, &strands[place]) }
        }
        return results.map { $0 ?? .failure(EngineError(.answer, kind: .cancelled, reason: "it was cancelled")) }
    }

    /// Computes a prompt and its first token.
    private func begin(
        _ prompt: ChatPrompt,
        index: Int,
        picture: PixelTiles,
        _ options: DescriptionOptions,
        _ stop: StopCondition
    ) throws(EngineError) -> (Strand, KVCache) {
        let run = Run(stop: stop)
        let answer: AnswerText
        do throws(GenerationError) {
            answer = try AnswerText(tokenizer, options: options.answer)
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        var prepared = try prepare(prompt, pictures: [picture], run: run)
        let began = ContinuousClock.now
        let hidden = model.language.forward(
            model.language.embed(prepared.rest),
            cache: &prepared.cache,
            wanted: .last,
            expected: options.answer.maximumTokens,
            isCancelled: { run.mustStop }
        )
        guard let hidden else { throw run.interruption }
        run.timings.prefill += ContinuousClock.now - began
        var strand = Strand(index: index, run: run, answer: answer, next: 0, logProbability: 0, began: .now)
        model.language.withLogits(hidden) { take($0, &strand) }
        return (strand, prepared.cache)
    }

    /// Adds the likeliest token to an answer.
    private func take(_ logits: UnsafePointer<Float>, _ strand: inout Strand) {
        let buffer = UnsafeBufferPointer(start: logits, count: model.language.configuration.vocabularySize)
        guard var sampler = try? Sampler(), let token = sampler.next(buffer.span) else {
            _ = strand.answer.finish(.stopped)
            return
        }
        strand.run.timings.outputTokens += 1
        strand.logProbability += Double(token.logProbability)
        if stopIDs.contains(Int(token.id)) {
            _ = strand.answer.finish(.endOfText)
        } else {
            _ = strand.answer.append(token.id)
            strand.next = Int(token.id)
        }
    }

    private func finish(_ strand: Strand) -> Description {
        strand.run.timings.decode = ContinuousClock.now - strand.began
        return Description(
            text: strand.answer.text,
            ending: strand.answer.ending ?? .stopped,
            meanLogProbability: strand.logProbability / Double(max(1, strand.run.timings.outputTokens)),
            heatMap: nil,
            timings: strand.run.finish()
        )
    }
}
