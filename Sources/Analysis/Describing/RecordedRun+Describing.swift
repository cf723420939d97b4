internal import Events
internal import Video

extension RecordedRun {
    /// Publishes what perception tells, and has faces described.
    ///
    /// - Parameter frame: the sampled frame that it tells of; nil at the end of a timeline.
    func tell(
        _ payloads: [Event.Payload],
        of analysis: SourceAnalysis,
        in frame: VideoFrame? = nil,
        epoch: Int
    ) async throws(EventError) {
        guard let describing else {
            for payload in payloads { try publish(payload, epoch: epoch) }
            return
        }
        let steps = describing.steps(
            after: payloads,
            sightings: analysis.sightings,
            followed: analysis.followed,
            in: frame,
            epoch: epoch
        )
        for step in steps {
            switch step {
            case .publish(let payload): try publish(describing.finished(payload), epoch: epoch)
            case .ask(let request):
                describing.offer(request)
                if options.describesInLine {
                    try await serve(describing)
                } else {
                    startWorker(describing)
                }
            }
        }
    }

    /// Describes what is left at the end of the run: a live one gives it a moment, a stopped one none.
    ///
    /// - Parameter waits: whether anything is to be described at all.
    /// - Returns: why an answer could not be written.
    func finishDescribing(waits: Bool) async -> EventError? {
        guard let describing else { return nil }
        if !waits { describing.dropAll() }
        if let worker {
            let grace = waits ? options.description.grace : .zero
            let timer = Task {
                try? await Task.sleep(for: grace)
                worker.cancel()
            }
            await worker.value
            timer.cancel()
        }
        return workerFailure
    }

    private func startWorker(_ describing: DescriptionStage) {
        guard worker == nil, workerFailure == nil else { return }
        worker = Task(name: "describer") {
            do throws(EventError) {
                try await serve(describing)
            } catch {
                workerFailure = error
                worker = nil
                describing.dropAll()
                reader?.cancel()
            }
        }
    }

    /// Describes what waits, one after the other, until nothing does.
    private func serve(_ describing: DescriptionStage) async throws(EventError) {
        while true {
            // Asked again after every answer: the run may have been stopped meanwhile.
            if Task.isCancelled || stopping.reason != nil { describing.dropAll() }
            guard let request = describing.take() else {
                // At once, so that no request can come between that nobody would serve.
                worker = nil
                return
            }
            if let payload = await describing.serve(request, stoppedBy: stopping) {
                try publish(payload, epoch: request.epoch)
            }
        }
    }
}
