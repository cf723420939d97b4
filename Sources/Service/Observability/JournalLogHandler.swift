import Events
import Glibc
package import Logging
import Synchronization

/// Writes the log of the daemon to standard error, in the form that its reader understands.
///
/// `source` in the metadata is the stream a message is about. URLs lose their credentials here, whoever logged them.
package struct JournalLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput
    /// Nil for the level of the output.
    private var ownLevel: Logger.Level?

    /// - Parameters:
    ///   - level: nil for what the output says at each message.
    ///   - output: shared by all handlers of the process, so that lines never mix.
    package init(label: String, level: Logger.Level? = nil, output: LogOutput) {
        self.label = label
        ownLevel = level
        self.output = output
    }

    package var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        output.write(
            LogLine(
                level: event.level,
                label: label,
                message: event.message.description,
                metadata: all,
                error: event.error
            )
        )
    }
}

/// Where lines of the log go; repeated ones are collapsed.
package final class LogOutput: Sendable {
    private let form: LogLine.Form
    private let repeats: Mutex<LogRepeats>
    private let leastLevel = Mutex(Logger.Level.info)
    private let sink: @Sendable (String) -> Void
    private let uptime: @Sendable () -> Duration
    private let wallClock: @Sendable () -> Timestamp

    /// Writes to standard error.
    package convenience init(form: LogLine.Form) {
        self.init(form: form, sink: Self.writeToStandardError)
    }

    init(
        form: LogLine.Form,
        uptime: @escaping @Sendable () -> Duration = LogOutput.timeSinceBoot,
        wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        sink: @escaping @Sendable (String) -> Void
    ) {
        self.form = form
        self.uptime = uptime
        self.wallClock = wallClock
        self.sink = sink
        repeats = Mutex(LogRepeats())
    }

    /// The least important messages to write, of all handlers that have no level of their own; may change at any time.
    package var level: Logger.Level {
        get { leastLevel.withLock { $0 } }
        set { leastLevel.withLock { $0 = newValue } }
    }

    package func write(_ line: LogLine) {
        repeats.withLock { repeats in
            write(repeats.lines(for: line, now: uptime()))
        }
    }

    /// Tells what is counted and not told yet; the last thing before the process ends.
    package func flush() {
        repeats.withLock { repeats in
            write(repeats.flush())
        }
    }

    /// One system call for all of them, inside the lock, so that they stand in order.
    private func write(_ lines: [LogLine]) {
        guard !lines.isEmpty else { return }
        let time = wallClock()
        sink(lines.map { $0.text(as: form, at: time) }.joined())
    }

    private static func timeSinceBoot() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// A log that cannot be written is no reason to stop.
    private static func writeToStandardError(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }
}

extension LogLine.Form {
    /// `journal` where standard error is the journal's own stream, else `text`.
    ///
    /// systemd tells the stream's device and inode in $JOURNAL_STREAM; a redirection makes them differ.
    package static func automatic(
        environment: [String: String],
        descriptor: Int32 = STDERR_FILENO
    ) -> LogLine.Form {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(descriptor, &status) == 0,
            stream == "\(status.st_dev):\(status.st_ino)"
        else { return .text }
        return .journal
    }
}
