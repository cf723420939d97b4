internal import Glibc

/// Reads secrets from where references say they are.
package struct SecretStore: Sendable {
    package let environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    /// Bytes; a password is short, and the wrong file should not be read to its end.
    private static let longest = 16_384

    package func read(_ reference: SecretReference) throws(ValueError) -> Secret {
        switch reference {
        case .environment(let name):
            guard let value = environment[name], !value.isEmpty else {
                throw ValueError(description: "the environment has no value for \(name); set it for the daemon")
            }
            return Secret(value)
        case .file(let path):
            return try Self.file(path, mustBePrivate: true)
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                throw ValueError(
                    description: "there are no credentials (CREDENTIALS_DIRECTORY is not set); "
                        + "add \"LoadCredential=\(name):/PATH\" to the unit"
                )
            }
            // systemd guards that folder itself, with access lists that a mode does not show.
            return try Self.file("\(folder)/\(name)", mustBePrivate: false)
        }
    }

    private static func file(_ path: String, mustBePrivate: Bool) throws(ValueError) -> Secret {
        // Without O_NONBLOCK a FIFO would hold up the start.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw ValueError(description: "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ValueError(description: "\(path) is not a regular file")
        }
        if mustBePrivate {
            let mode = status.st_mode & 0o7777
            guard mode & ~0o600 == 0 else {
                throw ValueError(
                    description: "\(path) has the mode \(octal(mode)), so others can get at it: run chmod 600 \(path)"
                )
            }
            guard status.st_uid == geteuid() || status.st_uid == 0 else {
                throw ValueError(
                    description: "\(path) belongs to user \(status.st_uid), neither to root nor to user \(geteuid()) "
                        + "of the daemon: run chown \(geteuid()) \(path)"
                )
            }
        }
        var bytes = [UInt8](repeating: 0, count: longest + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw ValueError(description: "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }
            count += got
        }
        guard count <= longest else { throw ValueError(description: "\(path) is longer than \(longest) bytes") }
        var content = bytes[..<count]
        // Editors end the last line.
        if content.last == 0x0A { content.removeLast() }
        if content.last == 0x0D { content.removeLast() }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw ValueError(description: "\(path) is not UTF-8 text")
        }
        guard !text.isEmpty else { throw ValueError(description: "\(path) is empty") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw ValueError(description: "\(path) has more than one line or control characters; it must be one line")
        }
        return Secret(text)
    }

    private static func octal(_ mode: mode_t) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
