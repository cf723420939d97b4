internal import Glibc

/// Where people read; what cannot be written there is nobody's loss.
package enum StandardError {
    /// Writes one line of words that may come from outside: names of files, answers of servers.
    package static func line(_ text: String) { write(TerminalText.plain(text) + "\n") }

    /// Writes all of `text` at once, so that lines of several threads do not mix.
    package static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
