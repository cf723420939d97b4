package import Events
package import FaceLLM

/// FaceLLM behind the pipeline: an engine on a thread of its own.
package actor FaceLLMDescriber: FaceDescriber {
    package nonisolated let provenance: Provenance
    private let executor: ThreadExecutor
    private let engine: Engine
    private let inquiry: FaceInquiry
    private let tellsFacts: Bool
    package nonisolated let mostTogether: Int

    /// Faces together by default: with as many as that a weight is read once for a token of each, and the first of them
    /// does not wait too long for the last.
    package static let usualTogether = 4

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens a checkpoint on the describer's own thread, since reading it may wait for a disk.
    ///
    /// - Parameters:
    ///   - tellsFacts: whether perception's measurements are part of the questions.
    ///   - mostTogether: faces that are described together, at most; 1 or more.
    package static func open(
        _ path: String,
        options: Engine.Options,
        inquiry: FaceInquiry,
        tellsFacts: Bool = false,
        mostTogether: Int = usualTogether
    ) async throws -> FaceLLMDescriber {
        let executor = ThreadExecutor(label: "facellm.engine")
        let opener = Opener(executor: executor)
        return try await opener.open(path, options, inquiry, tellsFacts: tellsFacts, mostTogether: mostTogether)
    }

    private actor Opener {
        private let executor: ThreadExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(executor: ThreadExecutor) { self.executor = executor }

        func open(
            _ path: String,
            _ options: Engine.Options,
            _ inquiry: FaceInquiry,
            tellsFacts: Bool,
            mostTogether: Int
        ) throws -> FaceLLMDescriber {
            let engine = try Engine(path, options: options)
            return FaceLLMDescriber(
                engine: engine,
                inquiry: inquiry,
                tellsFacts: tellsFacts,
                mostTogether: mostTogether,
                executor: executor
            )
        }
    }

    private init(
        engine: sending Engine,
        inquiry: FaceInquiry,
        tellsFacts: Bool,
        mostTogether: Int,
        executor: ThreadExecutor
    ) {
        provenance = Provenance(
            describer: "facellm",
            model: engine.checkpoint.name,
            modelSHA256: engine.model.sourceSHA256,
            precision: engine.precision,
            promptSHA256: inquiry.fingerprint,
            versions: ["facellm": RunProvenance.version]
        )
        self.engine = engine
        self.inquiry = inquiry
        self.tellsFacts = tellsFacts
        self.mostTogether = min(max(1, mostTogether), Engine.mostTogether)
        self.executor = executor
    }

    // MARK: - Answers

    package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        if request.moments.count > 1, let asked = inquiry.question { return describe(request, asked) }
        do throws(EngineError) {
            let question = try question(request)
            var inquiry = inquiry
            inquiry.description.likelyTexts = question.likelyTexts
            return answer(try engine.report(on: question.picture, inquiry: inquiry, facts: question.facts))
        } catch {
            return Self.answer(error)
        }
    }

    package func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
        // Alone, an answer may repeat the last one about the same face, which is checked in a few passes.
        if requests.count == 1 { return [await describe(requests[0])] }
        var answers: [DescriptionAnswer] = []
        var questions: [TogetherQuestion] = []
        var places: [Int] = []
        for request in requests {
            if request.moments.count > 1, let asked = inquiry.question {
                answers.append(describe(request, asked))
                continue
            }
            do throws(EngineError) {
                questions.append(try question(request))
                places.append(answers.count)
                answers.append(DescriptionAnswer(status: .engineError, reason: "no_answer"))
            } catch {
                answers.append(Self.answer(error))
            }
        }
        for (place, report) in zip(places, engine.reports(on: questions, inquiry: inquiry)) {
            switch report {
            case .success(let report): answers[place] = answer(report)
            case .failure(let error): answers[place] = Self.answer(error)
            }
        }
        return answers
    }

    /// Answers by several pictures of the face: the closed questions by its best one, the open one by all.
    private func describe(_ request: DescriptionRequest, _ asked: String) -> DescriptionAnswer {
        do throws(EngineError) {
            let question = try question(request)
            var closed = inquiry
            closed.question = nil
            var report = try engine.report(on: question.picture, inquiry: closed, facts: question.facts)
            do throws(EngineError) {
                let description = try describe(request, asked, facts: question.facts)
                report.description = description
                report.timings += description.timings
            } catch {
                guard report.fields != nil else { throw error }
                report.shortfall = error
            }
            return answer(report)
        } catch {
            return Self.answer(error)
        }
    }

    private func describe(
        _ request: DescriptionRequest,
        _ asked: String,
        facts: PerceptionFacts?
    ) throws(EngineError) -> Description {
        var pictures: [PixelTiles] = []
        for picture in request.moments { pictures.append(try engine.tiles(of: picture)) }
        let messages: [ChatMessage]
        do throws(PromptError) {
            messages = try engine.builder.frames(pictures.count, asked, facts: facts)
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        var options = inquiry.description
        options.likelyTexts = request.previousDescription.map { [$0] } ?? []
        return try engine.describe(engine.builder.prompt(messages), pictures: pictures, options: options)
    }

    private func question(_ request: DescriptionRequest) throws(EngineError) -> TogetherQuestion {
        TogetherQuestion(
            picture: try engine.tiles(of: request.picture),
            facts: tellsFacts ? PerceptionFacts(request.facts.sentence) : nil,
            likelyTexts: request.previousDescription.map { [$0] } ?? []
        )
    }

    private static func answer(_ error: EngineError) -> DescriptionAnswer {
        DescriptionAnswer(status: status(of: error), reason: reason(of: error))
    }

    private func answer(_ report: FaceReport) -> DescriptionAnswer {
        let isStopped = report.description?.ending == .stopped
        var answer = DescriptionAnswer(status: report.shortfall == nil && !isStopped ? .ok : .partial)
        answer.reason = report.shortfall.map(Self.reason) ?? (isStopped ? "stopped" : nil)
        if let fields = report.fields {
            // Of several rules that an answer gave way to, the first is told of.
            for change in fields.resolutions.reversed() {
                AttributeName(rawValue: change.field).map { answer.rules[$0] = change.rule }
            }
            // What has no note of its own is told of at least.
            if fields.resolutions.contains(where: { $0.to == nil || $0.field == "expression" }) {
                answer.reason = answer.reason ?? "consistency_rules"
            }
            for field in fields.answers {
                guard let value = field.value else { continue }
                if field.field == "expression", let label = ExpressionLabel(rawValue: value) {
                    answer.expression = expression(label, field.probability, fields.scores)
                } else if let name = AttributeName(rawValue: field.field) {
                    answer.attributes[name] = AttributeRecord(
                        value,
                        confidence: field.probability,
                        confidenceKind: .tokenProbability,
                        method: .vlm,
                        note: answer.rules[name]
                    )
                }
            }
        }
        if let description = report.description {
            answer.description = DescriptionRecord(
                text: description.text,
                method: .vlm,
                question: inquiry.question
            )
        }
        answer.inputTokens = report.timings.inputTokens
        answer.outputTokens = report.timings.outputTokens
        answer.duration = report.timings.total
        return answer
    }

    private func expression(_ label: ExpressionLabel, _ probability: Double?, _ all: [FieldScores]) -> ExpressionRecord
    {
        var scores: [ExpressionLabel: Double] = [:]
        for value in all.first(where: { $0.field == "expression" })?.values ?? [] {
            if let label = ExpressionLabel(rawValue: value.value) { scores[label] = value.probability }
        }
        return ExpressionRecord(
            label: label,
            scores: scores,
            method: .vlm,
            confidence: probability,
            confidenceKind: .tokenProbability
        )
    }

    private static func status(of error: EngineError) -> AnalysisRecord.Status {
        error.kind == .deadline ? .timeout : .engineError
    }

    private static func reason(of error: EngineError) -> String {
        switch error.kind {
        case .unusable: "unusable"
        case .cancelled: "cancelled"
        case .deadline: "deadline"
        }
    }
}
