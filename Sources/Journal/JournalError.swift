internal import GRDB
internal import Glibc

/// What can go wrong with the journal on disk.
package struct JournalError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    package let operation: Operation
    /// What kind of failure it is, for callers that act on it.
    package let kind: Kind
    /// SQLite's extended result code, or `errno` where no database was involved.
    package let code: Int32
    /// The file or folder concerned.
    package let path: String
    /// What happened, in words.
    package let detail: String

    package enum Operation: String, Sendable, Hashable {
        case lock = "use the state directory"
        case open = "open the journal"
        case write = "write to the journal"
        case read = "read the journal"
        case maintain = "tidy up the journal"
        case purge = "purge the journal"
    }

    package enum Kind: Sendable, Hashable {
        /// Another daemon has the state directory; its process, where that is known.
        case inUse(processID: Int32?)
        /// The file system is full, a quota is used up or the file may not grow.
        case noSpace
        /// The disk or the folder may not be written to.
        case readOnly
        /// Another process holds a lock on the database.
        case locked
        /// The file is damaged, or is no journal that this version can read.
        case corrupt
        /// Anything else; see `code`.
        case other
    }

    init(operation: Operation, kind: Kind, code: Int32 = 0, path: String, detail: String) {
        self.operation = operation
        self.kind = kind
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Translates `errno` after a system call.
    init(operation: Operation, errno code: Int32, path: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            case EROFS, EACCES, EPERM: .readOnly
            default: .other
            }
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        self.init(operation: operation, kind: kind, code: code, path: path, detail: "\(words) (errno \(code))")
    }

    /// Translates an error of SQLite, which knows nothing of the file's name.
    init(operation: Operation, _ error: any Error, path: String) {
        guard let error = error as? DatabaseError else {
            if let error = error as? JournalError {
                self = error
            } else {
                self.init(operation: operation, kind: .other, path: path, detail: "\(error)")
            }
            return
        }
        let kind: Kind =
            switch error.resultCode {
            case .SQLITE_FULL: .noSpace
            case .SQLITE_READONLY, .SQLITE_PERM: .readOnly
            case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            default: .other
            }
        self.init(
            operation: operation,
            kind: kind,
            code: error.extendedResultCode.rawValue,
            path: path,
            detail: "\(error.message ?? "unknown error") (SQLite \(error.extendedResultCode.rawValue))"
        )
    }

    /// What the user can do about it, a sentence; empty where nothing helps.
    package var remedy: String {
        switch kind {
        case .inUse: "Stop the other daemon, or give this one a state directory of its own."
        case .noSpace: "Free space, or set a smaller limit for the journal."
        case .readOnly: "Make the state directory writable for the daemon."
        case .locked: "Close the program that holds the database."
        case .corrupt, .other: ""
        }
    }

    /// Whether the same may succeed later without anyone changing the configuration.
    package var isRetryable: Bool {
        switch kind {
        case .inUse, .corrupt: false
        case .noSpace, .readOnly, .locked, .other: true
        }
    }

    package var description: String {
        "cannot \(operation.rawValue) \"\(path)\": \(detail)." + (remedy.isEmpty ? "" : " \(remedy)")
    }
}
