internal import Imaging

/// Decides what a live source does next; knows neither threads nor clocks.
///
///     idle ─▶ connecting ─▶ running ─▶ waiting ─▶ connecting …      and from everywhere: paused, ended, failed
///                 └───────────┴─▶ leaving (told to return) ─▶ …
///
/// Whoever owns it tells what happens and when, in seconds on any clock that nobody sets, carries out the actions in
/// their order, and calls with `.tick` at `deadline`.
package struct LiveMachine: Sendable {
    package struct Settings: Sendable, Hashable {
        package var deadlines = IngestDeadlines()
        package var pace = ReconnectPace()
        /// Seconds without a packet.
        package var stallAfter = 5.0
        /// Seconds of the same picture.
        package var frozenAfter = 30.0
        /// Seconds of pictures after which former failures are forgotten.
        package var wellAfter = 60.0
        /// Seconds past its deadline by which a reader must have returned by itself, and then has to be told.
        package var grace = 2.0
        /// Seconds that a reader gets to return after it was told to.
        package var abandonAfter = 10.0
        /// Readers that may be left behind at once; with more, nothing is opened until one returns.
        package var mostAbandoned = 4

        package init() {}
    }

    package enum Event: Sendable {
        case start, pause, resume, stop
        /// Something of the stream came.
        case packet
        /// A sampled picture, and whether it is the same as the last.
        case frame(isUnchanged: Bool)
        /// The current reader is back.
        case returned(Return)
        /// A reader that had been abandoned is back.
        case abandonedReturned
        case tick
    }

    package enum Return: Sendable {
        /// The stream is over, and whether that is final.
        case ended(isFinal: Bool)
        case failed(LiveReason, isFinal: Bool)
    }

    package enum Action: Sendable, Hashable {
        /// Start a reader.
        case connect
        /// Tell the current reader to return.
        case interrupt
        /// Do without the current reader.
        case abandon
        case publish(LiveState, LiveReason, attempt: Int)
        /// The picture at hand is the first after so many seconds without.
        case gap(LiveReason, lostSeconds: Double)
        /// Hand on the picture at hand.
        case deliver
        /// Count the picture at hand, and do not hand it on.
        case withhold
        /// Nothing comes any more.
        case finish
    }

    private enum Mode: Sendable, Hashable {
        case idle, paused, ended, failed
        /// No picture yet.
        case connecting(since: Double)
        case running
        case leaving(until: Double, then: Next)
        case waiting(until: Double)
    }

    private enum Next: Sendable, Hashable {
        case wait(until: Double)
        case pause
        case connect
    }

    private let settings: Settings
    private var random: SplitMix64
    private var mode = Mode.idle

    /// Failures since the source was last well.
    private var failures = 0
    private var abandoned = 0
    private var lastPacket = 0.0
    private var wellSince = 0.0
    private var isStalled = false
    /// Whether `online` was published for the current reader.
    private var isOnline = false
    private var isFrozen = false
    private var unchangedSince: Double?
    /// Of the last picture that came; nil before the first.
    private var lastFrame: Double?
    /// Why no picture has come since; nil while they come.
    private var outage: LiveReason?

    package init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(seed: seed)
    }

    /// When to call with `.tick`, at the latest; nil if nothing is awaited.
    package var deadline: Double? {
        switch mode {
        case .idle, .paused, .ended, .failed: nil
        case .connecting(let since): since + longestConnecting
        case .running: lastPacket + (isStalled ? longestSilence : min(settings.stallAfter, longestSilence))
        case .leaving(let until, _), .waiting(let until): until
        }
    }

    private var longestConnecting: Double {
        let deadlines = settings.deadlines
        return deadlines.connect + deadlines.probe + deadlines.firstFrame + settings.grace
    }

    private var longestSilence: Double { settings.deadlines.read + settings.grace }

    /// What to do about `event`.
    package mutating func event(_ event: Event, at now: Double) -> [Action] {
        switch event {
        case .start: mode == .idle ? connect(at: now, publishing: .started) : []
        case .pause: pause(at: now)
        case .resume: resume(at: now)
        case .stop: stop()
        case .packet: packet(at: now)
        case .frame(let isUnchanged): frame(isUnchanged: isUnchanged, at: now)
        case .returned(let result): returned(result, at: now)
        case .abandonedReturned: abandonedReturned()
        case .tick: tick(at: now)
        }
    }

    // MARK: - Orders

    private mutating func pause(at now: Double) -> [Action] {
        switch mode {
        case .paused, .ended: return []
        case .leaving(_, .pause): return []
        case .connecting, .running:
            mode = .leaving(until: now + settings.abandonAfter, then: .pause)
            outage = .paused
            return [.interrupt, .publish(.paused, .paused, attempt: 0)]
        case .leaving(let until, _): mode = .leaving(until: until, then: .pause)
        case .idle, .failed, .waiting: mode = .paused
        }
        outage = .paused
        return [.publish(.paused, .paused, attempt: 0)]
    }

    private mutating func resume(at now: Double) -> [Action] {
        switch mode {
        case .paused, .failed:
            failures = 0
            return connect(at: now, publishing: .resumed)
        case .leaving(let until, .pause):
            // A camera at its limit of connections takes no second one before the first is closed.
            failures = 0
            mode = .leaving(until: until, then: .connect)
            return [.publish(.connecting, .resumed, attempt: 1)]
        default: return []
        }
    }

    private mutating func stop() -> [Action] {
        let hasReader: Bool
        switch mode {
        case .ended: return []
        case .connecting, .running: hasReader = true
        case .idle, .paused, .failed, .waiting, .leaving: hasReader = false
        }
        mode = .ended
        return (hasReader ? [.interrupt] : []) + [.publish(.ended, .stopped, attempt: 0), .finish]
    }

    // MARK: - Pictures

    private mutating func packet(at now: Double) -> [Action] {
        defer { lastPacket = max(lastPacket, now) }
        // After the whole process stood still, what came meanwhile can be read before the alarm rings.
        guard mode == .running, !isStalled, now >= lastPacket + settings.stallAfter else { return [] }
        return stall()
    }

    private mutating func stall() -> [Action] {
        isStalled = true
        outage = outage ?? .noPictures
        return [.publish(.stalled, .noPictures, attempt: failures + 1)]
    }

    private mutating func frame(isUnchanged: Bool, at now: Double) -> [Action] {
        var actions: [Action] = []
        switch mode {
        case .connecting:
            mode = .running
            lastPacket = now
            isStalled = false
        case .running: break
        // A reader that was told to return.
        default: return []
        }
        if let outage {
            if let lastFrame { actions.append(.gap(outage, lostSeconds: max(0, now - lastFrame))) }
            self.outage = nil
        }
        let isBack = isStalled || !isOnline
        if isBack {
            isStalled = false
            isOnline = true
            wellSince = now
            isFrozen = false
            unchangedSince = nil
            actions.append(.publish(.online, .picturesCame, attempt: failures + 1))
        } else if now - wellSince >= settings.wellAfter {
            failures = 0
        }
        lastFrame = now
        return actions + freeze(isUnchanged: isUnchanged, at: now)
    }

    private mutating func freeze(isUnchanged: Bool, at now: Double) -> [Action] {
        guard isUnchanged else {
            unchangedSince = now
            guard isFrozen else { return [.deliver] }
            isFrozen = false
            return [.publish(.online, .pictureChanged, attempt: failures + 1), .deliver]
        }
        let since = unchangedSince ?? now
        unchangedSince = since
        if isFrozen { return [.withhold] }
        guard now - since >= settings.frozenAfter else { return [.deliver] }
        isFrozen = true
        return [.publish(.frozen, .pictureUnchanged, attempt: failures + 1), .withhold]
    }

    // MARK: - Readers

    /// - Parameter reason: nil where an attempt after a failure was announced with that failure.
    private mutating func connect(at now: Double, publishing reason: LiveReason?) -> [Action] {
        let announcement: [Action] = reason.map { [.publish(.connecting, $0, attempt: failures + 1)] } ?? []
        guard !isOutOfReaders else {
            mode = .waiting(until: now + settings.pace.longest)
            return announcement + [.publish(.reconnecting, .readerStuck, attempt: failures + 1)]
        }
        mode = .connecting(since: now)
        isStalled = false
        isOnline = false
        return announcement + [.connect]
    }

    private mutating func returned(_ result: Return, at now: Double) -> [Action] {
        switch mode {
        case .connecting, .running: break
        case .leaving(_, let next): return goOn(to: next, at: now)
        default: return []
        }
        switch result {
        case .ended(isFinal: true):
            mode = .ended
            return [.publish(.ended, .endOfStream, attempt: 0), .finish]
        case .failed(let reason, isFinal: true):
            mode = .failed
            outage = outage ?? reason
            return [.publish(.failed, reason, attempt: failures + 1)]
        case .ended: return lose(.endOfStream, at: now).actions
        case .failed(let reason, _): return lose(reason, at: now).actions
        }
    }

    /// The connection is no more, or must be no more.
    private mutating func lose(_ reason: LiveReason, at now: Double) -> (actions: [Action], next: Double) {
        var actions: [Action] = []
        if reason.isSilence, !isStalled { actions.append(.publish(.stalled, reason, attempt: failures + 1)) }
        failures += 1
        outage = outage ?? reason
        isOnline = false
        isStalled = false
        let delay = settings.pace.delay(afterFailures: failures, isSlow: reason.isSlow, using: &random)
        mode = .waiting(until: now + delay)
        actions.append(.publish(.reconnecting, reason, attempt: failures + 1))
        return (actions, now + delay)
    }

    private mutating func goOn(to next: Next, at now: Double) -> [Action] {
        switch next {
        case .wait(let until) where until > now:
            mode = .waiting(until: until)
            return []
        case .wait, .connect: return connect(at: now, publishing: nil)
        case .pause:
            mode = .paused
            return []
        }
    }

    /// Whether so many readers were left behind that no further one is started.
    var isOutOfReaders: Bool { abandoned >= settings.mostAbandoned }

    private mutating func abandonedReturned() -> [Action] {
        abandoned = max(0, abandoned - 1)
        return []
    }

    // MARK: - Time

    private mutating func tick(at now: Double) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch mode {
        case .idle, .paused, .ended, .failed: return []
        case .waiting: return connect(at: now, publishing: nil)
        case .connecting: return leave(.readerStuck, at: now)
        case .running:
            if now >= lastPacket + longestSilence { return leave(.readTimeout, at: now) }
            return stall()
        case .leaving(_, let next):
            abandoned += 1
            return [.abandon] + goOn(to: next, at: now)
        }
    }

    /// Its own deadlines should have ended the reader by now.
    private mutating func leave(_ reason: LiveReason, at now: Double) -> [Action] {
        let (actions, next) = lose(reason, at: now)
        mode = .leaving(until: now + settings.abandonAfter, then: .wait(until: next))
        return [.interrupt] + actions
    }
}
