import Glibc

/// Where results go when no file is named.
enum StandardOutput {
    struct Failure: Error, CustomStringConvertible {
        let code: Int32
        var description: String { "standard output: \(String(cString: strerror(code)))" }
    }

    /// Writes all of `text` at once, without waiting for a buffer to fill.
    static func write(_ text: String) throws(Failure) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw Failure(code: errno)
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
