import Foundation
import Service

/// The daemon's answers as people read them.
///
/// It shows what it finds: an older or newer daemon may tell less or more.
enum StatusTable {
    /// The answer to `status`.
    static func status(_ status: JSONValue) -> String {
        var lines: [String] = []
        var head = ["facellmd"]
        if let version = text(status["version"]) { head.append(version) }
        head.append(status["ready"] == .bool(true) ? "ready" : "not ready")
        if let uptime = number(status["uptime_s"]) { head.append("up \(time(uptime))") }
        if let memory = number(status["memory_mb"]) { head.append("\(Int(clamping: memory)) MB") }
        lines.append(head.joined(separator: " · "))
        if let describer = status["describer"] { lines.append(row("describer", words(describer))) }
        if let journal = status["journal"] { lines.append(row("journal", words(journal))) }
        switch status["subscribers"] {
        case .number(let count)?: lines.append(row("subscribers", "\(Int(clamping: count))"))
        case .array(let subscribers)?: lines.append(row("subscribers", "\(subscribers.count)"))
        default: break
        }
        if let ledger = status["ledger"] { lines.append(row("faces", faces(ledger))) }
        return (lines + ["", sources(status)]).joined(separator: "\n")
    }

    /// The field `sources` of an answer, one a line.
    static func sources(_ answer: JSONValue) -> String {
        guard case .array(let sources)? = answer["sources"], !sources.isEmpty else { return "no sources" }
        let head = ["SOURCE", "STATUS", "FPS", "LAG", "FACES", "TRACKS", "QUEUE", "LAST FRAME", "REASON"]
        let rows = sources.map { source in
            [
                text(source["name"]) ?? "–",
                (text(source["status"]) ?? "–") + (number(source["attempt"]).map { " #\(Int(clamping: $0))" } ?? ""),
                number(source["fps"]).map { String(format: "%.1f", $0) } ?? "–",
                number(source["lag_s"]).map { String(format: "%.2f s", $0) } ?? "–",
                count(source["faces"]), count(source["tracks"]), count(source["queue"]),
                text(source["last_frame_at"]) ?? "–",
                text(source["reason"]) ?? "",
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        return ([head] + rows).map { cells in
            let padded = zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            return padded.joined(separator: "  ").trimmingTrailingSpaces
        }.joined(separator: "\n")
    }

    private static func faces(_ ledger: JSONValue) -> String {
        let parts: [(String, String)] = [
            ("faces_observed", "observed"), ("faces_analysed", "described"), ("faces_reused", "reused"),
            ("faces_rejected_quality", "rejected"), ("faces_dropped_overload", "dropped"), ("faces_failed", "failed"),
            ("faces_pending", "pending"),
        ]
        return parts.compactMap { key, word in
            number(ledger[key]).map { "\(Int(clamping: $0)) \(word)" }
        }.joined(separator: ", ")
    }

    /// All fields of an object in a line; `"failure"` and `"reason"` last, for they are long.
    private static func words(_ value: JSONValue) -> String {
        guard case .object(let fields) = value else { return scalar(value) ?? "" }
        let sorted = fields.sorted { (isLong($0.key) ? 1 : 0, $0.key) < (isLong($1.key) ? 1 : 0, $1.key) }
        return sorted.compactMap { key, value in
            guard let words = scalar(value) else { return nil }
            return key == "status" ? words : "\(key.replacingOccurrences(of: "_", with: " ")) \(words)"
        }.joined(separator: ", ")
    }

    private static func isLong(_ key: String) -> Bool { key == "failure" || key == "reason" }

    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): clean(text)
        case .number, .bool: value.description
        case .null, .array, .object: nil
        }
    }

    private static func row(_ name: String, _ words: String) -> String {
        name.padding(toLength: 12, withPad: " ", startingAt: 0) + words
    }

    private static func text(_ value: JSONValue?) -> String? {
        if case .string(let text)? = value { clean(text) } else { nil }
    }

    private static func number(_ value: JSONValue?) -> Double? {
        if case .number(let number)? = value { number } else { nil }
    }

    private static func count(_ value: JSONValue?) -> String {
        number(value).map { "\(Int(clamping: $0))" } ?? "–"
    }

    /// What comes from outside must not move the cursor.
    private static func clean(_ text: String) -> String {
        String(
            text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? " " : $0 }
        )
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(clamping: seconds)
        let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(whole % 60) s" : "\(whole) s"
    }
}

extension Int {
    /// The whole part; the nearest number that there is for what does not fit, 0 for NaN.
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? 0 : Int(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
