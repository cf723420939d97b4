import Events
import FaceLLM
import Foundation
import Logging
import Synchronization
import Testing
import Video

@testable import Analysis

/// A describer that takes several faces together and remembers which.
///
/// What it says depends on the face alone, as a model's answers do.
final class GroupDescriber: FaceDescriber {
    typealias Answer = @Sendable (DescriptionRequest) async -> DescriptionAnswer

    let provenance = Provenance(describer: "facellm", model: "fake", versions: ["facellm": RunProvenance.version])
    let mostTogether: Int
    private let asked = Mutex<[[String]]>([])
    private let answer: Answer

    init(together: Int, _ answer: @escaping Answer = GroupDescriber.ok) {
        mostTogether = together
        self.answer = answer
    }

    /// The tracks of each question.
    var groups: [[String]] { asked.withLock { $0 } }

    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        await describe([request])[0]
    }

    func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
        asked.withLock { $0.append(requests.map(\.trackID)) }
        var answers: [DescriptionAnswer] = []
        for request in requests { answers.append(await answer(request)) }
        return answers
    }

    static let ok: Answer = { request in
        var answer = DescriptionAnswer(status: .ok)
        let text = "\(request.trackID) at \(request.mediaTime), \(request.picture.width) pixels."
        answer.description = DescriptionRecord(text: text, method: .vlm)
        return answer
    }
}

/// Several faces described together: the same lines, each request its own end.
@Suite(.serialized, .withMedia, .timeLimit(.minutes(3))) struct TogetherTests {
    private func analyse(
        _ clip: Clip,
        by describer: any FaceDescriber,
        _ change: (inout RecordedRun.Options) -> Void = { _ in }
    ) async throws -> (outcome: RunOutcome, lines: [String]) {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-together-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var reader = VideoReader.Options(input: .file(clip.path), sampling: .everyFrame)
        reader.decoderThreads = 1
        reader.duration = 6
        var options = RecordedRun.Options(reader: reader, models: TestMedia.models, sourceName: "clip")
        options.output = path
        options.stable = true
        options.describer = describer
        options.description.shots.changeSpacing = 0.2
        options.description.shots.refreshInterval = 0.5
        change(&options)
        let run = RecordedRun(options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let outcome = await run.run()
        #expect(outcome.ledger.violations(atEnd: true) == [])
        return (outcome, try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init))
    }

    @Test func aFileHasTheSameLinesWhetherItsFacesAreDescribedTogetherOrNot() async throws {
        let alone = GroupDescriber(together: 1), together = GroupDescriber(together: 4)
        let expected = try await analyse(.pair, by: alone)
        let found = try await analyse(.pair, by: together)
        #expect(found.lines == expected.lines)
        #expect(found.outcome.ledger == expected.outcome.ledger)
        #expect(alone.groups.allSatisfy { $0.count == 1 } && alone.groups.count == expected.outcome.ledger.cropsQueued)
        #expect(together.groups.contains { $0.count == 2 } && together.groups.count < alone.groups.count)
        #expect(together.groups.flatMap { $0 }.sorted() == alone.groups.flatMap { $0 }.sorted())
    }

    /// Every frame is told of as soon as no face waits any more, and nothing waits for ever.
    @Test func whatIsHeldBackIsBounded() throws {
        var held = HeldSteps()
        let line = DescriptionStage.Step.publish(.error(ErrorRecord(code: "none", message: "", retryable: false)))
        held.add(line, epoch: 0, at: 1)
        #expect(held.isDue(faces: 4, at: 1))
        held.add(.ask(try .sample("t1")), epoch: 0, at: 2)
        #expect(!held.isDue(faces: 4, at: 2) && held.isDue(faces: 1, at: 2) && held.isDue(faces: 4, at: nil))
        #expect(!held.isDue(faces: 4, at: 2 + HeldSteps.span - 0.1) && held.isDue(faces: 4, at: 2 + HeldSteps.span))
        let (same, other) = (try DescriptionRequest.sample("t1", at: 3), try DescriptionRequest.sample("t2", at: 3))
        #expect(held.mustGo(before: .ask(same)) && !held.mustGo(before: .ask(other)) && !held.mustGo(before: line))
        for track in ["t2", "t3", "t4"] { held.add(.ask(try .sample(track)), epoch: 1, at: 3) }
        #expect(held.isDue(faces: 4, at: 3) && !held.isDue(faces: 5, at: 3))
        for _ in 0..<HeldSteps.capacity { held.add(line, epoch: 1, at: 3) }
        #expect(held.isDue(faces: 5, at: 3))
        #expect(
            held.removeAll().map(\.epoch).prefix(3) == [0, 0, 1] && held.steps.isEmpty && held.isDue(faces: 4, at: 3)
        )
    }

    @Test func aFailureIsOneFacesOwn() async throws {
        let describer = GroupDescriber(together: 4) { request in
            guard request.trackID == "t1" else { return await GroupDescriber.ok(request) }
            return DescriptionAnswer(status: .engineError, reason: "out_of_memory")
        }
        let (outcome, lines) = try await analyse(.pair, by: describer)
        #expect(outcome.exitStatus == 0)
        let analyses = try lines.compactMap { line in
            if case .faceAnalysis(let analysis) = try EventDecoder().event(Array(line.utf8)).payload {
                analysis
            } else {
                nil
            }
        }
        #expect(Set(analyses.map(\.trackID)) == ["t1", "t2"])
        for analysis in analyses {
            #expect(analysis.analysis.status == (analysis.trackID == "t1" ? .engineError : .ok))
            #expect((analysis.description == nil) == (analysis.trackID == "t1"))
        }
        #expect(outcome.ledger.cropsFailed == analyses.count { $0.trackID == "t1" })
        #expect(outcome.ledger.cropsDescribed == analyses.count { $0.trackID == "t2" })
    }

    /// The group gets the time of one for each of its faces, and no more.
    @Test func aGroupThatTakesTooLongIsToldToStop() async throws {
        let describer = GroupDescriber(together: 4) { request in await FakeDescriber.endless(request, 1) }
        let (outcome, _) = try await analyse(.pair, by: describer) {
            $0.description.timeout = .milliseconds(1)
            $0.description.shots.perTrack = 1
        }
        #expect(outcome.exitStatus == 0 && outcome.ledger.cropsFailed == 2)
    }

    @Test func aLiveSourceAsksAboutAllThatWait() async throws {
        let gate = Gate()
        let describer = GroupDescriber(together: 4) { request in
            // The first waits until perception is through, as with a describer that is slow.
            if request.trackID == "t1", request.reason == .new { _ = await gate.wait() }
            return await GroupDescriber.ok(request)
        }
        let stage = DescriptionStage(describer: describer, settings: DescriptionSettings(), isLive: true)
        stage.offer(try .sample("t1"))
        let first = stage.take(upTo: describer.mostTogether)
        for track in ["t2", "t3", "t4", "t5", "t6"] { stage.offer(try .sample(track, at: 1)) }
        gate.open()
        let replies = await stage.ask(first, stoppedBy: StopSwitch())
        #expect(replies.map(\.request.trackID) == ["t1"])
        let second = stage.take(upTo: describer.mostTogether)
        #expect(second.map(\.trackID) == ["t2", "t3", "t4", "t5"])
        #expect(await stage.ask(second, stoppedBy: StopSwitch()).map(\.request.trackID) == second.map(\.trackID))
        #expect(stage.queue.waiting.map(\.trackID) == ["t6"])
        #expect(stage.queue.outcomes[.described] == 5 && stage.queue.outcomes.pending == 1)
        #expect(describer.groups == [["t1"], ["t2", "t3", "t4", "t5"]])
    }

    /// Of a describer that breaks its promise of an answer for each.
    @Test func missingAnswersAreFailures() async throws {
        struct Silent: FaceDescriber {
            let provenance = Provenance(describer: "facellm", versions: [:])
            let mostTogether = 2
            func describe(_ request: DescriptionRequest) async -> DescriptionAnswer { .init(status: .ok) }
            func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] { [.init(status: .ok)] }
        }
        let stage = DescriptionStage(describer: Silent(), settings: DescriptionSettings(), isLive: true)
        stage.offer(try .sample("t1"))
        stage.offer(try .sample("t2"))
        let replies = await stage.ask(stage.take(upTo: 2), stoppedBy: StopSwitch())
        #expect(replies.map(\.answer.status) == [.ok, .engineError])
        #expect(stage.queue.outcomes[.failed] == 1 && stage.queue.outcomes[.described] == 1)
    }
}
