package import Events
internal import FaceLLM
internal import Faces
internal import Imaging
package import Video

/// The slower tier: between perception and the log, it decides which faces are described, and has it done.
///
/// Belongs to the actor that runs the pipeline. Asking is a step of its own among the events of a frame: a recorded
/// file takes each step before the next, and so every answer about a track comes before the line that ends it; a live
/// source only queues it.
package final class DescriptionStage {
    /// What there is to do after a frame, in order.
    package enum Step: Sendable {
        case publish(Event.Payload)
        case ask(DescriptionRequest)
    }

    /// The key of the describer's entry in the table of provenance.
    package static let provenanceID = "facellm"

    /// The side of the model's tile: of a larger crop it sees no more than this, scaled by the same filter.
    private static let tileSide = 448

    /// Characters of a description, so that its line stays within what a line may have.
    private static let maximumText = 8000

    let describer: any FaceDescriber
    private let settings: DescriptionSettings
    private let clock = ContinuousClock()
    private var policy: ShotPolicy
    package private(set) var queue: DescriptionQueue
    /// The best picture so far of tracks that want a description.
    private var kept: [String: DescriptionRequest] = [:]
    /// Of the tracks that are there: how many answers, and the last one's words.
    private var answers: [String: (count: Int, text: String?)] = [:]
    /// The last failure, for whoever looks after the run.
    package private(set) var lastFailure: String?

    /// - Parameter isLive: whether time goes on while the describer works.
    package init(describer: any FaceDescriber, settings: DescriptionSettings, isLive: Bool) {
        self.describer = describer
        self.settings = settings
        policy = ShotPolicy(settings: settings.shots)
        queue = DescriptionQueue(
            capacity: isLive ? settings.queueCapacity : 1,
            lifetime: isLive ? settings.lifetime : nil
        )
    }

    // MARK: - Frames

    /// What to publish and what to ask about after a frame.
    ///
    /// - Parameters:
    ///   - payloads: what perception tells.
    ///   - sightings: the faces of the frame.
    ///   - followed: the tracks that are there, told of or not.
    ///   - frame: the sampled frame; nil at the end of a timeline.
    package func steps(
        after payloads: [Event.Payload],
        sightings: [SourceAnalysis.Sighting],
        followed: Set<String>,
        in frame: VideoFrame?,
        epoch: Int
    ) -> [Step] {
        var steps: [Step] = []
        for payload in payloads {
            if case .trackStarted(let start) = payload { answers[start.trackID] = (0, nil) }
            if case .trackEnded(let end) = payload {
                if let request = lastRequest(of: end) { steps.append(.ask(request)) }
                policy.forget(end.trackID)
            }
            steps.append(.publish(payload))
        }
        if let frame, let record = EventRecords.frame(frame) {
            let pyramid = Pyramid(frame.picture)
            for sighting in sightings {
                if let request = consider(sighting, in: record, of: pyramid, epoch: epoch) {
                    steps.append(.ask(request))
                }
            }
            for request in queue.expire(at: frame.mediaTime) { policy.giveBack(request, asksAgain: true) }
        }
        policy.forget(allBut: followed)
        kept = kept.filter { followed.contains($0.key) }
        return steps
    }

    /// A line as it goes out: with the number of answers until now where it tells of them.
    package func finished(_ payload: Event.Payload) -> Event.Payload {
        guard case .trackEnded(let end) = payload else { return payload }
        let count = answers.removeValue(forKey: end.trackID)?.count ?? 0
        return .trackEnded(end.with(analyses: count))
    }

    /// A track that ends before it was described is described by its best picture, unless the run has to stop.
    private func lastRequest(of end: TrackEnd) -> DescriptionRequest? {
        defer { kept[end.trackID] = nil }
        guard end.reason != .interrupted, var request = kept[end.trackID], let reason = policy.end(end.trackID)
        else { return nil }
        request.reason = reason
        request.represents = policy.takeStretch(of: end.trackID)
        return request
    }

    private func consider(
        _ sighting: SourceAnalysis.Sighting,
        in frame: FrameRecord,
        of pyramid: Pyramid,
        epoch: Int
    ) -> DescriptionRequest? {
        guard let state = sighting.state else { return nil }
        let decision = policy.see(
            ShotPolicy.Look(
                track: state.id,
                time: frame.mediaTimeSeconds,
                isBorn: sighting.trackID != nil,
                quality: sighting.face.quality,
                turn: sighting.face.pose?.turn ?? 0,
                width: sighting.face.box.width,
                appearance: state.appearance
            )
        )
        let reason: DescriptionRequest.Reason
        switch decision {
        case .nothing:
            return better(sighting, state, in: frame, of: pyramid, epoch: epoch)
        case .keep:
            kept[state.id] = request(sighting, state, in: frame, of: pyramid, epoch: epoch, because: .new)
            return nil
        case .ask(let why):
            kept[state.id] = request(sighting, state, in: frame, of: pyramid, epoch: epoch, because: why)
            reason = why
        case .askKept(let why): reason = why
        }
        var request = kept.removeValue(forKey: state.id)
        request?.reason = reason
        request?.represents = policy.takeStretch(of: state.id)
        return request
    }

    /// A better picture for the request that waits: of the same face, looking the same.
    private func better(
        _ sighting: SourceAnalysis.Sighting,
        _ state: SourceAnalysis.Sighting.State,
        in frame: FrameRecord,
        of pyramid: Pyramid,
        epoch: Int
    ) -> DescriptionRequest? {
        guard let waiting = queue.waiting.first(where: { $0.trackID == state.id }),
            let quality = sighting.face.quality?.unifiedScore, quality > waiting.quality * 1.05,
            policy.looksAsAsked(state.id, state.appearance),
            var request = request(sighting, state, in: frame, of: pyramid, epoch: epoch, because: waiting.reason)
        else { return nil }
        request.represents = waiting.represents
        policy.countAgain(state.id)
        return request
    }

    /// Cuts the face out; nil where nothing of it is in the picture.
    private func request(
        _ sighting: SourceAnalysis.Sighting,
        _ state: SourceAnalysis.Sighting.State,
        in frame: FrameRecord,
        of pyramid: Pyramid,
        epoch: Int,
        because reason: DescriptionRequest.Reason
    ) -> DescriptionRequest? {
        guard let picture = try? Self.crop(sighting.face.box, of: pyramid) else { return nil }
        var request = DescriptionRequest(
            trackID: state.id,
            frame: frame,
            face: state.face,
            picture: picture,
            facts: state.facts,
            reason: reason,
            quality: sighting.face.quality?.unifiedScore ?? 0
        )
        request.epoch = epoch
        return request
    }

    private static func crop(_ box: Rect, of pyramid: Pyramid) throws(ImageError) -> RGBImage {
        let image = try RGBImage(pyramid, crop: FaceCrop(around: box))
        guard image.width > tileSide else { return image }
        return try image.resized(to: Size(width: tileSide, height: tileSide))
    }

    // MARK: - Requests

    /// Queues a request, which may cost another one its place.
    package func offer(_ request: DescriptionRequest) {
        var request = request
        request.queuedAt = clock.now
        guard let (lost, outcome) = queue.offer(request) else { return }
        policy.giveBack(lost, asksAgain: outcome == .dropped)
    }

    /// The next request, which has to be served then.
    package func take() -> DescriptionRequest? {
        guard var request = queue.take() else { return nil }
        request.previousDescription = answers[request.trackID]?.text
        return request
    }

    /// The run is over: nobody will be asked any more.
    package func dropAll() {
        queue.dropAll()
    }

    /// Asks the describer, for as long as it may take.
    ///
    /// - Returns: what to publish; nil where the run was stopped before there was an answer.
    package func serve(_ request: DescriptionRequest, stoppedBy stopping: StopSwitch) async -> Event.Payload? {
        let began = clock.now
        let waited = request.queuedAt.map { began - $0 } ?? .zero
        let describer = describer, timeout = settings.timeout
        let work = Task { await describer.describe(request) }
        let timer = Task {
            guard (try? await Task.sleep(for: timeout)) != nil else { return false }
            work.cancel()
            return true
        }
        stopping.attachWork { work.cancel() }
        var answer = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        stopping.attachWork(nil)
        timer.cancel()
        let isLate = await timer.value
        if isLate, answer.status != .ok {
            answer.status = .timeout
        } else if !answer.isAnswered, Task.isCancelled || stopping.reason != nil {
            queue.finish(.dropped)
            return nil
        }
        queue.finish(answer.isAnswered ? .described : .failed)
        return .faceAnalysis(record(answer, to: request, waited: waited, took: clock.now - began))
    }

    private func record(
        _ answer: DescriptionAnswer,
        to request: DescriptionRequest,
        waited: Duration,
        took: Duration
    ) -> FaceAnalysis {
        if answer.isAnswered {
            answers[request.trackID]?.count += 1
            if let text = answer.description?.text { answers[request.trackID]?.text = text }
        } else {
            lastFailure = answer.reason ?? answer.status.rawValue
        }
        return FaceAnalysis(
            trackID: request.trackID,
            frame: request.frame,
            face: request.face,
            expression: answer.expression,
            attributes: answer.attributes.isEmpty ? nil : answer.attributes,
            description: answer.description.flatMap(Self.fitting),
            analysis: AnalysisRecord(
                status: answer.status,
                reason: answer.reason,
                queueMilliseconds: Self.milliseconds(waited),
                durationMilliseconds: Self.milliseconds(answer.duration ?? took),
                inputTokens: answer.inputTokens,
                outputTokens: answer.outputTokens
            ),
            dedup: request.dedup,
            provenanceID: Self.provenanceID
        )
    }

    /// A text that fits into a line; nil where there are no words.
    private static func fitting(_ description: DescriptionRecord) -> DescriptionRecord? {
        guard !description.text.isEmpty else { return nil }
        return DescriptionRecord(
            text: String(String.UnicodeScalarView(description.text.unicodeScalars.prefix(maximumText))),
            language: description.language,
            method: description.method,
            question: description.question
        )
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) * 1e-15
    }
}
