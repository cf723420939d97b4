package import Analysis
package import Events
internal import Synchronization

/// A describer that comes back whatever the one behind it does.
///
/// An engine that is told to stop does so within a moment. One that does not hangs, and nothing within this process can
/// end it: it is left behind then, and until it comes back further questions are answered at once instead of piling up
/// behind it.
package final class GuardedDescriber: FaceDescriber {
    /// Why there is no answer where the describer neither answered nor stopped when it was told to.
    package static let stuckReason = "engine_stuck"

    private struct Question {
        var began: ContinuousClock.Instant
        /// When nobody wanted the answer any more.
        var stoppedAt: ContinuousClock.Instant?
    }

    private struct State {
        var questions: [Int: Question] = [:]
        var lastID = 0
    }

    private let describer: any FaceDescriber
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameter patience: how long the describer may go on after it was told to stop.
    package init(_ describer: any FaceDescriber, patience: Duration) {
        self.describer = describer
        self.patience = patience
    }

    package var provenance: Provenance { describer.provenance }
    package var mostTogether: Int { describer.mostTogether }

    /// How long the describer has been at the question it is at; nil where it is at none.
    package var busy: Duration? {
        state.withLock { $0.questions.values.map(\.began).min() }.map { .now - $0 }
    }

    /// How long it has been at a question that it was told to leave; nil unless it is.
    package var stuck: Duration? {
        state.withLock { $0.questions.values.compactMap(\.stoppedAt).min() }.map { .now - $0 }
    }

    package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        await describe([request]).first ?? .cancelled
    }

    package func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
        let left = requests.map { _ in DescriptionAnswer(status: .timeout, reason: Self.stuckReason) }
        guard let id = begin() else { return left }
        // What comes after the first is nobody's answer.
        let (endings, ending) = AsyncStream.makeStream(
            of: [DescriptionAnswer]?.self,
            bufferingPolicy: .bufferingOldest(1)
        )
        let work = Task(name: "describer.question") { [self, describer] in
            let answers = await describer.describe(requests)
            state.withLock { $0.questions[id] = nil }
            ending.yield(answers)
        }
        // In a task of its own, since a stream ends for a reader that is cancelled.
        let reading = Task { () -> [DescriptionAnswer]? in
            for await answers in endings { return answers }
            return nil
        }
        return await withTaskCancellationHandler {
            await reading.value ?? left
        } onCancel: { [self, patience] in
            state.withLock { $0.questions[id]?.stoppedAt = .now }
            work.cancel()
            Task(name: "describer.patience") {
                try? await Task.sleep(for: patience)
                ending.yield(nil)
            }
        }
    }

    /// - Returns: the number of the question; nil while the describer hangs at another one.
    private func begin() -> Int? {
        state.withLock { state in
            guard state.questions.values.allSatisfy({ $0.stoppedAt == nil }) else { return nil }
            state.lastID += 1
            state.questions[state.lastID] = Question(began: .now)
            return state.lastID
        }
    }
}
