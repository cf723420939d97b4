import Glibc

/// A file that is being made: its space is claimed first, then parts are written in any order from any thread.
struct NewFile: ~Copyable, Sendable {
    let path: String
    private let descriptor: Int32

    /// - Throws: `CheckpointError` of kind `unwritable`, also where a file of this name is there.
    init(_ path: String) throws(CheckpointError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .unwritable(path, expected: "a new file", errno) }
        self.path = path
    }

    deinit { _ = close(descriptor) }

    /// Makes the file `count` bytes long and sure to have its place on the disk.
    func reserve(_ count: Int) throws(CheckpointError) {
        var code = posix_fallocate(descriptor, 0, off_t(count))
        while code == EINTR { code = posix_fallocate(descriptor, 0, off_t(count)) }
        guard code == 0 else {
            throw .unwritable(
                path,
                expected: "space for \(count) bytes",
                code,
                remedy: "Make room or choose a folder on another disk."
            )
        }
    }

    /// Writes all of `bytes` from the position `offset` on.
    func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
        var done = 0
        while done < bytes.byteCount {
            let position = offset + done
            let rest = bytes.extracting(last: bytes.byteCount - done)
            let written = rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(position)) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                let code = written < 0 ? errno : ENOSPC
                throw .unwritable(path, expected: "\(rest.byteCount) bytes at \(position)", code)
            }
            done += written
        }
    }

    /// Writes a small file whole.
    static func write(_ text: String, to path: String) throws(CheckpointError) {
        let file = try NewFile(path)
        let bytes = Array(text.utf8)
        try file.write(bytes.span.bytes, at: 0)
    }
}

extension CheckpointError {
    /// - Parameter code: `errno`.
    static func unwritable(_ path: String, expected: String, _ code: Int32, remedy: String = "") -> CheckpointError {
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        return CheckpointError(
            .unwritable,
            file: path,
            expected: expected,
            found: "\(words) (errno \(code))",
            remedy: remedy,
            code: code
        )
    }
}
