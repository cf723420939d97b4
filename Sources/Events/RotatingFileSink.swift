import Glibc

/// Appends lines to a file that is rotated by size or by somebody else, and goes on when the disk does.
///
/// - Each line stands whole in one file. A torn last line is cut off when the file is opened.
/// - By size: `events.jsonl` becomes `events.jsonl.1`, that one `events.jsonl.2` and so on; the oldest is deleted.
/// - By somebody else: rename the file, then call `reopen()`, as on a signal; or empty it in place.
/// - After an error nothing is lost that `linesWritten` counts, and the next call tries again with a fresh
///   descriptor. Lines that were taken but not counted must be given again.
package struct RotatingFileSink: ~Copyable, EventSink {
    /// How a file is rotated by size.
    package struct Rotation: Sendable, Hashable {
        /// A line that would make the file longer than this goes into a new one, bytes.
        package let maximumBytes: Int
        /// How many old files are kept, at least 1.
        package let filesKept: Int

        package init(maximumBytes: Int, filesKept: Int = 4) {
            self.maximumBytes = max(1, maximumBytes)
            self.filesKept = max(1, filesKept)
        }
    }

    package let path: String
    private let rotation: Rotation?
    private let linesPerFlush: Int
    private var file: JSONLinesSink?
    private var linesInEarlierFiles = 0
    /// Length of the file with what is buffered, bytes; too large after somebody else has emptied it.
    private var length = 0
    private var isClosed = false

    /// Opens the file at once, so that a path that cannot work is told at the start.
    ///
    /// - Parameters:
    ///   - path: a file; it is made when it does not exist, and appended to when it does.
    ///   - rotation: `nil` leaves rotation to others.
    ///   - linesPerFlush: how many lines may wait in memory, at least 1.
    package init(path: String, rotation: Rotation? = nil, linesPerFlush: Int = 1) throws(EventError) {
        self.path = path
        self.rotation = rotation
        self.linesPerFlush = linesPerFlush
        file = try JSONLinesSink(path: path, append: true, linesPerFlush: linesPerFlush)
        length = Self.length(of: path)
    }

    package var linesWritten: Int { linesInEarlierFiles + writtenInThisFile }

    private var writtenInThisFile: Int {
        switch file {
        case .some(let file): file.linesWritten
        case nil: 0
        }
    }

    // MARK: - EventSink

    package mutating func write(_ line: EventLine) throws(EventError) {
        guard !isClosed else {
            throw EventError(operation: .write, errno: EBADF, path: path, note: "it was closed before")
        }
        if let rotation, length > 0, length + line.bytes.count > rotation.maximumBytes {
            try rotate(rotation, before: line)
        }
        if file == nil { try open() }
        do throws(EventError) {
            try file?.write(line)
        } catch {
            letGo()
            throw error
        }
        length += line.bytes.count
    }

    package mutating func flush() throws(EventError) {
        do throws(EventError) {
            try file?.flush()
        } catch {
            letGo()
            throw error
        }
    }

    package mutating func reopen() throws(EventError) {
        guard !isClosed else { return }
        try flush()
        letGo()
        try open()
    }

    package mutating func close() throws(EventError) {
        isClosed = true
        defer { letGo() }
        try file?.close()
    }

    // MARK: - Files

    private mutating func open() throws(EventError) {
        file = try JSONLinesSink(path: path, append: true, linesPerFlush: linesPerFlush)
        length = Self.length(of: path)
    }

    /// Closes the descriptor and keeps the count.
    private mutating func letGo() {
        linesInEarlierFiles += writtenInThisFile
        file = nil
    }

    private mutating func rotate(_ rotation: Rotation, before line: EventLine) throws(EventError) {
        try flush()
        length = Self.length(of: path)
        guard length > 0, length + line.bytes.count > rotation.maximumBytes else { return }
        letGo()
        for number in stride(from: rotation.filesKept - 1, through: 1, by: -1) {
            try rename("\(path).\(number)", to: "\(path).\(number + 1)")
        }
        try rename(path, to: "\(path).1")
        try open()
    }

    /// Renames a file if it is there; what had the new name is gone.
    private func rename(_ old: String, to new: String) throws(EventError) {
        guard Glibc.rename(old, new) != 0, errno != ENOENT else { return }
        throw EventError(operation: .rotate, errno: errno, path: old)
    }

    private static func length(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
