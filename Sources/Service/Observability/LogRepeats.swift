/// Collapses messages that a source says again and again.
///
/// The first is written at once, the same again is counted, and the count is told before the next other message of
/// that source, or after `interval`, whichever comes first. Messages of other sources in between do not matter.
struct LogRepeats {
    private struct Last {
        var line: LogLine
        /// When it, or its last count, was written.
        var writtenAt: Duration
        var repeats = 0
    }

    /// How long a count may be held back.
    let interval: Duration
    /// Sources that are remembered; with more of them lines are written that could have been collapsed.
    private static let mostSources = 1024
    private var lastBySource: [String: Last] = [:]
    /// When the first of the counts must be told; nil when nothing is counted.
    private var due: Duration?

    init(interval: Duration = .seconds(30)) { self.interval = interval }

    /// What to write now that `line` was said.
    ///
    /// - Parameter now: of a clock that never goes back.
    mutating func lines(for line: LogLine, now: Duration) -> [LogLine] {
        let source = line.fields["source"] ?? ""
        if let last = lastBySource[source], last.line == line, now - last.writtenAt < interval {
            lastBySource[source]?.repeats += 1
            due = min(due ?? last.writtenAt + interval, last.writtenAt + interval)
            return overdue(now: now)
        }
        var lines = overdue(now: now)
        if let last = lastBySource[source], last.repeats > 0 { lines.append(Self.count(last)) }
        if lastBySource.count >= Self.mostSources, lastBySource[source] == nil {
            lines += flush()
        }
        lastBySource[source] = Last(line: line, writtenAt: now)
        return lines + [line]
    }

    /// The counts that were not told yet; everything is forgotten.
    mutating func flush() -> [LogLine] {
        let lines = lastBySource.sorted { $0.key < $1.key }.map(\.value).filter { $0.repeats > 0 }.map(Self.count)
        lastBySource = [:]
        due = nil
        return lines
    }

    /// The counts of those sources that have been held back for too long.
    private mutating func overdue(now: Duration) -> [LogLine] {
        guard let due, now >= due else { return [] }
        var lines: [LogLine] = []
        var next: Duration?
        for (source, last) in lastBySource.sorted(by: { $0.key < $1.key }) where last.repeats > 0 {
            let end = last.writtenAt + interval
            if now < end {
                next = min(next ?? end, end)
            } else {
                lines.append(Self.count(last))
                lastBySource[source]?.repeats = 0
                lastBySource[source]?.writtenAt = now
            }
        }
        self.due = next
        return lines
    }

    private static func count(_ last: Last) -> LogLine {
        let times = last.repeats == 1 ? "once more" : "\(last.repeats) times more"
        return LogLine(last.line, message: "\(last.line.message) (\(times))")
    }
}
