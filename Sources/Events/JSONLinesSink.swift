import Glibc

/// Writes lines into a file, a pipe or standard output.
///
/// - Only whole lines are good: when a file cannot take all of them, it is cut back to the end of its last whole line.
///   After such a failure the sink stays failed and throws the same error again.
/// - A file that may not grow (`ulimit -f`) counts as full, provided that the process ignores SIGXFSZ.
/// - A reader that is gone shows as `EventError.Kind.brokenPipe`, provided that the process ignores SIGPIPE.
/// - Calls block while a pipe is full, even if its descriptor is non-blocking.
package struct JSONLinesSink: ~Copyable, EventSink {
    /// The path as given, or a name such as `standard output`; for messages.
    package let name: String
    /// Lines that reached the operating system.
    package private(set) var linesWritten = 0
    /// Lines that wait for the next flush.
    package private(set) var linesBuffered = 0

    private var descriptor: Int32
    private let ownsDescriptor: Bool
    private let linesPerFlush: Int
    private var buffer: [UInt8] = []
    private var failure: EventError?

    // MARK: - Opening

    /// Opens a file for writing; it is made with mode 0644 (less the umask) when it does not exist.
    ///
    /// - Parameters:
    ///   - path: a file, a named pipe or a device; `-` is standard output.
    ///   - append: whether to go on after what is there. A last line that was torn off, as by a loss of power, is cut
    ///     away; a file that ends in something else than lines of JSON is refused. Otherwise the file is emptied.
    ///   - linesPerFlush: how many lines may wait in memory, at least 1; call `flush()` for a limit in time.
    /// - Throws: `EventError` with operation `open`, the path and what to do.
    package init(path: String, append: Bool = false, linesPerFlush: Int = 1) throws(EventError) {
        let output = try Self.open(path, append: append)
        self.init(
            descriptor: output.descriptor,
            name: output.name,
            ownsDescriptor: output.owned,
            linesPerFlush: linesPerFlush
        )
    }

    /// Writes to a descriptor that is open already.
    ///
    /// - Parameters:
    ///   - descriptor: open for writing.
    ///   - name: what to call it in messages.
    ///   - ownsDescriptor: whether the sink closes it.
    ///   - linesPerFlush: how many lines may wait in memory, at least 1.
    package init(descriptor: Int32, name: String, ownsDescriptor: Bool = false, linesPerFlush: Int = 1) {
        self.descriptor = descriptor
        self.name = name
        self.ownsDescriptor = ownsDescriptor
        self.linesPerFlush = max(1, linesPerFlush)
    }

    deinit {
        guard descriptor >= 0 else { return }
        if failure == nil, !buffer.isEmpty {
            _ = Self.writeAll(buffer, to: descriptor)
        }
        if ownsDescriptor {
            _ = Glibc.close(descriptor)
        }
    }

    // MARK: - EventSink

    package mutating func write(_ line: EventLine) throws(EventError) {
        if let failure { throw failure }
        guard descriptor >= 0 else {
            throw EventError(operation: .write, errno: EBADF, path: name, note: "it was closed before")
        }
        buffer.append(contentsOf: line.bytes)
        linesBuffered += 1
        if linesBuffered >= linesPerFlush {
            try flush()
        }
    }

    package mutating func flush() throws(EventError) {
        if let failure { throw failure }
        guard descriptor >= 0, !buffer.isEmpty else { return }
        let (written, code) = Self.writeAll(buffer, to: descriptor)
        let whole = buffer[..<written].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        linesWritten += buffer[..<whole].count { $0 == UInt8(ascii: "\n") }
        guard code == 0 else {
            let cut = written == whole || cutBack(by: written - whole)
            let error = EventError(
                operation: .write,
                errno: code,
                path: name,
                note: "it has \(linesWritten) lines of this run"
                    + (cut ? ", all of them whole" : " and a part of one more, which could not be cut off")
            )
            failure = error
            buffer = []
            linesBuffered = 0
            throw error
        }
        buffer.removeAll(keepingCapacity: true)
        linesBuffered = 0
    }

    /// Flushes; after a failure, forgets it, so that the next line tries the same descriptor again.
    package mutating func reopen() throws(EventError) {
        if let failure, failure.kind == .brokenPipe || descriptor < 0 { throw failure }
        failure = nil
        try flush()
    }

    package mutating func close() throws(EventError) {
        guard descriptor >= 0 else { return }
        // The descriptor goes back even when the last lines cannot be written.
        var problem = failure
        if problem == nil {
            do throws(EventError) {
                try flush()
            } catch {
                problem = error
            }
        }
        let closing = descriptor
        descriptor = -1
        // Linux releases the descriptor even on EINTR, so closing is never tried again.
        if ownsDescriptor, Glibc.close(closing) != 0, errno != EINTR, problem == nil {
            problem = EventError(operation: .close, errno: errno, path: name)
        }
        if let problem {
            failure = problem
            throw problem
        }
    }
}

// MARK: - System calls

extension JSONLinesSink {
    private static func open(
        _ path: String,
        append: Bool
    ) throws(EventError) -> (descriptor: Int32, name: String, owned: Bool) {
        if path == "-" {
            return (STDOUT_FILENO, "standard output", false)
        }
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw EventError(operation: .open, errno: ENOENT, path: path, note: "the path is empty or has a NUL inside")
        }
        // Appending needs to read how the file ends. O_APPEND keeps a second writer from overwriting our lines.
        var flags = O_CLOEXEC | O_CREAT | O_NOCTTY | O_APPEND
        flags |= append && isRegularFile(path) ? O_RDWR : O_WRONLY
        if !append { flags |= O_TRUNC }
        let descriptor = retrying { Glibc.open(path, flags, 0o644) }
        guard descriptor >= 0 else {
            throw EventError(operation: .open, errno: errno, path: path)
        }
        if append {
            do throws(EventError) {
                try repairEnd(of: descriptor, name: path)
            } catch {
                _ = Glibc.close(descriptor)
                throw error
            }
        }
        return (descriptor, path, true)
    }

    /// Writes all bytes unless an error stops it.
    ///
    /// - Returns: how many went out, and the `errno` that stopped it or 0.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> (written: Int, code: Int32) {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return (0, 0) }
            var written = 0
            while written < buffer.count {
                let count = Glibc.write(descriptor, start + written, buffer.count - written)
                if count >= 0 {
                    written += count
                    continue
                }
                let code = errno
                switch code {
                case EINTR: continue
                case EAGAIN: waitUntilWritable(descriptor)
                default: return (written, code)
                }
            }
            return (written, 0)
        }
    }

    /// Waits for room in a pipe that somebody else made non-blocking.
    private static func waitUntilWritable(_ descriptor: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }

    /// Takes the last bytes off a regular file; `false` when it is none or somebody else wrote behind them.
    private func cutBack(by count: Int) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            lseek(descriptor, 0, SEEK_CUR) == status.st_size, status.st_size >= count
        else { return false }
        let end = status.st_size - off_t(count)
        return Self.retrying { ftruncate(descriptor, end) } == 0 && lseek(descriptor, end, SEEK_SET) == end
    }

    /// Makes sure that a file to append to ends with a whole line.
    private static func repairEnd(of descriptor: Int32, name: String) throws(EventError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return }
        let length = min(Int(status.st_size), EventLine.maximumLength + 1)
        let start = status.st_size - off_t(length)
        var tail = [UInt8](repeating: 0, count: length)
        let read = retrying { pread(descriptor, &tail, length, start) }
        guard read == length else {
            throw EventError(operation: .open, errno: read < 0 ? errno : EIO, path: name)
        }
        guard let last = tail.last, last != UInt8(ascii: "\n") else { return }
        let lineStart = tail.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        // A torn line of ours begins with a brace and within the last 64 KiB; anything else is not ours to cut.
        guard tail[lineStart] == UInt8(ascii: "{"), lineStart > 0 || start == 0 else {
            throw EventError(
                operation: .open,
                kind: .notJSONLines,
                path: name,
                detail: "it does not end with a whole line of JSON"
            )
        }
        guard retrying({ ftruncate(descriptor, start + off_t(lineStart)) }) == 0 else {
            throw EventError(operation: .open, errno: errno, path: name)
        }
    }

    private static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    /// Repeats a system call that a signal interrupted.
    private static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
