internal import Foundation
internal import Imaging

/// What the weights of a model are, whatever they are called and wherever they lie: a SHA-256 over their files.
///
/// Hashing takes about four seconds a gigabyte, so the result is remembered beside what the file system says of the
/// files (device, inode, size, time of change).
package struct SourceIdentity: Sendable, Hashable {
    /// 64 hexadecimal digits.
    package let sha256: String

    /// - Parameters:
    ///   - paths: of the files with weights, in their order.
    ///   - memory: a folder where results are remembered; nil for nowhere.
    package init(files paths: [String], memory: String?) throws(CheckpointError) {
        let note = memory.flatMap { folder in Self.stamp(of: paths).map { "\(folder)/\($0).sha256" } }
        if let note, let data = FileManager.default.contents(atPath: note) {
            let text = String(decoding: data, as: UTF8.self)
            if text.utf8.count == 64, text.utf8.allSatisfy(Self.isDigit) {
                sha256 = text
                return
            }
        }
        let hash = SHA256()
        for path in paths {
            // In pieces: mapped pages would count as memory of ours.
            guard let handle = fopen(path, "rb") else {
                let code = errno
                throw CheckpointError(
                    .unreadable,
                    file: path,
                    expected: "a file with weights",
                    found: String(cString: strerror(code)),
                    code: code
                )
            }
            defer { fclose(handle) }
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = fread(&buffer, 1, buffer.count, handle)
                if count == 0 { break }
                buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
        }
        sha256 = hash.finish()
        if let note, let memory {
            try? FileManager.default.createDirectory(atPath: memory, withIntermediateDirectories: true)
            // Whole or not at all: another process may read it now.
            try? Data(sha256.utf8).write(to: URL(filePath: note), options: .atomic)
        }
    }

    /// What the file system says of the files; changes when they do.
    private static func stamp(of paths: [String]) -> String? {
        let hash = SHA256()
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            let text =
                "\(status.st_dev):\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)\n"
            hash.update(text.utf8)
        }
        return hash.finish()
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
