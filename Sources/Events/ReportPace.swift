/// Lets one report through per interval, so that a lasting fault does not fill the log.
package struct ReportPace: Sendable {
    /// The least time between two reports.
    package let interval: Duration
    private var last: ContinuousClock.Instant?

    package init(interval: Duration) {
        self.interval = interval
    }

    /// Whether a report may go out now; if so, the interval begins anew.
    package mutating func allows(at now: ContinuousClock.Instant) -> Bool {
        if let last, now < last + interval { return false }
        last = now
        return true
    }
}
