import Glibc

/// A file in the address space, read-only.
///
/// Whoever shortens the file while it is mapped makes the process die of SIGBUS on the next access: models are
/// replaced by renaming a new file over the old one, never by writing into it.
struct MappedFile: ~Copyable, @unchecked Sendable {
    // Sendable: the pages are private, never written through this pointer, and unmapped only by the one owner.
    private let base: UnsafeMutableRawPointer?
    let count: Int

    /// - Parameter expected: what the file should be, for the error: "a safetensors file".
    init(_ path: String, expected: String) throws(CheckpointError) {
        let (descriptor, size) = try Self.open(path, expected: expected)
        defer { _ = close(descriptor) }
        guard size > 0 else {
            // mmap refuses a length of 0.
            base = nil
            count = 0
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw Self.failure(path, expected: expected, errno)
        }
        base = address
        count = size
    }

    deinit {
        if let base { munmap(base, count) }
    }

    /// The bytes, for as long as the closure runs.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Reads a small file whole.
    ///
    /// - Parameter limit: bytes; a longer file is refused rather than read.
    static func read(_ path: String, expected: String, limit: Int) throws(CheckpointError) -> [UInt8] {
        let (descriptor, size) = try open(path, expected: expected)
        defer { _ = close(descriptor) }
        guard size <= limit else {
            throw CheckpointError(
                .malformed,
                file: path,
                expected: "\(expected) of at most \(limit) bytes",
                found: "\(size) bytes"
            )
        }
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let got = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                return pread(descriptor, rest.baseAddress, rest.count, off_t(filled))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw failure(path, expected: expected, errno) }
            guard got > 0 else { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    /// Whether a regular file of this name is there.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether a folder of this name is there.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// A descriptor, which the caller closes, and the size in bytes of a regular file.
    private static func open(_ path: String, expected: String) throws(CheckpointError) -> (Int32, Int) {
        // A named pipe would otherwise block until somebody writes.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, expected: expected, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw failure(path, expected: expected, code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            _ = close(descriptor)
            let found = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a device, pipe or socket"
            throw CheckpointError(.unreadable, file: path, expected: expected, found: found)
        }
        return (descriptor, Int(status.st_size))
    }

    private static func failure(_ path: String, expected: String, _ code: Int32) -> CheckpointError {
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        let found = "\(words) (errno \(code))"
        return CheckpointError(.unreadable, file: path, expected: expected, found: found, code: code)
    }
}
