internal import Glibc

/// The right to use a state directory; given back when the value goes, or the process dies in whatever way.
///
/// The lock is a `flock` on the directory itself, so it works where nothing can be written. The owner's process stands
/// in a file beside it, for the message only.
package struct StateLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// Takes the lock; the directory is made, readable by owner and group, when it does not exist.
    ///
    /// - Throws: `JournalError` of kind `inUse` when another process, or another value in this one, has it.
    package init(directory: String) throws(JournalError) {
        if mkdir(directory, 0o750) != 0, errno != EEXIST {
            throw JournalError(operation: .lock, errno: errno, path: directory)
        }
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw JournalError(operation: .lock, errno: errno, path: directory)
        }
        let ownerFile = directory + "/owner.pid"
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw JournalError(operation: .lock, errno: code, path: directory)
            }
            let owner = Self.owner(in: ownerFile)
            throw JournalError(
                operation: .lock,
                kind: .inUse(processID: owner),
                code: code,
                path: directory,
                detail: owner.map { "the process \($0) uses it" } ?? "another process uses it"
            )
        }
        self.descriptor = descriptor
        Self.writeOwner(to: ownerFile)
    }

    deinit {
        // A child that has been forked and not yet become another program shares the lock; closing would leave it there.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Best effort: the lock holds without it.
    private static func writeOwner(to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        let text = Array("\(getpid())\n".utf8)
        _ = write(file, text, text.count)
        close(file)
    }

    private static func owner(in path: String) -> Int32? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 16)
        let count = read(file, &text, text.count)
        guard count > 0, let processID = Int32(String(decoding: text[..<count].prefix { $0 != 10 }, as: UTF8.self)),
            processID > 0
        else { return nil }
        // A number left from before, where the owner could not write its own, would mislead.
        return kill(processID, 0) == 0 || errno == EPERM ? processID : nil
    }
}
