package import Events
package import FaceLLM

/// FaceLLM behind the pipeline: an engine on a queue of its own.
package actor FaceLLMDescriber: FaceDescriber {
    package nonisolated let provenance: Provenance
    private let executor: QueueExecutor
    private let engine: Engine
    private let inquiry: FaceInquiry
    private let tellsFacts: Bool

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens a checkpoint on the describer's own queue, since reading it may wait for a disk.
    ///
    /// - Parameter tellsFacts: whether perception's measurements are part of the questions.
    package static func open(
        _ path: String,
        options: Engine.Options,
        inquiry: FaceInquiry,
        tellsFacts: Bool = false
    ) async throws -> FaceLLMDescriber {
        let executor = QueueExecutor(label: "facellm.engine")
        let opener = Opener(executor: executor)
        return try await opener.open(path, options: options, inquiry: inquiry, tellsFacts: tellsFacts)
    }

    private actor Opener {
        private let executor: QueueExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(executor: QueueExecutor) { self.executor = executor }

        func open(
            _ path: String,
            options: Engine.Options,
            inquiry: FaceInquiry,
            tellsFacts: Bool
        ) throws -> FaceLLMDescriber {
            let engine = try Engine(path, options: options)
            return FaceLLMDescriber(engine: engine, inquiry: inquiry, tellsFacts: tellsFacts, executor: executor)
        }
    }

    private init(engine: sending Engine, inquiry: FaceInquiry, tellsFacts: Bool, executor: QueueExecutor) {
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
        self.executor = executor
    }

    // MARK: - Answers

    package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        do throws(EngineError) {
            var inquiry = inquiry
            inquiry.description.likelyTexts = request.previousDescription.map { [$0] } ?? []
            let report = try engine.report(
                on: engine.tiles(of: request.picture),
                inquiry: inquiry,
                facts: tellsFacts ? PerceptionFacts(request.facts.sentence) : nil
            )
            return answer(report)
        } catch {
            return DescriptionAnswer(status: Self.status(of: error), reason: Self.reason(of: error))
        }
    }

    private func answer(_ report: FaceReport) -> DescriptionAnswer {
        let isStopped = report.description?.ending == .stopped
        var answer = DescriptionAnswer(status: report.shortfall == nil && !isStopped ? .ok : .partial)
        answer.reason = report.shortfall.map(Self.reason) ?? (isStopped ? "stopped" : nil)
        if let fields = report.fields {
            // What has no note of its own is told of at least.
            if fields.resolutions.contains(where: { $0.to == nil || $0.field == "expression" }) {
                answer.reason = answer.reason ?? "consistency_rules"
            }
            for field in fields.answers {
                guard let value = field.value else { continue }
                let rule = fields.resolutions.first { $0.field == field.field }?.rule
                if field.field == "expression", let label = ExpressionLabel(rawValue: value) {
                    answer.expression = expression(label, field.probability, fields.scores)
                } else if let name = AttributeName(rawValue: field.field) {
                    answer.attributes[name] = AttributeRecord(
                        value,
                        confidence: field.probability,
                        confidenceKind: .tokenProbability,
                        method: .vlm,
                        note: rule.flatMap(AttributeName.init(rawValue:))?.rawValue
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
