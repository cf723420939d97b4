import Analysis
import Events
import FaceLLM
import Faces
import Imaging

/// The engine on a queue of its own, for pictures that stand alone.
actor StillDescriber {
    /// How the views of a picture go together.
    enum Layout: Sendable {
        case face
        /// The whole picture, and the face's box in it.
        case region(Rect)
        /// The face, and these parts of it.
        case details([DetailCrops.Part])
    }

    /// A picture as the model is shown it.
    struct Shown: Sendable {
        var image: String
        var views: [RGBImage]
        var layout: Layout
        /// Of the whole picture.
        var size: Size
        var face: PerceivedFace?
        var facts: PerceptionFacts?
    }

    private let executor: QueueExecutor
    private let engine: Engine
    private let stop: CancellationFlag

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens a model on the describer's own queue.
    static func open(_ path: String, options: Engine.Options, stop: CancellationFlag) async throws -> StillDescriber {
        let executor = QueueExecutor(label: "facellm.engine")
        let opener = Opener(executor: executor)
        return try await opener.open(path, options: options, stop: stop)
    }

    private init(engine: sending Engine, executor: QueueExecutor, stop: CancellationFlag) {
        self.engine = engine
        self.executor = executor
        self.stop = stop
    }

    /// Reading a checkpoint may wait for a disk: not on a thread of Swift's.
    private actor Opener {
        private let executor: QueueExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(executor: QueueExecutor) { self.executor = executor }

        func open(_ path: String, options: Engine.Options, stop: CancellationFlag) throws -> StillDescriber {
            StillDescriber(engine: try Engine(path, options: options), executor: executor, stop: stop)
        }
    }

    // MARK: - Questions

    /// Answers an inquiry; several pictures are moments of one face.
    func report(
        _ shown: [Shown],
        inquiry: FaceInquiry,
        timeout: Duration?,
        onText: @Sendable (String) -> Void
    ) throws -> FaceReport {
        let condition = condition(timeout)
        let pictures = try tiles(shown)
        if let picture = pictures.first, pictures.count == 1, case .face? = shown.first?.layout {
            return try engine.report(
                on: picture,
                inquiry: inquiry,
                facts: shown.first?.facts,
                stop: condition,
                onText: onText
            )
        }
        var report = FaceReport()
        guard let question = inquiry.question else { return report }
        let description = try engine.describe(
            engine.builder.prompt(try messages(shown, question)),
            pictures: pictures,
            options: inquiry.description,
            stop: condition,
            onText: onText
        )
        report.description = description
        report.timings = description.timings
        return report
    }

    /// Answers an inquiry about several faces, each of one picture that stands alone.
    ///
    /// - Returns: by the order of the pictures; what fails for one is told of that one alone.
    func reports(_ shown: [Shown], inquiry: FaceInquiry) -> [Result<FaceReport, any Error>] {
        var results: [Result<FaceReport, any Error>] = []
        var questions: [TogetherQuestion] = []
        var places: [Int] = []
        for one in shown {
            do {
                guard let view = one.views.first else { throw DescribeProblem(description: "\(one.image): no picture") }
                questions.append(TogetherQuestion(picture: try engine.tiles(of: view), facts: one.facts))
                places.append(results.count)
                results.append(.success(FaceReport()))
            } catch {
                results.append(.failure(error))
            }
        }
        for (place, report) in zip(places, engine.reports(on: questions, inquiry: inquiry, stop: condition(nil))) {
            results[place] = report.mapError { $0 }
        }
        return results
    }

    /// Chooses one of some answers.
    func choose(
        _ answers: [String],
        question: String,
        shown: [Shown],
        options: ChoiceOptions,
        timeout: Duration?
    ) throws -> (scores: ChoiceScores, timings: EngineTimings) {
        try engine.choose(
            try messages(shown, question),
            answers: answers,
            pictures: try tiles(shown),
            options: options,
            stop: condition(timeout)
        )
    }

    // MARK: - Parts

    private func condition(_ timeout: Duration?) -> StopCondition {
        StopCondition(flag: stop, deadline: timeout.map { Deadline(in: $0) })
    }

    private func tiles(_ shown: [Shown]) throws -> [PixelTiles] {
        try shown.flatMap { try $0.views.map { try engine.tiles(of: $0) } }
    }

    private func messages(_ shown: [Shown], _ question: String) throws -> [ChatMessage] {
        let builder = engine.builder
        if shown.count > 1 { return try builder.frames(shown.count, question, facts: shown.last?.facts) }
        guard let one = shown.first else { return [] }
        switch one.layout {
        case .face: return builder.face(question, facts: one.facts)
        case .region(let box): return try builder.region(box, in: one.size, question, facts: one.facts)
        case .details(let parts): return try builder.details(parts, question, facts: one.facts)
        }
    }
}
