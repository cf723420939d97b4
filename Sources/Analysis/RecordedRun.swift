package import Events
internal import Faces
internal import Imaging
package import Logging
internal import Video

/// Analyses one video from its beginning to its end and writes its events.
///
/// The reader decodes on threads of its own, this actor analyses on its own queue, and the hand-over between them is
/// bounded: a slow analysis makes the reader wait, and nothing is lost.
package actor RecordedRun {
    /// Why a run is asked to stop.
    package enum StopReason: Int32, Sendable {
        case interrupted = 130
        case terminated = 143

        package var exitReason: ExitReason { self == .interrupted ? .interrupted : .terminated }
    }

    let options: Options
    let stopping: StopSwitch
    /// Nil where nobody is asked to describe faces.
    let describing: DescriptionStage?
    /// Of a recorded file: what waits for faces to be described together.
    var held = HeldSteps()
    /// Serves the queue of a live source.
    var worker: Task<Void, Never>?
    /// The worker could not write; ends the run.
    var workerFailure: EventError?
    private(set) var reader: VideoReader?
    private var log: EventLog?
    private let logger: Logger
    private let report: @Sendable (RunProgress) -> Void
    private let executor = QueueExecutor(label: "facellm.analysis")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter report: called after each sampled frame, on the analysis' queue.
    package init(options: Options, logger: Logger, report: @escaping @Sendable (RunProgress) -> Void = { _ in }) {
        self.options = options
        self.logger = logger
        self.report = report
        stopping = StopSwitch()
        describing = options.describer.map {
            DescriptionStage(describer: $0, settings: options.description, isLive: !options.describesInLine)
        }
    }

    /// Asks the run to end after the frame in hand, with a complete last line; from any thread.
    package nonisolated func stop(_ reason: StopReason) {
        stopping.stop(reason)
    }

    /// Runs to the end.
    ///
    /// Never throws: what went wrong is in the outcome, after everything good was written.
    package func run() async -> RunOutcome {
        let reader: VideoReader
        let analysis: SourceAnalysis
        do {
            // The input first, since a wrong name should be told at once; the output last, since opening it empties it.
            let readerOptions = options.reader
            let opening = Task { try await VideoReader.open(readerOptions) }
            stopping.attach { opening.cancel() }
            reader = try await opening.value
            stopping.attach { reader.cancel() }
            let core = try InferenceCore(cacheFolder: options.modelCache)
            analysis = try SourceAnalysis(core: core, models: options.models, settings: options.analysis)
            if options.measuresTimings { analysis.measureTimings() }
        } catch let error as VideoError {
            if let reason = stopping.reason { return end(before: reason) }
            return RunOutcome(exitStatus: error.exitStatus, message: error.description)
        } catch {
            return RunOutcome(exitStatus: 1, message: "\(error)")
        }
        do throws(EventError) {
            log = try makeLog()
            self.reader = reader
            return await follow(reader, with: analysis)
        } catch {
            reader.cancel()
            return RunOutcome(exitStatus: error.exitCode, message: error.description)
        }
    }

    // MARK: - Parts

    private func makeLog() throws(EventError) -> EventLog {
        try EventLog(
            path: options.output,
            source: options.sourceName,
            stable: options.stable,
            observer: options.observer
        )
    }

    func publish(_ payload: Event.Payload, epoch: Int) throws(EventError) {
        try log?.publish(payload, epoch: epoch)
    }

    private var provenance: [String: Provenance] {
        var table = ["perception": RunProvenance.perception(options.analysis)]
        table[DescriptionStage.provenanceID] = options.describer?.provenance
        return table
    }

    /// Told to stop before the input could be opened: the last line is the only one.
    private func end(before reason: StopReason) -> RunOutcome {
        var outcome = RunOutcome(exitStatus: reason.rawValue)
        let summary = RunSummary(
            ledger: Ledger(),
            exitReason: reason.exitReason,
            provenance: provenance
        )
        do throws(EventError) {
            var log = try makeLog()
            try log.publish(.runSummary(summary), epoch: 0)
            try log.close()
        } catch {
            note(error.description, in: &outcome)
        }
        return outcome
    }

    private func follow(_ reader: VideoReader, with analysis: SourceAnalysis) async -> RunOutcome {
        var outcome = RunOutcome(exitStatus: 0)
        var exitReason = ExitReason.complete
        var lastTime: Double?
        var epoch = 0
        let start = ContinuousClock.now
        var annotator: Annotator?
        var crops =
            options.crops == nil && options.keepShot == nil
            ? nil : CropWriter(folder: options.crops, keep: options.keepShot)

        do {
            if let crops { try crops.prepare() }
            try publish(.sourceStatus(Self.status(.online, reader.info)), epoch: 0)
            while let event = try await reader.next() {
                switch event {
                case .epoch(let info, let reason):
                    try await tell(analysis.beginEpoch(), of: analysis, epoch: epoch)
                    epoch += 1
                    logger.notice("the stream changed: \(reason)")
                    try publish(.sourceStatus(Self.status(.online, info, reason: "\(reason)")), epoch: epoch)
                case .frame(let frame):
                    if options.annotated != nil, annotator == nil {
                        annotator = try makeAnnotator(size: frame.picture.size, info: reader.info)
                    }
                    if frame.isSampled {
                        let payloads = try analysis.see(frame)
                        try await tell(payloads, of: analysis, in: frame, epoch: epoch)
                        try crops?.see(frame, sightings: analysis.sightings, ended: payloads)
                        lastTime = frame.mediaTime
                        report(progress(reader, analysis, at: frame.mediaTime))
                    }
                    try annotator?.see(frame, sightings: frame.isSampled ? analysis.sightings : nil)
                }
                if stopping.reason != nil { reader.cancel() }
                if let workerFailure { throw workerFailure }
            }
        } catch let error as VideoError {
            // Cancelled reading may end in an error of its own; the signal is the reason then.
            if stopping.reason == nil {
                outcome = RunOutcome(exitStatus: error.exitStatus, message: error.description)
                exitReason = error.exitStatus == 4 ? .decodeErrors : .failure
            }
        } catch let error as EventError {
            reader.cancel()
            outcome = RunOutcome(exitStatus: error.exitCode, message: error.description)
            exitReason = .outputFailed
        } catch {
            reader.cancel()
            outcome = RunOutcome(exitStatus: 1, message: "\(error)")
            exitReason = .failure
        }

        // Everything that follows is tried even after a failure: what is good should not be lost.
        let last = analysis.endTracks(stopping.reason == nil ? .endOfStream : .interrupted)
        do {
            try annotator?.finish()
            try crops?.see(nil, sightings: [], ended: last)
        } catch {
            note("\(error)", in: &outcome)
        }
        do throws(EventError) {
            if exitReason != .outputFailed { try await tell(last, of: analysis, epoch: epoch) }
        } catch {
            note(error.description, in: &outcome)
            exitReason = .outputFailed
        }
        if let error = await finishDescribing(waits: exitReason != .outputFailed) {
            note(error.description, in: &outcome)
            exitReason = .outputFailed
        }
        if let reason = stopping.reason, outcome.message == nil {
            outcome.exitStatus = reason.rawValue
            exitReason = reason.exitReason
        }
        var ledger = analysis.ledger
        let statistics = await settledStatistics(of: reader)
        describing?.queue.outcomes.add(to: &ledger)
        ledger.framesDecoded = statistics.framesDecoded
        ledger.framesSampled = statistics.framesSampled
        ledger.framesUnsampled = statistics.framesUnsampled
        ledger.framesSkipped = statistics.framesSkipped
        ledger.framesCorrupt = statistics.framesCorrupt + statistics.packetsCorrupt + statistics.decodeErrors
        if exitReason == .complete {
            let name = options.reader.input.displayName
            if statistics.isTruncated { logger.warning("\(name) is cut short: not all of it could be read") }
            if ledger.framesCorrupt > 0 {
                logger.warning("\(name): \(ledger.framesCorrupt) packets or frames are damaged")
            }
        }
        if exitReason != .outputFailed {
            do throws(EventError) {
                let summary = RunSummary(
                    ledger: ledger,
                    exitReason: exitReason,
                    complete: (exitReason == .complete || exitReason == .decodeErrors) && outcome.exitStatus != 1
                        && !statistics.isTruncated,
                    provenance: provenance,
                    lastMediaTimeSeconds: lastTime,
                    elapsedSeconds: Self.seconds(ContinuousClock.now - start)
                )
                try publish(.runSummary(summary), epoch: epoch)
                try log?.close()
            } catch {
                note(error.description, in: &outcome)
            }
        }
        if let failure = describing?.lastFailure {
            logger.warning("\(ledger.cropsFailed) faces could not be described: \(failure)")
        }
        if let failure = analysis.lastFailure {
            logger.warning("\(ledger.facesFailed) faces could not be classified: \(failure)")
        }
        for violation in ledger.violations(atEnd: true) { logger.error("the ledger does not add up: \(violation)") }
        outcome.ledger = ledger
        outcome.video = statistics
        outcome.timings = analysis.allTimings
        return outcome
    }

    private func note(_ message: String, in outcome: inout RunOutcome) {
        if outcome.message == nil { outcome.message = message }
        if outcome.exitStatus == 0 { outcome.exitStatus = 1 }
    }

    /// The reader's counters once its thread has put away what nobody will take any more.
    private func settledStatistics(of reader: VideoReader) async -> VideoStatistics {
        if !reader.isFinished {
            reader.cancel()
            while let _ = try? await reader.next() {}
        }
        return reader.statistics
    }

    private func makeAnnotator(size: Size, info: StreamInfo) throws -> Annotator? {
        guard let path = options.annotated else { return nil }
        return try Annotator(path: path, size: size, framesPerSecond: info.framesPerSecond)
    }

    private func progress(_ reader: VideoReader, _ analysis: SourceAnalysis, at time: Double) -> RunProgress {
        let start = options.reader.start ?? 0
        let whole = reader.info.duration.map { max(0, $0 - start) }
        let wanted = options.reader.duration
        return RunProgress(
            mediaTime: max(0, time - start),
            duration: whole.map { min($0, wanted ?? $0) } ?? wanted,
            faces: analysis.sightings.count,
            tracks: analysis.ledger.tracksStarted
        )
    }

    private static func status(
        _ status: SourceStatus.Status,
        _ info: StreamInfo,
        reason: String? = nil
    ) -> SourceStatus {
        SourceStatus(
            status: status,
            reason: reason,
            video: SourceStatus.Video(
                codec: info.codec,
                width: info.width,
                height: info.height,
                framesPerSecond: info.framesPerSecond,
                pixelFormat: info.pixelFormat,
                rotationDegrees: info.rotationDegrees
            )
        )
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
