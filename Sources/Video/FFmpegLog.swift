internal import CFFmpeg
internal import Synchronization

/// The last warnings and errors that FFmpeg logged in this process; FFmpeg itself prints nothing once `capture` ran.
package enum FFmpegLog {
    private static let capacity = 200
    private static let longestLine = 300

    private struct Ring: Sendable {
        var lines: [String] = []
        /// Lines ever taken; the last of `lines` has this number.
        var count = 0
        /// How often the last line came again.
        var repeats = 0
    }

    private static let ring = Mutex(Ring())
    private static let installation: Void = cff_capture_log { _, line in
        if let line { FFmpegLog.append(String(cString: line)) }
    }

    /// Starts to take FFmpeg's log; done once however often it is called.
    package static func capture() { installation }

    /// A place in the log to ask for `lines(since:)` later.
    package static func mark() -> Int { ring.withLock { $0.count } }

    /// What came since `mark`, oldest first, as far as it is still there.
    ///
    /// The log is one for the process, so readers that work at the same time see each other's lines.
    package static func lines(since mark: Int) -> [String] {
        ring.withLock { ring in
            var lines = Array(ring.lines.suffix(max(0, ring.count - mark)))
            if ring.repeats > 0, let last = lines.popLast() { lines.append("\(last) (\(ring.repeats + 1) times)") }
            return lines
        }
    }

    static func append(_ text: String) {
        let trimmed = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard !trimmed.isEmpty else { return }
        let line = Redaction.redact(String(withoutAddresses(trimmed).prefix(longestLine)))
        ring.withLock { ring in
            if ring.lines.last == line {
                ring.repeats += 1
                return
            }
            if ring.repeats > 0, let last = ring.lines.popLast() {
                ring.lines.append("\(last) (\(ring.repeats + 1) times)")
            }
            ring.repeats = 0
            ring.count += 1
            ring.lines.append(line)
            if ring.lines.count > capacity { ring.lines.removeFirst(ring.lines.count - capacity) }
        }
    }

    /// `[h264 @ 0x55d0…] text` → `h264: text`: addresses differ from run to run and help nobody.
    private static func withoutAddresses(_ line: String) -> String {
        guard line.hasPrefix("["), let close = line.firstRange(of: "] "),
            let at = line[..<close.lowerBound].firstRange(of: " @ ")
        else { return line }
        return line[line.index(after: line.startIndex)..<at.lowerBound] + ": " + line[close.upperBound...]
    }

    /// FFmpeg's words for an AVERROR value.
    package static func describe(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard av_strerror(code, &buffer, buffer.count) >= 0 || buffer[0] != 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
