internal import Glibc

/// A place in the week by the clocks of this machine's time zone.
package struct LocalTime: Sendable, Hashable {
    package var day: TimeWindow.Day
    /// Since midnight.
    package var minute: Int

    package init(day: TimeWindow.Day, minute: Int) {
        self.day = day
        self.minute = minute
    }

    package static func now() -> LocalTime {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        // C's week begins on Sunday, ours on Monday.
        let days = TimeWindow.Day.allCases
        let day = days[(Int(parts.tm_wday) + days.count - 1) % days.count]
        return LocalTime(day: day, minute: Int(parts.tm_hour) * 60 + Int(parts.tm_min))
    }
}
