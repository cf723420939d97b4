import Events
import FaceLLM
import Foundation
import Logging
import Testing
import Video

@testable import Analysis

/// Whole runs with a describer that the test has in its hand.
@Suite(.serialized, .withMedia, .timeLimit(.minutes(3))) struct DescribingTests {
    /// A run's events, every line of it decoded, the ledger in order.
    private struct Result {
        var outcome: RunOutcome
        var lines: [String]
        var payloads: [Event.Payload]
        var epochs: [Int]

        var started: [String] {
            payloads.compactMap { if case .trackStarted(let start) = $0 { start.trackID } else { nil } }
        }
        var analyses: [FaceAnalysis] {
            payloads.compactMap { if case .faceAnalysis(let line) = $0 { line } else { nil } }
        }
        var ended: [TrackEnd] { payloads.compactMap { if case .trackEnded(let end) = $0 { end } else { nil } } }
        var updated: [TrackChange] {
            payloads.compactMap { if case .trackUpdated(let line) = $0 { line } else { nil } }
        }
        var ledger: Ledger { outcome.ledger }

        var summary: RunSummary? {
            if case .runSummary(let summary)? = payloads.last { summary } else { nil }
        }

        func place(of isIt: (Event.Payload) -> Bool) -> Int? { payloads.firstIndex(where: isIt) }
    }

    /// Compiled once, as every run needs the same networks.
    private static let cache: String = {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-describing-cache-\(getpid())").path
        atexit { try? FileManager.default.removeItem(atPath: DescribingTests.cache) }
        return path
    }()

    private func makeRun(
        _ clip: Clip,
        to output: String,
        by describer: FakeDescriber?,
        _ change: (inout RecordedRun.Options) -> Void
    ) -> RecordedRun {
        var reader = VideoReader.Options(input: .file(clip.path), sampling: .everyFrame)
        reader.decoderThreads = 1
        reader.duration = 6
        var options = RecordedRun.Options(reader: reader, models: TestMedia.models, sourceName: "clip")
        options.output = output
        options.modelCache = Self.cache
        options.describer = describer
        change(&options)
        return RecordedRun(options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// - Parameter act: what the test does while the run goes on.
    private func analyse(
        _ clip: Clip,
        by describer: FakeDescriber?,
        _ change: (inout RecordedRun.Options) -> Void = { _ in },
        while act: @Sendable @escaping (RecordedRun) async -> Void = { _ in }
    ) async throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-describing-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = makeRun(clip, to: path, by: describer, change)
        async let acting: Void = act(run)
        let outcome = await run.run()
        await acting
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        let events = try lines.map { try EventDecoder().event(Array($0.utf8)) }
        let result = Result(
            outcome: outcome,
            lines: lines,
            payloads: events.map(\.payload),
            epochs: events.compactMap(\.envelope.epoch)
        )
        #expect(outcome.ledger.violations(atEnd: true) == [])
        #expect(try #require(result.summary).ledger.violations(atEnd: true) == [])
        #expect(result.started.sorted() == result.ended.map(\.trackID).sorted())
        #expect(result.analyses.count == result.ledger.cropsDescribed + result.ledger.cropsFailed)
        return result
    }

    // MARK: - Files

    @Test(arguments: [Clip.male, .pair, .astronaut, .sign]) func eachTrackIsDescribedBeforeItEnds(clip: Clip)
        async throws
    {
        let describer = FakeDescriber()
        let result = try await analyse(clip, by: describer) { $0.description.shots.changeSpacing = 100 }
        #expect(result.outcome.exitStatus == 0)
        #expect(result.started.count == (clip == .pair ? 2 : 1))
        #expect(result.analyses.map(\.trackID).sorted() == result.started.sorted())
        for analysis in result.analyses {
            let place = try #require(result.place { $0 == .faceAnalysis(analysis) })
            let start = result.place {
                if case .trackStarted(let it) = $0 { it.trackID == analysis.trackID } else { false }
            }
            let end = result.place {
                if case .trackEnded(let it) = $0 { it.trackID == analysis.trackID } else { false }
            }
            #expect(try #require(start) < place && place < (try #require(end)))
            #expect(analysis.analysis.status == .ok && analysis.analysis.inputTokens == 300)
            #expect(analysis.analysis.durationMilliseconds == 900 && analysis.analysis.queueMilliseconds != nil)
            #expect(analysis.dedup?.decision == .new && (analysis.dedup?.represents?.observations ?? 0) >= 1)
            #expect(analysis.provenanceID == "facellm")
            #expect(analysis.attributes?.count == 3)
            #expect(analysis.attributes?[.hairColor]?.note == "covered_by_headwear")
        }
        #expect(result.ended.map(\.analyses) == result.started.map { _ in 1 })
        #expect(result.summary?.provenance["facellm"] == describer.provenance)
        #expect(result.ledger.cropsQueued == result.started.count)
        for request in describer.requests {
            #expect(request.picture.width == request.picture.height && request.picture.width <= 448)
            #expect(request.picture.width >= 40)
            #expect(request.facts.sentence.pose != nil && request.facts.expression != nil)
            #expect(request.quality >= 20 && request.previousDescription == nil)
        }
    }

    /// Perception's own lines do not change by it, but for the number of analyses and the numbers of the lines.
    @Test func perceptionIsUntouched() async throws {
        let without = try await analyse(.pair, by: nil) { $0.stable = true }
        let with = try await analyse(.pair, by: FakeDescriber()) { $0.stable = true }
        func perception(_ result: Result) -> [Event.Payload] {
            result.payloads.compactMap {
                switch $0 {
                case .trackEnded(let end): .trackEnded(end.with(analyses: 0))
                case .faceAnalysis, .runSummary: nil
                default: $0
                }
            }
        }
        #expect(perception(without) == perception(with))
        #expect(without.analyses.isEmpty && without.summary?.provenance["facellm"] == nil)
        #expect(without.ledger.cropsQueued == 0)
    }

    @Test func aTurnOfTheHeadIsDescribedAgain() async throws {
        let describer = FakeDescriber()
        let result = try await analyse(.pair, by: describer) { $0.description.shots.changeSpacing = 0.2 }
        let changes = result.analyses.filter { $0.dedup?.decision == .refresh }
        #expect(!changes.isEmpty)
        for change in changes {
            #expect(change.dedup?.reason?.hasSuffix("_changed") == true)
            let request = try #require(
                describer.requests.first { $0.frame == change.frame && $0.trackID == change.trackID }
            )
            #expect(request.previousDescription?.hasPrefix("Answer ") == true)
        }
        // Nothing is described anew that perception had no word about.
        #expect(changes.count <= result.updated.count)
        for end in result.ended {
            #expect(end.analyses == result.analyses.filter { $0.trackID == end.trackID }.count)
        }
    }

    @Test func budgetsHold() async throws {
        func count(perTrack: Int, perHour: Int = 100) async throws -> Int {
            try await analyse(.male, by: FakeDescriber()) {
                $0.description.shots.refreshInterval = 0.2
                $0.description.shots.perTrack = perTrack
                $0.description.shots.perHour = perHour
            }.analyses.count
        }
        #expect(try await count(perTrack: 2) == 2)
        #expect(try await count(perTrack: 4) == 4)
        #expect(try await count(perTrack: 4, perHour: 3) == 3)
    }

    @Test func facesThatShowTooLittleAreNotDescribed() async throws {
        let describer = FakeDescriber()
        let result = try await analyse(.walking, by: describer)
        #expect(!result.started.isEmpty && result.analyses.isEmpty && describer.requests.isEmpty)
        #expect(result.ended.allSatisfy { $0.analyses == 0 })
    }

    @Test func twoRunsAreEqual() async throws {
        func run() async throws -> [String] {
            try await analyse(.pair, by: FakeDescriber()) {
                $0.stable = true
                $0.description.shots.changeSpacing = 0.2
                $0.description.shots.refreshInterval = 0.5
            }.lines
        }
        let first = try await run()
        #expect(first == (try await run()))
        #expect(first.contains { $0.contains("face.analysis") } && !first.contains { $0.contains("duration_ms") })
    }

    // MARK: - Failures

    @Test func aBrokenDescriberCostsNothingElse() async throws {
        let result = try await analyse(.pair, by: FakeDescriber(FakeDescriber.broken)) {
            $0.description.shots.changeSpacing = 100
        }
        #expect(result.outcome.exitStatus == 0 && result.summary?.complete == true)
        #expect(result.analyses.map(\.analysis.status) == [.engineError, .engineError])
        #expect(result.analyses.allSatisfy { $0.analysis.reason == "out_of_memory" && $0.description == nil })
        #expect(result.ledger.cropsFailed == 2 && result.ledger.cropsDescribed == 0)
        #expect(result.ended.map(\.analyses) == [0, 0])
    }

    @Test func aDescriberThatTakesTooLongIsToldToStop() async throws {
        let result = try await analyse(.male, by: FakeDescriber(FakeDescriber.endless)) {
            $0.description.timeout = .milliseconds(1)
        }
        #expect(result.analyses.map(\.analysis.status) == [.timeout])
        #expect(result.ledger.cropsFailed == 1)
        #expect(result.outcome.exitStatus == 0)
    }

    @Test(arguments: [true, false]) func aSignalStopsTheDescriber(isInLine: Bool) async throws {
        let describer = FakeDescriber(FakeDescriber.endless)
        let result = try await analyse(.male, by: describer) {
            $0.describesInLine = isInLine
            $0.description.grace = .seconds(1000)
        } while: { run in
            for await _ in describer.started { break }
            run.stop(.interrupted)
        }
        #expect(result.outcome.exitStatus == 130)
        #expect(result.summary?.exitReason == .interrupted && result.summary?.complete == false)
        #expect(result.analyses.isEmpty)
        #expect(result.ledger.cropsQueued >= 1 && result.ledger.cropsDroppedOverload == result.ledger.cropsQueued)
    }

    @Test(arguments: [true, false]) func aFullDiskEndsTheRun(isInLine: Bool) async throws {
        let run = makeRun(.male, to: "/dev/full", by: FakeDescriber()) { $0.describesInLine = isInLine }
        let outcome = await run.run()
        #expect(outcome.exitStatus == 1 && outcome.message != nil)
        #expect(outcome.ledger.violations() == [])
    }

    // MARK: - Live

    @Test func perceptionDoesNotWaitForASlowDescriber() async throws {
        let describer = FakeDescriber(FakeDescriber.endless)
        let result = try await analyse(.pair, by: describer) {
            $0.describesInLine = false
            $0.description.queueCapacity = 1
            $0.description.grace = .zero
            $0.description.shots.changeSpacing = 0.2
            $0.description.shots.refreshInterval = 0.3
        }
        #expect(result.outcome.exitStatus == 0 && result.summary?.complete == true)
        #expect(describer.requests.count == 1)
        #expect(result.analyses.isEmpty)
        let ledger = result.ledger
        #expect(ledger.cropsQueued >= 3)
        #expect(ledger.cropsDroppedOverload >= 1)
        #expect(ledger.cropsDroppedOverload + ledger.cropsReplaced + ledger.cropsExpired == ledger.cropsQueued)
        // Nothing of perception was lost by it.
        #expect(result.ended.map(\.observations).reduce(0, +) == ledger.facesObserved)
    }

    @Test func answersComeWhenTheyCome() async throws {
        let gate = Gate()
        let describer = FakeDescriber(FakeDescriber.waiting(for: gate))
        let result = try await analyse(.pair, by: describer) {
            $0.describesInLine = false
            $0.description.grace = .seconds(60)
            $0.description.shots.changeSpacing = 100
        } while: { _ in
            var count = 0
            for await _ in describer.started {
                gate.open()
                count += 1
                if count == 2 { return }
            }
        }
        #expect(Set(result.analyses.map(\.trackID)) == Set(result.started))
        #expect(result.ledger.cropsDescribed == 2)
        #expect(result.epochs.allSatisfy { $0 == 0 })
    }

    @Test func cropsOfAStalledDescriberExpire() async throws {
        let describer = FakeDescriber(FakeDescriber.endless)
        let result = try await analyse(.pair, by: describer) {
            $0.describesInLine = false
            $0.description.lifetime = 0.3
            $0.description.grace = .zero
        }
        #expect(result.ledger.cropsExpired >= 1)
        #expect(describer.requests.count == 1)
    }
}
