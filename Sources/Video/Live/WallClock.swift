internal import Glibc

/// When a live picture was taken.
package struct WallTime: Sendable, Hashable {
    package enum Source: String, Sendable, Hashable {
        /// The camera's clock, by its RTCP sender reports.
        case senderReport = "rtcp_sr"
        /// This machine's clock when it arrived, cleared of jitter.
        case arrival
        /// As `arrival`: the camera tells a time as well, but one that cannot be right.
        case offset
    }

    /// Since 1970, UTC.
    package var seconds: Double
    package var source: Source
    /// Seconds by which it may be wrong.
    package var uncertainty: Double

    package init(seconds: Double, source: Source, uncertainty: Double) {
        self.seconds = seconds
        self.source = source
        self.uncertainty = uncertainty
    }
}

/// Tells the wall-clock time of each moment of a live source's timeline.
///
/// Arrival is reckoned on the monotonic clock and turned into wall-clock time at the end, so a step of the host's clock
/// is followed at once and disturbs nothing. Of all packets of the last minute the least delayed one counts: networks
/// only ever delay.
package struct WallClock: Sendable {
    /// Both clocks at one moment, seconds.
    package struct Reading: Sendable, Hashable {
        package var monotonic: Double
        /// Since 1970, UTC.
        package var realtime: Double

        package init(monotonic: Double, realtime: Double) {
            self.monotonic = monotonic
            self.realtime = realtime
        }

        package static var now: Reading {
            Reading(monotonic: seconds(CLOCK_MONOTONIC), realtime: seconds(CLOCK_REALTIME))
        }

        private static func seconds(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
    }

    /// The least and the largest of a stretch of time.
    private struct Extremes: Sendable {
        var least = Double.infinity
        var largest = -Double.infinity

        mutating func add(_ value: Double) {
            least = min(least, value)
            largest = max(largest, value)
        }

        func joined(with other: Extremes) -> Extremes {
            Extremes(least: min(least, other.least), largest: max(largest, other.largest))
        }
    }

    /// Seconds; the delay counts that was least in one or two of them.
    private static let period = 30.0
    /// Seconds; when every packet of so long is late, that is no jitter: the source was held up, and stays so.
    private static let shortPeriod = 2.0
    private static let lateness = 1.0
    /// Seconds that a camera takes to expose, encode and send a picture, which nobody can see from here.
    private static let usualDelay = 0.3
    /// Seconds between a camera's clock and ours beyond which the camera's is not believed.
    package static let plausibleDifference = 10.0
    /// FFmpeg reckons with RTP's 32-bit ticks at 90 kHz, and is so much off around their end.
    private static let wrap = 4_294_967_296.0 / 90_000

    private let opened: Reading
    private var firstArrival: Double?
    private var firstMediaTime = 0.0
    /// Monotonic arrival minus media time.
    private var recent = Extremes()
    private var former = Extremes()
    private var periodEnd = 0.0
    private var short = Extremes()
    private var shortEnd = 0.0
    /// Sender's time minus media time.
    private var senderOffset: Double?

    /// - Parameter opened: when the source had answered; no picture was sent before.
    package init(opened: Reading) { self.opened = opened }

    /// A packet came.
    ///
    /// - Parameter sent: the sender's own time of it, if it tells.
    package mutating func packetArrived(mediaTime: Double, sent: Double?, at now: Reading) {
        let delay = now.monotonic - mediaTime
        if firstArrival == nil {
            (firstArrival, firstMediaTime) = (now.monotonic, mediaTime)
            (periodEnd, shortEnd) = (now.monotonic + Self.period, now.monotonic + Self.shortPeriod)
        }
        if now.monotonic >= shortEnd {
            let offset = recent.joined(with: former).least
            if short.least.isFinite, short.least - offset > Self.lateness { (recent, former) = (short, Extremes()) }
            short = Extremes()
            shortEnd = now.monotonic + Self.shortPeriod
        }
        if now.monotonic >= periodEnd {
            (former, recent) = (recent, Extremes())
            periodEnd = now.monotonic + Self.period
        }
        short.add(delay)
        recent.add(delay)
        if let sent { setSender(sent - mediaTime) }
    }

    private mutating func setSender(_ offset: Double) {
        guard offset.isFinite else { return }
        guard let old = senderOffset else {
            senderOffset = offset
            return
        }
        let turns = ((offset - old) / Self.wrap).rounded()
        let folded = offset - turns * Self.wrap
        senderOffset = abs(folded - old) < 1 ? folded : offset
    }

    /// The wall-clock time of `mediaTime`; of a picture without a time, or before any packet had one, that of `now`.
    package func time(of mediaTime: Double?, at now: Reading) -> WallTime {
        guard let firstArrival, let mediaTime else {
            let uncertainty = Self.usualDelay + max(0, now.monotonic - (firstArrival ?? opened.monotonic))
            return WallTime(seconds: now.realtime, source: .arrival, uncertainty: uncertainty)
        }
        let delay = recent.joined(with: former)
        let arrival = mediaTime + delay.least + now.realtime - now.monotonic
        if let senderOffset {
            let sent = mediaTime + senderOffset
            let difference = abs(sent - arrival)
            if difference <= Self.plausibleDifference {
                return WallTime(seconds: sent, source: .senderReport, uncertainty: max(0.001, difference))
            }
        }
        var uncertainty = Self.usualDelay + delay.largest - delay.least
        if now.monotonic - firstArrival < Self.shortPeriod {
            // What came while the stream was probed waited, at most since the source had answered.
            uncertainty += max(0, delay.least - (opened.monotonic - firstMediaTime))
        }
        return WallTime(
            seconds: arrival,
            source: senderOffset == nil ? .arrival : .offset,
            uncertainty: uncertainty
        )
    }
}
