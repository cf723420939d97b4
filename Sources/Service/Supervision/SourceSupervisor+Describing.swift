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

    /// Describes what waits, one face a turn, until nothing does.
    private func serveQueue() async {
        while let stage, let pool = surroundings.pool, !stage.queue.waiting.isEmpty, stopping.reason == nil {
            guard await pool.takeTurn() else { break }
            // Taken only now: until the turn came, a better picture could take the place.
            if stopping.reason == nil, let request = stage.take() { await serve(request, stage) }
            pool.endTurn()
        }
        // At once, so that no request can come between that nobody would serve.
        worker = nil
    }

    /// Describes all that waits, while the source does.
    func serveAll() async {
        guard let stage, let pool = surroundings.pool else { return }
        while let request = stage.take() {
            // Without a describer the answer says so at once.
            let turn = Task { await pool.takeTurn(isPatient: false) }
            stopping.attachWork { turn.cancel() }
            let hasTurn = await turn.value
            await serve(request, stage)
            if hasTurn { pool.endTurn() }
        }
    }

    private func serve(_ request: DescriptionRequest, _ stage: DescriptionStage) async {
        if let payload = await stage.serve(request, stoppedBy: stopping) {
            publish(payload, at: request.time, epoch: request.epoch)
        }
        refresh()
    }
}
