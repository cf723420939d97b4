import Analysis
import Console
import Events
import Foundation
import Logging
import Synchronization

/// How far a run is: a line that is rewritten on a terminal, a log line every ten seconds elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var lastShown: ContinuousClock.Instant?
        var isOnScreen = false
    }

    private let isShown: Bool
    private let isTerminal: Bool
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    init(isShown: Bool, isTerminal: Bool) {
        self.isShown = isShown
        self.isTerminal = isTerminal
    }

    func show(_ progress: RunProgress, logger: Logger) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        let isDue = state.withLock { state in
            guard now - (state.lastShown ?? (isTerminal ? start - pause : start)) >= pause else { return false }
            state.lastShown = now
            state.isOnScreen = isTerminal
            return true
        }
        guard isDue else { return }
        let text = Self.words(progress, elapsed: now - start)
        if isTerminal {
            StandardError.write("\r\(text)\u{1B}[K")
        } else {
            logger.info("\(text)")
        }
    }

    /// Takes the line off the screen, before something else is written there.
    func clear() {
        let wasOnScreen = state.withLock { state in
            defer { state.isOnScreen = false }
            return state.isOnScreen
        }
        if wasOnScreen { StandardError.write("\r\u{1B}[K") }
    }

    static func words(_ progress: RunProgress, elapsed: Duration) -> String {
        let seconds = seconds(elapsed)
        let speed = seconds > 0 ? progress.mediaTime / seconds : 0
        var parts = progress.activity.map { [$0] } ?? []
        if let duration = progress.duration, duration > 0 {
            parts.append(String(format: "%3.0f %%", min(100, 100 * progress.mediaTime / duration)))
        }
        parts.append(clock(progress.mediaTime))
        parts.append(String(format: "%.1f× realtime", speed))
        parts.append("\(count(progress.faces, "face")), \(count(progress.tracks, "track"))")
        if let duration = progress.duration, speed > 0 {
            parts.append("ETA \(clock(max(0, duration - progress.mediaTime) / speed))")
        }
        return parts.joined(separator: " · ")
    }

    static func summary(of outcome: RunOutcome) -> String {
        let ledger = outcome.ledger
        return "looked at \(count(ledger.framesSampled, "frame")), saw \(count(ledger.facesObserved, "face")) in "
            + count(ledger.tracksStarted, "track")
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    private static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "–" }
        let whole = Int(seconds.rounded())
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
