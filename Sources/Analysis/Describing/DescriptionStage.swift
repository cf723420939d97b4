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
    /// What the describer said to a request.
    package struct Reply: Sendable {
        package let request: DescriptionRequest
        let answer: DescriptionAnswer
        /// For the describer.
        let waited: Duration
        /// Of the describer, with all it was asked together with this.
        let took: Duration
    }

    /// What there is to do after a frame, in order.
    package enum Step: Sendable {
        case publish(Event.Payload)
        case ask(DescriptionRequest)
    }

    /// The key of the describer's entry in the table of provenance.
    package static let provenanceID = "facellm"

    /// The side of the model's tile: of a larger crop it sees no more than this, scaled by the same filter.
    private static let tileSide = 448

    /// Pictures in all albums together, 0.6 MB each at most; tracks beyond are described by one picture.
    private static let maximumPictures = 128

    /// Characters of a description, so that its line stays within what a line may have.
    private static let maximumText = 8000

    let describer: any FaceDescriber
    private var settings: DescriptionSettings
    private let isLive: Bool
    private let clock = ContinuousClock()
    private var policy: ShotPolicy
    package private(set) var queue: DescriptionQueue
    /// The best picture so far of tracks that want a description.
    private var kept: [String: DescriptionRequest] = [:]
    /// Where faces are described by several pictures: those until now, of the tracks that are there.
    private var albums: [String: FaceAlbum] = [:]
    /// Of the tracks that are there: how many answers, and the last one's words.
    private var answers: [String: (count: Int, text: String?)] = [:]
    /// The last failure, for whoever looks after the run.
    package private(set) var lastFailure: String?

    /// - Parameter isLive: whether time goes on while the describer works.
    package init(describer: any FaceDescriber, settings: DescriptionSettings, isLive: Bool) {
        self.describer = describer
        self.settings = settings
        self.isLive = isLive
        policy = ShotPolicy(settings: settings.shots)
        queue = DescriptionQueue(
            capacity: settings.queueCapacity,
            lifetime: isLive ? settings.lifetime : nil
        )
    }

    /// Takes over other budgets and times; the request in hand keeps the time that it was given.
    package func apply(_ settings: DescriptionSettings) {
        self.settings = settings
        policy.settings = settings.shots
        guard isLive else { return }
        for request in queue.limit(capacity: settings.queueCapacity, lifetime: settings.lifetime) {
            policy.giveBack(request, asksAgain: true)
        }
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
            for sighting in sightings {
                if let request = consider(sighting, in: record, of: frame.picture, epoch: epoch) {
                    steps.append(.ask(request))
                }
            }
            for request in queue.expire(at: frame.mediaTime) { policy.giveBack(request, asksAgain: true) }
        }
        policy.forget(allBut: followed)
        kept = kept.filter { followed.contains($0.key) }
        albums = albums.filter { followed.contains($0.key) }
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
        request.moments = moments(with: request)
        request.represents = policy.takeStretch(of: end.trackID)
        return request
    }

    private func consider(
        _ sighting: SourceAnalysis.Sighting,
        in frame: FrameRecord,
        of picture: Picture,
        epoch: Int
    ) -> DescriptionRequest? {
        guard let state = sighting.state else { return nil }
        remember(sighting, state, of: picture, at: frame.mediaTimeSeconds)
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
            return better(sighting, state, in: frame, of: picture, epoch: epoch)
        case .keep:
            kept[state.id] = request(sighting, state, in: frame, of: picture, epoch: epoch, because: .new)
            return nil
        case .ask(let why):
            kept[state.id] = request(sighting, state, in: frame, of: picture, epoch: epoch, because: why)
            reason = why
        case .askKept(let why): reason = why
        }
        var request = kept.removeValue(forKey: state.id)
        request?.reason = reason
        if let asked = request { request?.moments = moments(with: asked) }
        request?.represents = policy.takeStretch(of: state.id)
        return request
    }

    /// Puts a picture that shows the face well enough into its album.
    private func remember(
        _ sighting: SourceAnalysis.Sighting,
        _ state: SourceAnalysis.Sighting.State,
        of picture: Picture,
        at time: Double
    ) {
        guard settings.frames > 1, let quality = sighting.face.quality, quality.isReadable,
            sighting.face.box.width >= settings.shots.minimumWidth
        else { return }
        var album = albums[state.id] ?? FaceAlbum(capacity: settings.frames)
        let isFull = album.moments.count >= album.capacity
        guard isFull || albums.values.reduce(0, { $0 + $1.moments.count }) < Self.maximumPictures,
            album.wants(quality.unifiedScore, at: time), let crop = try? Self.crop(sighting.face.box, of: picture)
        else { return }
        album.add(FaceAlbum.Moment(time: time, quality: quality.unifiedScore, picture: crop))
        albums[state.id] = album
    }

    /// The moments that a request shows: its own, and of the others those with the best pictures.
    private func moments(with request: DescriptionRequest) -> [RGBImage] {
        guard settings.frames > 1, let album = albums[request.trackID] else { return [] }
        let time = request.mediaTime
        let others = album.moments.filter { $0.time != time }
            .sorted { $0.quality == $1.quality ? $0.time < $1.time : $0.quality > $1.quality }
            .prefix(settings.frames - 1)
        guard !others.isEmpty else { return [] }
        let own = FaceAlbum.Moment(time: time, quality: request.quality, picture: request.picture)
        return (others + [own]).sorted { $0.time < $1.time }.map(\.picture)
    }

    /// A better picture for the request that waits: of the same face, looking the same.
    private func better(
        _ sighting: SourceAnalysis.Sighting,
        _ state: SourceAnalysis.Sighting.State,
        in frame: FrameRecord,
        of picture: Picture,
        epoch: Int
    ) -> DescriptionRequest? {
        guard let waiting = queue.waiting.first(where: { $0.trackID == state.id }),
            let quality = sighting.face.quality?.unifiedScore, quality > waiting.quality * 1.05,
            policy.looksAsAsked(state.id, state.appearance),
            var request = request(sighting, state, in: frame, of: picture, epoch: epoch, because: waiting.reason)
        else { return nil }
        request.represents = waiting.represents
        request.moments = moments(with: request)
        policy.countAgain(state.id)
        return request
    }

    /// Cuts the face out; nil where nothing of it is in the picture.
    private func request(
        _ sighting: SourceAnalysis.Sighting,
        _ state: SourceAnalysis.Sighting.State,
        in frame: FrameRecord,
        of picture: Picture,
        epoch: Int,
        because reason: DescriptionRequest.Reason
    ) -> DescriptionRequest? {
        guard let crop = try? Self.crop(sighting.face.box, of: picture) else { return nil }
        var request = DescriptionRequest(
            trackID: state.id,
            frame: frame,
            face: state.face,
            picture: crop,
            facts: state.facts,
            reason: reason,
            quality: sighting.face.quality?.unifiedScore ?? 0
        )
        request.epoch = epoch
        return request
    }

    private static func crop(_ box: Rect, of picture: Picture) throws(ImageError) -> RGBImage {
        // Pixel for pixel, so that nothing of the pyramid but the picture itself is ever looked at.
        let image = try RGBImage(Pyramid(picture), crop: FaceCrop(around: box))
        guard image.width > tileSide else { return image }
        return try image.resized(to: Size(width: tileSide, height: tileSide))
    }

    // MARK: - Requests

    /// Faces to ask about at once, at most: those that are described by several pictures are so alone.
    package var mostTogether: Int { settings.frames > 1 ? 1 : max(1, describer.mostTogether) }

    /// Queues a request, which may cost another one its place.
    package func offer(_ request: DescriptionRequest) {
        var request = request
        request.queuedAt = clock.now
        guard let (lost, outcome) = queue.offer(request) else { return }
        policy.giveBack(lost, asksAgain: outcome == .dropped)
    }

    /// The next requests, which have to be asked then.
    ///
    /// - Parameter count: at most.
    package func take(upTo count: Int) -> [DescriptionRequest] {
        queue.take(upTo: count).map { request in
            var request = request
            request.previousDescription = answers[request.trackID]?.text
            return request
        }
    }

    /// The run is over: nobody will be asked any more.
    package func dropAll() {
        queue.dropAll()
    }

    /// Asks the describer about what was taken, for as long as it may take.
    ///
    /// - Parameters:
    ///   - turn: whom to ask; nil for the stage's own describer.
    ///   - share: of how many faces these are a part, where others are described together with them: the describer may
    ///     take the time of one for each.
    /// - Returns: what to record, in the order of the requests; without those that were not answered before the run was
    ///   stopped.
    package func ask(
        _ requests: [DescriptionRequest],
        of turn: (any FaceDescriber)? = nil,
        share: Int = 0,
        stoppedBy stopping: StopSwitch
    ) async -> [Reply] {
        let began = clock.now
        let describer = turn ?? describer, timeout = settings.timeout * max(1, requests.count, share)
        let work = Task { await describer.describe(requests) }
        let timer = Task {
            guard (try? await Task.sleep(for: timeout)) != nil else { return false }
            work.cancel()
            return true
        }
        stopping.attachWork { work.cancel() }
        let answers = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        stopping.attachWork(nil)
        timer.cancel()
        let isLate = await timer.value
        let took = clock.now - began
        var replies: [Reply] = []
        for (index, request) in requests.enumerated() {
            var answer =
                index < answers.count ? answers[index] : DescriptionAnswer(status: .engineError, reason: "no_answer")
            if isLate, answer.status != .ok {
                answer.status = .timeout
            } else if !answer.isAnswered, Task.isCancelled || stopping.reason != nil {
                queue.finish(request, .dropped)
                continue
            }
            queue.finish(request, answer.isAnswered ? .described : .failed)
            let waited = request.queuedAt.map { began - $0 } ?? .zero
            replies.append(Reply(request: request, answer: answer, waited: waited, took: took))
        }
        return replies
    }

    /// Enters a reply into the track's account.
    ///
    /// - Returns: what to publish.
    package func record(_ reply: Reply) -> Event.Payload {
        let (request, answer) = (reply.request, reply.answer)
        if answer.isAnswered {
            answers[request.trackID]?.count += 1
            if let text = answer.description?.text { answers[request.trackID]?.text = text }
        } else {
            lastFailure = answer.reason ?? answer.status.rawValue
        }
        let analysis = FaceAnalysis(
            trackID: request.trackID,
            frame: request.frame,
            face: request.face,
            expression: answer.expression,
            attributes: answer.attributes.isEmpty ? nil : answer.attributes,
            description: answer.description.flatMap(Self.fitting),
            analysis: AnalysisRecord(
                status: answer.status,
                reason: answer.reason,
                queueMilliseconds: Self.milliseconds(reply.waited),
                durationMilliseconds: Self.milliseconds(answer.duration ?? reply.took),
                inputTokens: answer.inputTokens,
                outputTokens: answer.outputTokens,
                rules: answer.rules
            ),
            dedup: request.dedup,
            provenanceID: Self.provenanceID
        )
        return .faceAnalysis(analysis)
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
