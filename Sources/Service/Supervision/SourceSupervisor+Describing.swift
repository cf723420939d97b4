internal import Analysis
internal import Events
internal import Video

/// How faces get described: in turns with the other sources, whenever the describer has time.
extension SourceSupervisor {
    /// Queues a request; what it costs another request is the queue's to decide.
    func offer(_ request: DescriptionRequest) {
        guard let stage else { return }
        var request = request
        request.time = time(ofMedia: request.mediaTime)
        stage.offer(request)
        // A recording waits for its answers itself.
        guard !isRecording, worker == nil, stopping.reason == nil else { return }
        worker = Task(name: "describer.\(name)") {
            await serveQueue()
        }
    }

    /// The wall-clock time of an earlier moment of the timeline that goes on now.
    private func time(ofMedia mediaTime: Double) -> EventTime? {
        guard let last = lastFrame, let now = last.time else { return nil }
        let earlier = Int64(((last.mediaTime - mediaTime) * 1000).rounded())
        let timestamp = Timestamp(millisecondsSince1970: now.timestamp.millisecondsSince1970 - earlier)
        return EventTime(timestamp, source: now.source)
    }

    /// Describes what waits, so many faces a turn as it is worth, until nothing does.
    private func serveQueue() async {
        while let stage, let pool = surroundings.pool, !stage.queue.waiting.isEmpty, stopping.reason == nil {
            guard let turn = await pool.takeTurn() else { break }
            // Taken only now: until the turn came, a better picture could take the place.
            let requests = stopping.reason == nil ? stage.take(upTo: min(turn.mostTogether, stage.mostTogether)) : []
            if !requests.isEmpty {
                for reply in await stage.ask(requests, of: turn, share: turn.share, stoppedBy: stopping) {
                    publish(stage.record(reply), at: reply.request.time, epoch: reply.request.epoch)
                }
                refresh()
            }
            turn.end()
        }
        // At once, so that no request can come between that nobody would serve.
        worker = nil
    }

    /// Describes the faces that a frame of a recording asks about, while the source waits.
    ///
    /// - Returns: by track, of which none asks twice in one frame.
    func replies(to steps: [DescriptionStage.Step], _ stage: DescriptionStage) async -> [String: DescriptionStage.Reply]
    {
        guard let pool = surroundings.pool else { return [:] }
        var replies: [String: DescriptionStage.Reply] = [:]
        var rest = steps.compactMap { if case .ask(let request) = $0 { request } else { nil } }[...]
        while true {
            while stage.queue.waiting.count < stage.queue.capacity, let request = rest.popFirst() { offer(request) }
            guard !stage.queue.waiting.isEmpty else { return replies }
            // Without a describer the answer says so at once.
            let waiting = Task { await pool.takeTurn(isPatient: false) }
            stopping.attachWork { waiting.cancel() }
            let turn = await waiting.value
            stopping.attachWork(nil)
            let requests = stage.take(upTo: min(turn?.mostTogether ?? 1, stage.mostTogether))
            for reply in await stage.ask(requests, of: turn, share: turn?.share ?? 1, stoppedBy: stopping) {
                replies[reply.request.trackID] = reply
            }
            turn?.end()
            refresh()
        }
    }
}
