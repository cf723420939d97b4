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
        guard options.describesInLine else {
            for step in steps {
                switch step {
                case .publish(let payload): try publish(describing.finished(payload), epoch: epoch)
                case .ask(let request):
                    describing.offer(request)
                    startWorker(describing)
                }
            }
            return
        }
        for step in steps {
            if held.mustGo(before: step) { try await tellHeld(describing) }
            held.add(step, epoch: epoch, at: frame?.mediaTime)
        }
        let next = options.looksAhead && stopping.reason == nil ? frame?.mediaTime : nil
        if held.isDue(faces: describing.mostTogether, at: next) {
            try await tellHeld(describing)
        }
    }

    /// Asks about the faces that were held back, and publishes all in its order.
    private func tellHeld(_ describing: DescriptionStage) async throws(EventError) {
        let steps = held.removeAll()
        let replies = await replies(to: steps.map(\.step), describing)
        for (step, epoch) in steps {
            switch step {
            case .publish(let payload): try publish(describing.finished(payload), epoch: epoch)
            case .ask(let request):
                if let reply = replies[request.trackID] {
                    try publish(describing.record(reply), epoch: reply.request.epoch)
                }
            }
        }
    }

    /// Asks about faces of as many tracks, as many at once as the describer takes together.
    ///
    /// - Returns: by track.
    private func replies(
        to steps: [DescriptionStage.Step],
        _ describing: DescriptionStage
    ) async -> [String: DescriptionStage.Reply] {
        var replies: [String: DescriptionStage.Reply] = [:]
        var requests = steps.compactMap { if case .ask(let request) = $0 { request } else { nil } }[...]
        while !requests.isEmpty {
            for request in requests.prefix(describing.queue.capacity) { describing.offer(request) }
            requests = requests.dropFirst(describing.queue.capacity)
            while let answered = await ask(describing) {
                for reply in answered { replies[reply.request.trackID] = reply }
            }
        }
        return replies
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

    /// Describes what waits, until nothing does.
    private func serve(_ describing: DescriptionStage) async throws(EventError) {
        while let replies = await ask(describing) {
            for reply in replies { try publish(describing.record(reply), epoch: reply.request.epoch) }
        }
    }

    /// Asks about as many of those that wait as the describer takes together.
    ///
    /// - Returns: nil where nothing waits.
    private func ask(_ describing: DescriptionStage) async -> [DescriptionStage.Reply]? {
        // Looked at before every question: the run may have been stopped meanwhile.
        if Task.isCancelled || stopping.reason != nil { describing.dropAll() }
        let requests = describing.take(upTo: describing.mostTogether)
        guard !requests.isEmpty else {
            // At once, so that no request can come between that nobody would serve.
            worker = nil
            return nil
        }
        return await describing.ask(requests, stoppedBy: stopping)
    }
}
