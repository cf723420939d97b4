import Glibc

/// A moment in UTC with the precision that events carry: milliseconds.
///
/// In JSON a string in RFC 3339 with exactly three decimals and `Z`, as `"2026-03-01T09:30:00.250Z"`.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    package let millisecondsSince1970: Int64

    /// The years that RFC 3339 can write, 0000…9999.
    private static let representable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// Makes a moment; one outside the years 0000…9999 becomes the nearest that can be written.
    package init(millisecondsSince1970: Int64) {
        let range = Self.representable
        self.millisecondsSince1970 = min(max(millisecondsSince1970, range.lowerBound), range.upperBound)
    }

    /// Makes a moment from seconds, rounded to the millisecond; `nil` for NaN, infinity and years beyond 9999.
    package init?(secondsSince1970 seconds: Double) {
        let milliseconds = (seconds * 1000).rounded()
        guard milliseconds.magnitude < 0x1p53 else { return nil }
        let whole = Int64(milliseconds)
        guard Self.representable.contains(whole) else { return nil }
        millisecondsSince1970 = whole
    }

    /// The system's wall clock.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(millisecondsSince1970: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }
}

// MARK: - RFC 3339

extension Timestamp: CustomStringConvertible {
    private static let millisecondsPerDay: Int64 = 86_400_000

    package var description: String {
        var day = millisecondsSince1970 / Self.millisecondsPerDay
        var rest = millisecondsSince1970 % Self.millisecondsPerDay
        if rest < 0 {
            day -= 1
            rest += Self.millisecondsPerDay
        }
        let date = Self.civilDate(daysSince1970: day)
        let (seconds, milliseconds) = (rest / 1000, rest % 1000)
        return Self.padded(date.year, 4) + "-" + Self.padded(date.month, 2) + "-" + Self.padded(date.day, 2)
            + "T" + Self.padded(seconds / 3600, 2) + ":" + Self.padded(seconds / 60 % 60, 2)
            + ":" + Self.padded(seconds % 60, 2) + "." + Self.padded(milliseconds, 3) + "Z"
    }

    /// Reads what `description` writes and nothing else; `nil` for any other form or a date that does not exist.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let separators: [(Int, Character)] = [
            (4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (23, "Z"),
        ]
        guard bytes.count == 24, separators.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }) else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let millisecond = number(20..<23),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Self.daysSince1970(year: year, month: month, day: day)
        guard Self.civilDate(daysSince1970: days) == (year, month, day) else { return nil }
        self.init(
            millisecondsSince1970: days * Self.millisecondsPerDay
                + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
        )
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Proleptic Gregorian date of a day; eras of 400 years that begin on 1 March, so leap days come last.
    private static func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// Inverse of `civilDate(daysSince1970:)` for dates that exist.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected a time as 2026-03-01T09:30:00.250Z"
            )
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
