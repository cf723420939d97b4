internal import CFFmpeg
internal import Glibc
internal import Synchronization

/// The last warnings and errors that FFmpeg logged in this process; FFmpeg itself prints nothing once `capture` ran.
///
/// What a thread logs inside `withLines(of:)`, and what the decoders do that it opens there, goes to that source's own
/// lines; all else to those of the process.
package enum FFmpegLog {
    private static let process = FFmpegLogLines()

    private static let installation: Void = cff_capture_log { owner, line in
        guard let line else { return }
        let lines = owner.map { Unmanaged<FFmpegLogLines>.fromOpaque($0).takeUnretainedValue() } ?? FFmpegLog.current
        lines.append(String(cString: line))
    }

    /// Starts to take FFmpeg's log; done once however often it is called.
    package static func capture() { installation }

    /// A place in the current lines to ask for `lines(since:)` later.
    package static func mark() -> Int { current.mark() }

    /// What came since `mark`, oldest first, as far as it is still there.
    ///
    /// Readers outside of `withLines(of:)` that work at the same time see each other's lines.
    package static func lines(since mark: Int) -> [String] { current.lines(since: mark) }

    /// Adds a line of our own to the current ones.
    static func append(_ text: String) { current.append(text) }

    // MARK: - Whose lines

    /// pthread's key of the calling thread's lines; nil if the system has none left.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// The calling thread's own lines, if it has any.
    static var owned: FFmpegLogLines? {
        guard let key, let pointer = pthread_getspecific(key) else { return nil }
        return Unmanaged<FFmpegLogLines>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static var current: FFmpegLogLines { owned ?? process }

    /// Runs `body` with `lines` as the calling thread's own.
    static func withLines<Result, Failure: Error>(
        of lines: FFmpegLogLines,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let key else { return try body() }
        let former = pthread_getspecific(key)
        pthread_setspecific(key, Unmanaged.passUnretained(lines).toOpaque())
        defer {
            pthread_setspecific(key, former)
            // The thread's pointer does not keep them alive.
            withExtendedLifetime(lines) {}
        }
        return try body()
    }

    /// FFmpeg's words for an AVERROR value.
    package static func describe(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard av_strerror(code, &buffer, buffer.count) >= 0 || buffer[0] != 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A bounded number of lines of FFmpeg's log, redacted, repeats collapsed.
final class FFmpegLogLines: Sendable {
    private static let capacity = 200
    private static let longestLine = 300

    private struct Ring: Sendable {
        var lines: [String] = []
        /// Lines ever taken; the last of `lines` has this number.
        var count = 0
        /// How often the last line came again.
        var repeats = 0
    }

    private let ring = Mutex(Ring())

    func mark() -> Int { ring.withLock { $0.count } }

    func lines(since mark: Int) -> [String] {
        ring.withLock { ring in
            var lines = Array(ring.lines.suffix(max(0, ring.count - mark)))
            if ring.repeats > 0, let last = lines.popLast() { lines.append("\(last) (\(ring.repeats + 1) times)") }
            return lines
        }
    }

    func append(_ text: String) {
        let trimmed = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard !trimmed.isEmpty else { return }
        // Cut last: half a URL could hide where its password ends.
        let line = String(Redaction.redact(Self.withoutAddresses(trimmed)).prefix(Self.longestLine))
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
            if ring.lines.count > Self.capacity { ring.lines.removeFirst(ring.lines.count - Self.capacity) }
        }
    }

    /// `[h264 @ 0x55d0…] text` → `h264: text`: addresses differ from run to run and help nobody.
    private static func withoutAddresses(_ line: String) -> String {
        guard line.hasPrefix("["), let close = line.firstRange(of: "] "),
            let at = line[..<close.lowerBound].firstRange(of: " @ ")
        else { return line }
        return line[line.index(after: line.startIndex)..<at.lowerBound] + ": " + line[close.upperBound...]
    }
}
