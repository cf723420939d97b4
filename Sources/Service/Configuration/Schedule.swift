/// A stretch of the week, in local time.
package struct TimeWindow: Sendable, Hashable {
    package enum Day: String, Sendable, Hashable, CaseIterable { case mon, tue, wed, thu, fri, sat, sun }

    /// On which it begins.
    package let days: Set<Day>
    /// Minutes since midnight, 0–1439.
    package let begin: Int
    /// Minutes since midnight, 1–1440; before `begin`, it is of the next day.
    package let end: Int

    package init(days: Set<Day>, begin: Int, end: Int) {
        self.days = days
        self.begin = begin
        self.end = end
    }

    /// - Parameters:
    ///   - minute: since midnight.
    package func contains(_ day: Day, minute: Int) -> Bool {
        if begin < end { return days.contains(day) && (begin..<end).contains(minute) }
        return minute >= begin && days.contains(day) || minute < end && days.contains(day.before)
    }
}

extension TimeWindow.Day {
    fileprivate var before: Self {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + all.count - 1) % all.count]
    }
}

extension [TimeWindow] {
    /// Whether a source with this schedule is watched at that time; without windows it always is.
    package func isOpen(_ day: TimeWindow.Day, minute: Int) -> Bool {
        isEmpty || contains { $0.contains(day, minute: minute) }
    }
}

/// Written like `mon-fri 08:00-18:00`.
struct TimeWindowFormat: ValueFormat {
    var kind: String { "days and hours: `mon-fri 08:00-18:00`, `sat,sun 22:00-02:00`, `daily 00:00-24:00`" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> TimeWindow? {
        if case .scalar(let text, _) = node.content, let window = Self.parse(text) { return window }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: TimeWindow) -> String {
        let days = TimeWindow.Day.allCases.filter(value.days.contains).map(\.rawValue)
        let names = days.count == 7 ? "daily" : days.joined(separator: ",")
        return "\"\(names) \(Self.clock(value.begin))-\(Self.clock(value.end))\""
    }

    private static func parse(_ text: String) -> TimeWindow? {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let days = days(parts[0]) else { return nil }
        let times = parts[1].split(separator: "-", omittingEmptySubsequences: false).map(minute)
        guard times.count == 2, let begin = times[0], let end = times[1], begin < 1440, end > 0, begin != end else {
            return nil
        }
        return TimeWindow(days: days, begin: begin, end: end)
    }

    private static func days(_ text: Substring) -> Set<TimeWindow.Day>? {
        let all = TimeWindow.Day.allCases
        if text == "daily" { return Set(all) }
        var days: Set<TimeWindow.Day> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { word in
                all.firstIndex { $0.rawValue == word }
            }
            guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2 else {
                return nil
            }
            // `sat-mon` goes over the end of the week.
            let length = (last - first + all.count) % all.count
            for step in 0...length { days.insert(all[(first + step) % all.count]) }
        }
        return days
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(\.isDigit) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour < 24 || hour == 24 && minute == 0
        else { return nil }
        return hour * 60 + minute
    }

    private static func clock(_ minute: Int) -> String {
        let pad = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(pad(minute / 60)):\(pad(minute % 60))"
    }
}
