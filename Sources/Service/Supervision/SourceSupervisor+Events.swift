internal import Analysis
internal import Events
internal import Faces
internal import Imaging
internal import Logging
internal import Synchronization
internal import Video

/// From what a source and its pictures tell to events on the bus.
extension SourceSupervisor {
    // MARK: - What the source tells

    func handle(_ status: LiveStatus, _ analysis: SourceAnalysis) {
        switch status.state {
        case .stalled, .frozen, .reconnecting, .failed:
            // What is seen next is not what was seen last.
            publishNow(analysis.beginEpoch(), analysis)
            rate.reset()
        case .paused: publishNow(analysis.endTracks(.interrupted), analysis)
        case .ended: publishNow(analysis.endTracks(stopping.reason == nil ? .endOfStream : .interrupted), analysis)
        case .connecting, .online: break
        }
        var reason = status.reason.rawValue
        if status.state == .paused, isOffSchedule, !isPausedByCommand { reason = "schedule" }
        let isAttempt = status.state == .connecting || status.state == .reconnecting
        tell(
            SourceStatus.Status(rawValue: status.state.rawValue) ?? .failed,
            reason,
            attempt: isAttempt ? status.attempt : nil,
            video: status.info,
            detail: status.detail,
            log: status.log
        )
    }

    func handle(_ gap: LiveGap) {
        // Across connections the two times belong to different epochs.
        let isSameConnection = current.withLock { $0.status } == SourceStatus.Status.stalled.rawValue
        publish(
            .gap(
                .media(
                    reason: gap.reason.rawValue,
                    fromSeconds: gap.from.mediaTime,
                    toSeconds: isSameConnection ? gap.to.mediaTime : nil
                )
            ),
            at: gap.to.wallTime.flatMap(EventTime.init)
        )
    }

    func begin(_ info: StreamInfo, _ reason: EpochReason, _ analysis: SourceAnalysis) async {
        await publish(analysis.beginEpoch(), analysis, nil)
        epoch += 1
        // A new connection says so itself.
        guard reason != .reconnected else { return }
        tell(.online, "\(reason)", video: info)
    }

    func handle(_ frame: VideoFrame, _ analysis: SourceAnalysis) async {
        guard stopping.reason == nil, frame.isSampled else { return }
        framesSeen += 1
        let time = frame.eventTime
        lastFrame = (frame.mediaTime, time)
        let frame = frame.masked(by: masks)
        do throws(FacesError) {
            let payloads = try analysis.see(frame)
            surroundings.viewer?.offer(frame.picture, of: name, faces: analysis.sightings.map(SeenFace.init))
            await publish(payloads, analysis, frame)
        } catch {
            fail("perception_failed", "\(error)")
        }
        let now = WallClock.Reading.now
        rate.add(at: now.monotonic)
        let (faces, tracks, fps) = (
            analysis.sightings.count, analysis.followed.count, rate.perSecond(at: now.monotonic)
        )
        current.withLock { state in
            state.faces = faces
            state.tracks = tracks
            state.fps = fps
            state.lastFrameAt = time?.timestamp ?? .now()
            state.lagSeconds = frame.wallTime.map { max(0, ((now.realtime - $0.seconds) * 1000).rounded() / 1000) }
        }
    }

    // MARK: - Publishing

    /// Publishes what perception tells and has faces described.
    func publish(_ payloads: [Event.Payload], _ analysis: SourceAnalysis, _ frame: VideoFrame?) async {
        let steps = steps(after: payloads, analysis, frame)
        guard isRecording, let stage else { return carryOut(steps) }
        // What a step publishes changes no answer, so that all faces of a frame can be asked about before its lines.
        let replies = await replies(to: steps, stage)
        for step in steps {
            switch step {
            case .publish(let payload): publish(payload, at: lastFrame?.time)
            case .ask(let request):
                guard let reply = replies[request.trackID] else { continue }
                publish(stage.record(reply), at: reply.request.time, epoch: reply.request.epoch)
            }
        }
    }

    /// As `publish`, where a live source only queues requests and so nobody has to wait.
    func publishNow(_ payloads: [Event.Payload], _ analysis: SourceAnalysis) {
        carryOut(steps(after: payloads, analysis, nil))
    }

    private func carryOut(_ steps: [DescriptionStage.Step]) {
        for step in steps {
            switch step {
            case .publish(let payload): publish(payload, at: lastFrame?.time)
            case .ask(let request): offer(request)
            }
        }
    }

    private func steps(
        after payloads: [Event.Payload],
        _ analysis: SourceAnalysis,
        _ frame: VideoFrame?
    ) -> [DescriptionStage.Step] {
        guard let stage else { return payloads.map { .publish($0) } }
        return stage.steps(
            after: payloads,
            sightings: analysis.sightings,
            followed: analysis.followed,
            in: frame,
            epoch: epoch
        )
    }

    func publish(_ payload: Event.Payload, at time: EventTime? = nil, epoch: Int? = nil) {
        var payload = stage?.finished(payload) ?? payload
        if stage != nil, surroundings.pool?.failure != nil {
            let failure = AnalysisRecord(status: .engineError, reason: "describer_unavailable")
            switch payload {
            case .trackStarted(let change): payload = .trackStarted(change.with(analysis: failure))
            case .trackUpdated(let change): payload = .trackUpdated(change.with(analysis: failure))
            default: break
            }
        }
        do throws(EventError) {
            try publisher.publish(payload, epoch: epoch ?? self.epoch, time: time)
            eventsPublished += 1
        } catch {
            logger.error("an event could not be published: \(error)")
        }
    }

    /// Tells of a new state, to subscribers and in the log.
    func tell(
        _ status: SourceStatus.Status,
        _ reason: String,
        attempt: Int? = nil,
        video: StreamInfo? = nil,
        detail: String? = nil,
        log: [String] = []
    ) {
        update(status: status, reason: reason, attempt: attempt)
        publish(
            .sourceStatus(
                SourceStatus(
                    status: status,
                    reason: reason,
                    attempt: attempt,
                    video: video.map(SourceStatus.Video.init)
                )
            ),
            at: isRecording ? nil : EventTime(.now(), source: .arrival)
        )
        let level: Logger.Level =
            switch status {
            case .failed: .error
            case .reconnecting, .stalled, .frozen: .warning
            default: .notice
            }
        logState(level, "\(status.rawValue): \(detail ?? reason)", log)
    }

    /// Logs a state; the same again, as of a camera that stays away for days, once an hour.
    private func logState(_ level: Logger.Level, _ words: String, _ lines: [String]) {
        if words != loggedWords {
            loggedWords = words
            repeatPace = Self.repeatPace
        }
        let isNews = repeatPace.allows(at: .now)
        logger.log(level: isNews ? level : .debug, "\(words)")
        // The last one is a part of the failure's own words.
        for line in lines where !words.contains(line) {
            logger.log(level: isNews ? .warning : .debug, "FFmpeg: \(line)")
        }
    }

    /// A fault that a subscriber should know, once a minute at most.
    func fail(_ code: String, _ message: String) {
        guard failurePace.allows(at: .now) else { return }
        logger.error("\(message)")
        publish(.error(ErrorRecord(code: code, message: message, retryable: true)))
    }

    func update(status: SourceStatus.Status, reason: String?, attempt: Int?) {
        current.withLock { state in
            state.status = status.rawValue
            state.reason = reason
            state.attempt = attempt
            if status != .online {
                state.faces = 0
                state.tracks = 0
                state.fps = nil
                state.lagSeconds = nil
            }
        }
    }
}
