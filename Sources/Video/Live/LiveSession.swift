internal import Dispatch
internal import Synchronization

/// What a live source did so far.
package struct LiveStatistics: Sendable, Hashable {
    /// Of all connections; `framesDropped` are those that nobody took in time, or that were withheld.
    package var video = VideoStatistics()
    package var connections = 0
    package var failures = 0
    package var stalls = 0
    package var freezes = 0
    /// Not handed on because the picture was frozen.
    package var framesWithheld = 0
    package var gaps = 0
    package var lostSeconds = 0.0
    /// Readers left behind since they did not return; ever, and at this moment.
    package var readersAbandoned = 0
    package var readersStuck = 0
    /// Whether so many are stuck that none is started until one comes back: only a new process helps if none does.
    package var isOutOfReaders = false
    /// Threads that read, those left behind included.
    package var readersRunning = 0
    /// States, breaks and gaps that nobody took in time.
    package var eventsDropped = 0
}

/// Carries out what a `LiveMachine` decides: starts and ends reader threads, sets the alarm, publishes.
///
/// Everything happens under one lock, so events come out in the order of the decisions; nothing under it blocks.
final class LiveSession: Sendable {
    private struct Core {
        var machine: LiveMachine
        var connection: LiveConnection?
        var story = LiveStory()
        var lastMoment: LiveMoment?
        var statistics = LiveStatistics()
        /// What the alarm is set to.
        var alarm: Double?
    }

    let events: HandOff<LiveEvent>
    private let options: VideoReader.Options
    private let reader: any LiveReader
    private let core: Mutex<Core>
    private let timer: LiveTimer

    init(_ options: VideoReader.Options, _ settings: LiveMachine.Settings, seed: UInt64, reader: any LiveReader) {
        self.options = options
        self.reader = reader
        events = HandOff(depth: options.queueDepth, policy: .dropOldest) { $0.frame != nil }
        core = Mutex(Core(machine: LiveMachine(settings, seed: seed)))
        timer = LiveTimer()
        timer.onAlarm { [weak self] in self?.handle(.tick) }
    }

    var statistics: LiveStatistics {
        core.withLock { core in
            var statistics = core.statistics
            statistics.isOutOfReaders = core.machine.isOutOfReaders
            if let connection = core.connection { statistics.video.add(connection.statistics) }
            return statistics
        }
    }

    func handle(_ event: LiveMachine.Event) {
        core.withLock { handle(event, &$0) }
    }

    // MARK: - From the readers

    func packetArrived(on connection: LiveConnection) {
        core.withLock { core in
            guard core.connection === connection else { return }
            handle(.packet, &core)
        }
    }

    func epoch(
        _ info: StreamInfo,
        _ reason: EpochReason,
        on connection: LiveConnection
    ) -> HandOff<VideoEvent>.Delivery {
        core.withLock { core in
            guard core.connection === connection else { return .closed }
            return send(.epoch(info, reason), &core)
        }
    }

    func frame(
        _ frame: VideoFrame,
        isUnchanged: Bool,
        on connection: LiveConnection
    ) -> HandOff<VideoEvent>.Delivery {
        core.withLock { core in
            guard core.connection === connection else { return .closed }
            let now = Self.now
            let actions = core.machine.event(.frame(isUnchanged: isUnchanged), at: now)
            if actions.isEmpty { return .closed }
            let isBreak = core.story.isBreak(beforeFrameOf: connection.number)
            let placed = core.story.place(frame, of: connection.number, at: now)
            var delivery = HandOff<VideoEvent>.Delivery.closed
            var isEpochDue = isBreak
            for action in actions {
                if case .gap(let reason, let seconds) = action {
                    gap(reason, seconds, to: LiveMoment(placed), &core)
                    continue
                }
                if isEpochDue, let info = connection.info { _ = send(.epoch(info, .reconnected), &core) }
                isEpochDue = false
                switch action {
                case .deliver: delivery = send(.frame(placed), &core)
                case .withhold: core.statistics.framesWithheld += 1
                default: _ = perform(action, &core)
                }
            }
            core.lastMoment = LiveMoment(placed)
            setAlarm(&core)
            return delivery
        }
    }

    private func returned(_ connection: LiveConnection, _ result: Result<Bool, VideoError>) {
        core.withLock { core in
            core.statistics.readersRunning -= 1
            core.statistics.video.add(connection.statistics)
            guard core.connection === connection else {
                core.statistics.readersStuck -= 1
                return handle(.abandonedReturned, &core)
            }
            let outcome: LiveMachine.Return
            var failure: VideoError?
            switch result {
            case .success(let isFinal): outcome = .ended(isFinal: isFinal)
            case .failure(let error):
                failure = error
                outcome = .failed(LiveReason(error), isFinal: error.isHopeless)
            }
            handle(.returned(outcome), failure: failure, &core)
            // Unless it was replaced already.
            if core.connection === connection { core.connection = nil }
        }
    }

    // MARK: - Decisions

    private func handle(_ event: LiveMachine.Event, failure: VideoError? = nil, _ core: inout Core) {
        var events = [event]
        while let event = events.popLast() {
            for action in core.machine.event(event, at: Self.now) {
                if let next = perform(action, failure: failure, &core) { events.append(next) }
            }
        }
        setAlarm(&core)
    }

    /// - Returns: what came of it at once.
    private func perform(
        _ action: LiveMachine.Action,
        failure: VideoError? = nil,
        _ core: inout Core
    ) -> LiveMachine.Event? {
        switch action {
        case .connect: return connect(&core)
        case .interrupt: core.connection?.interrupt.cancel()
        case .abandon:
            core.connection = nil
            core.statistics.readersAbandoned += 1
            core.statistics.readersStuck += 1
        case .publish(let state, let reason, let attempt): publish(state, reason, attempt, failure, &core)
        case .finish: events.finish()
        case .gap, .deliver, .withhold: break
        }
        return nil
    }

    private func connect(_ core: inout Core) -> LiveMachine.Event? {
        core.statistics.connections += 1
        let connection = LiveConnection(
            number: core.statistics.connections,
            isPaced: !options.input.isLive,
            session: self
        )
        core.connection = connection
        let isStarted = NamedThread.start("live-reader") { [options, reader] in
            let result = FFmpegLog.withLines(of: connection.log) {
                Result { () throws(VideoError) in
                    try reader.read(options, interrupt: connection.interrupt, into: connection)
                }
            }
            self.returned(connection, result)
        }
        guard isStarted else {
            core.connection = nil
            return .returned(.failed(.outOfResources, isFinal: false))
        }
        core.statistics.readersRunning += 1
        return nil
    }

    // MARK: - Publishing

    private func publish(
        _ state: LiveState,
        _ reason: LiveReason,
        _ attempt: Int,
        _ failure: VideoError?,
        _ core: inout Core
    ) {
        var status = LiveStatus(state: state, reason: reason, attempt: attempt)
        switch state {
        case .online: status.info = core.connection?.info
        case .stalled:
            core.statistics.stalls += 1
            status.info = core.connection?.info
        case .frozen:
            core.statistics.freezes += 1
            status.info = core.connection?.info
        case .reconnecting, .failed:
            core.statistics.failures += 1
            status.detail = failure?.description
            status.log = core.connection?.log.lines(since: 0) ?? []
        case .connecting, .paused, .ended: break
        }
        _ = send(.status(status), &core)
    }

    private func gap(_ reason: LiveReason, _ seconds: Double, to moment: LiveMoment, _ core: inout Core) {
        guard let from = core.lastMoment else { return }
        core.statistics.gaps += 1
        core.statistics.lostSeconds += seconds
        _ = send(.gap(LiveGap(reason: reason, from: from, to: moment, lostSeconds: seconds)), &core)
    }

    private func send(_ event: LiveEvent, _ core: inout Core) -> HandOff<VideoEvent>.Delivery {
        switch events.send(event) {
        case .delivered: return .delivered
        case .closed: return .closed
        case .dropped(.frame(let frame)): return .dropped(.frame(frame))
        case .dropped:
            core.statistics.eventsDropped += 1
            return .delivered
        }
    }

    // MARK: - Time

    private func setAlarm(_ core: inout Core) {
        // An alarm that rings too early is harmless, and each packet would set a later one.
        guard let deadline = core.machine.deadline else { return }
        let now = Self.now
        if let alarm = core.alarm, alarm <= deadline, alarm > now { return }
        core.alarm = deadline
        timer.set(after: max(0, deadline - now))
    }

    private static var now: Double { WallClock.Reading.now.monotonic }
}

/// An alarm clock on a queue of Dispatch; rings once for each time it is set.
private final class LiveTimer: @unchecked Sendable {
    // Unchecked: a source of Dispatch may be used from any thread.
    private let source = DispatchSource.makeTimerSource(queue: .global())

    /// Once, before anything else.
    func onAlarm(_ action: @escaping @Sendable () -> Void) {
        source.schedule(deadline: .distantFuture)
        source.setEventHandler(handler: DispatchWorkItem(block: action))
        source.activate()
    }

    func set(after seconds: Double) {
        source.schedule(deadline: .now() + .milliseconds(Int(min(seconds, 1e6) * 1000) + 1))
    }

    deinit { source.cancel() }
}
