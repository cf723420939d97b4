import Console
import Events
import Foundation

/// An event in a line for people.
enum EventWords {
    /// Time, source and what happened; nil for what people need not see.
    static func line(_ event: Event) -> String? {
        guard let words = words(event.payload) else { return nil }
        let envelope = event.envelope
        let moment = (envelope.time ?? envelope.publishedAt).map { clock($0) } ?? "            "
        let name = envelope.source ?? "–"
        let padding = String(repeating: " ", count: max(0, 12 - name.count))
        return "\(moment)  \(TerminalText.plain(name))\(padding)  \(TerminalText.plain(words))"
    }

    private static func words(_ payload: Event.Payload) -> String? {
        switch payload {
        case .sourceStatus(let status): source(status)
        case .trackStarted(let change): "\(change.trackID) appeared" + looks(change)
        case .trackUpdated(let change): "\(change.trackID) changed" + looks(change)
        case .faceAnalysis(let analysis): described(analysis)
        case .faceObservation(let observation):
            "\(observation.trackID ?? "a face") seen" + (pose(observation.face.pose).map { ", \($0)" } ?? "")
        case .trackEnded(let end):
            "\(end.trackID) left after \(seconds(end.lastMediaTimeSeconds - end.firstMediaTimeSeconds))"
                + (end.reason == .left ? "" : " (\(end.reason.rawValue))")
        case .gap(let gap): lost(gap)
        case .runSummary(let summary):
            "the run ended: \(summary.ledger.tracksStarted) tracks, \(summary.ledger.facesObserved) faces"
        case .error(let error): "error \(error.code): \(error.message)"
        case .unknown: nil
        }
    }

    private static func source(_ status: SourceStatus) -> String {
        var words = "source \(status.status.rawValue)"
        if let video = status.video { words += ", \(video.codec) \(video.width)×\(video.height)" }
        if let attempt = status.attempt, attempt > 1 { words += ", attempt \(attempt)" }
        if let reason = status.reason { words += ": \(reason)" }
        return words
    }

    private static func looks(_ change: TrackChange) -> String {
        if let description = change.description { return ": \(description.text)" }
        let parts = [change.expression?.label.rawValue, pose(change.face.pose)].compactMap(\.self)
        return parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
    }

    private static func described(_ analysis: FaceAnalysis) -> String {
        if let text = analysis.description?.text { return "\(analysis.trackID): \(text)" }
        let label = analysis.expression.map { " \($0.label.rawValue)" } ?? ""
        return "\(analysis.trackID) analysis \(analysis.analysis.status.rawValue)\(label)"
    }

    private static func pose(_ pose: PoseRecord?) -> String? {
        guard let pose else { return nil }
        let yaw = Int(exactly: pose.yawDegrees.rounded()) ?? 0
        return abs(yaw) < 10
            ? "facing the camera" : "turned \(abs(yaw))° to the \(yaw > 0 ? "right" : "left") of the picture"
    }

    private static func lost(_ gap: Gap) -> String {
        let count = gap.lost.map { "\($0) " } ?? ""
        return "gap: \(count)\(gap.scope == .media ? "frames" : "events") lost (\(gap.reason))"
    }

    private static func seconds(_ time: Double) -> String { String(format: "%.1f s", max(0, time)) }

    /// Local time of day.
    private static func clock(_ timestamp: Timestamp) -> String {
        var seconds = time_t(timestamp.millisecondsSince1970 / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let milliseconds = Int(timestamp.millisecondsSince1970 % 1000)
        return String(format: "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds)
    }
}
