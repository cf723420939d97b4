import Console
import Events
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
        if let describer = status["describer"] { lines.append(row("describer", self.describer(describer))) }
        if let journal = status["journal"] { lines.append(row("journal", self.journal(journal))) }
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
        let head = ["SOURCE", "STATUS", "FPS", "LAG", "FACES", "TRACKS", "QUEUE", "DROPPED", "LAST FRAME", "REASON"]
        let rows = sources.map { source in
            let status = text(source["status"]) ?? "–"
            let attempt = number(source["attempt"]).map { Int(clamping: $0) } ?? 1
            return [
                (text(source["name"]) ?? "–") + (source["origin"] == .string("command") ? " (added)" : ""),
                status + (attempt > 1 ? " #\(attempt)" : ""),
                number(source["fps"]).map { String(format: "%.1f", $0) } ?? "–",
                number(source["lag_s"]).map { String(format: "%.2f s", $0) } ?? "–",
                count(source["faces"]), count(source["tracks"]), count(source["queue"]),
                count(source["frames_dropped"]),
                text(source["last_frame_at"]).flatMap(age) ?? "–",
                // Of a source that is well nobody asks why.
                status == "online" ? "" : (text(source["reason"]) ?? "").replacingOccurrences(of: "_", with: " "),
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
            ("faces_observed", "observed"), ("faces_analysed", "analysed"), ("faces_reused", "reused"),
            ("faces_rejected_quality", "rejected"), ("faces_dropped_overload", "dropped"), ("faces_failed", "failed"),
            ("faces_pending", "pending"),
        ]
        return parts.compactMap { key, word in
            number(ledger[key]).map { "\(Int(clamping: $0)) \(word)" }
        }.joined(separator: ", ")
    }

    /// `ready, FaceLLM-1B, int8, 2 sources wait for it`; a failure with its reason.
    private static func describer(_ value: JSONValue) -> String {
        var parts = [text(value["status"]), text(value["model"]), text(value["precision"])].compactMap(\.self)
        if let waiting = number(value["waiting_sources"]), waiting > 0 {
            parts.append("\(Int(clamping: waiting)) sources wait for it")
        }
        return parts.joined(separator: ", ") + (text(value["reason"]).map { ": \($0)" } ?? "")
    }

    /// `1.2 MB back to 2026-03-01 09:30:00Z, 0 lines waiting, 0 lost`; a failure with its reason.
    private static func journal(_ value: JSONValue) -> String {
        var parts: [String] = []
        if let bytes = number(value["file_bytes"]) {
            let since = text(value["oldest"]).map { " back to \($0.prefix(10)) \($0.dropFirst(11).prefix(8))Z" } ?? ""
            parts.append(String(format: bytes < 1e6 ? "%.0f kB" : "%.1f MB", bytes / (bytes < 1e6 ? 1e3 : 1e6)) + since)
        }
        parts.append("\(count(value["pending_lines"])) lines waiting")
        parts.append("\(count(value["lost_lines"])) lost")
        return parts.joined(separator: ", ") + (text(value["failure"]).map { "; \($0)" } ?? "")
    }

    /// How long ago a moment was.
    private static func age(_ time: String) -> String? {
        guard let moment = Timestamp(time) else { return nil }
        let seconds = Double(Timestamp.now().millisecondsSince1970 - moment.millisecondsSince1970) / 1000
        return seconds < 10 ? String(format: "%.1f s ago", max(0, seconds)) : "\(self.time(seconds)) ago"
    }

    private static func row(_ name: String, _ words: String) -> String {
        name.padding(toLength: 12, withPad: " ", startingAt: 0) + words
    }

    private static func text(_ value: JSONValue?) -> String? {
        if case .string(let text)? = value { TerminalText.plain(text) } else { nil }
    }

    private static func number(_ value: JSONValue?) -> Double? {
        if case .number(let number)? = value { number } else { nil }
    }

    private static func count(_ value: JSONValue?) -> String {
        number(value).map { "\(Int(clamping: $0))" } ?? "–"
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
