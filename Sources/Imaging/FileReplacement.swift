internal import Glibc

/// A file that appears whole or not at all: it is written under a temporary name beside its own and renamed at the end.
///
/// `-` is standard output; a device or a pipe is written to directly, for renaming would replace it.
package final class FileReplacement {
    package struct Failure: Error, CustomStringConvertible {
        package enum Operation: String, Sendable {
            case open, write
            case place = "put in place"
        }

        package let operation: Operation
        package let path: String
        /// `errno`.
        package let code: Int32

        package var description: String {
            "cannot \(operation.rawValue) \(path): \(String(cString: strerror(code)))\(remedy.map { "; \($0)" } ?? "")"
        }

        private var remedy: String? {
            switch code {
            case ENOENT: "create the folder first"
            case ENOTDIR: "part of the path is a file, not a folder"
            case EACCES, EPERM: "choose a folder that this user may write to"
            case EISDIR: "this is a folder: add a file name"
            case EROFS: "the file system is read-only: choose another folder"
            case ENOSPC, EDQUOT: "free some space there, or choose another folder"
            default: nil
            }
        }

        /// 2 where the user named what cannot be opened, else 1.
        package var exitCode: Int32 { operation == .open && code != ENOSPC ? 2 : 1 }
    }

    /// As given.
    package let path: String
    /// Where the bytes go until `commit`.
    package let temporaryPath: String
    /// Whether `commit` renames.
    private let isReplacing: Bool
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private var isDone = false

    /// - Parameter isOpenedElsewhere: whether something else writes to `temporaryPath`, which must then be a plain file.
    package init(_ path: String, isOpenedElsewhere: Bool = false) throws(Failure) {
        self.path = path
        if path == "-" {
            (isReplacing, temporaryPath, descriptor) = (false, path, dup(STDOUT_FILENO))
            return
        }
        let kind = FileKind(path)
        if kind == .folder { throw Failure(operation: .open, path: path, code: EISDIR) }
        if kind == .other {
            guard !isOpenedElsewhere else { throw Failure(operation: .open, path: path, code: EINVAL) }
            (isReplacing, temporaryPath, descriptor) = (false, path, open(path, O_WRONLY | O_CLOEXEC))
            guard descriptor >= 0 else { throw Failure(operation: .open, path: path, code: errno) }
            return
        }
        // Through links, or the link would be replaced and its target left as it was.
        let target = realpath(path, nil).map { resolved in
            defer { free(resolved) }
            return String(cString: resolved)
        }
        isReplacing = true
        var temporary = "", opened: Int32 = -1
        repeat {
            temporary = "\(target ?? path).\(String(UInt32.random(in: 0 ... .max), radix: 36)).part"
            opened = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        } while opened < 0 && (errno == EEXIST || errno == EINTR)
        guard opened >= 0 else { throw Failure(operation: .open, path: path, code: errno) }
        temporaryPath = temporary
        descriptor = opened
        finalPath = target ?? path
    }

    private var finalPath = ""

    deinit { discard() }

    package func write(_ text: String) throws(Failure) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 18 { try flush() }
    }

    package func write(_ bytes: [UInt8]) throws(Failure) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Puts the file in place.
    package func commit() throws(Failure) {
        guard !isDone else { return }
        try flush()
        isDone = true
        let closed = close(descriptor)
        guard closed == 0 else {
            let code = errno
            if isReplacing { unlink(temporaryPath) }
            throw Failure(operation: .write, path: path, code: code)
        }
        guard isReplacing else { return }
        guard rename(temporaryPath, finalPath) == 0 else {
            let code = errno
            unlink(temporaryPath)
            throw Failure(operation: .place, path: path, code: code)
        }
    }

    /// Leaves everything as it was before.
    package func discard() {
        guard !isDone else { return }
        isDone = true
        close(descriptor)
        if isReplacing { unlink(temporaryPath) }
    }

    private func flush() throws(Failure) {
        var done = 0
        while done < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                discard()
                throw Failure(operation: .write, path: path, code: code)
            }
            done += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// What lies at a path.
package enum FileKind: Sendable {
    case missing, regular, folder
    /// A device, a pipe, a socket.
    case other

    package init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .missing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .folder
        default: self = .other
        }
    }
}
