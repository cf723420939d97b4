internal import Events
internal import FoundationEssentials
internal import Glibc
internal import Logging

/// Sources that were added by command, kept in a file of the state directory over restarts.
///
/// The file is a JSON array of what was given with `sources.add`, readable for the daemon's user alone, since addresses
/// may hold passwords. It is replaced as a whole, so that it is never half of one.
struct AddedSources {
    private let path: String
    /// By name, in the order in which they were added.
    private(set) var texts: [(name: String, text: String)] = []

    /// Reads the file; one that cannot be used is put aside and told of, and the daemon starts without it.
    init(path: String, logger: Logger) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            texts = try Self.read(path)
        } catch {
            let aside = path + ".damaged"
            let isAside = rename(path, aside) == 0
            logger.error(
                "the sources that were added by command are lost: \(error)\(isAside ? "; see \(aside)" : "")"
            )
        }
    }

    func contains(_ name: String) -> Bool { texts.contains { $0.name == name } }

    /// - Returns: why it cannot be kept; it is remembered until the daemon ends all the same.
    mutating func add(_ name: String, _ text: String) -> String? {
        texts.append((name, text))
        return write()
    }

    /// - Returns: why the file still has it.
    mutating func remove(_ name: String) -> String? {
        texts.removeAll { $0.name == name }
        return write()
    }

    // MARK: - The file

    private struct Unusable: Error, CustomStringConvertible { let description: String }

    private static func read(_ path: String) throws -> [(name: String, text: String)] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Unusable(description: "\(path) cannot be read")
        }
        guard case .array(let sources)? = try? JSONValue(text: data) else {
            throw Unusable(description: "\(path) is no JSON array")
        }
        return try sources.map { source in
            guard case .string(let name)? = source["name"] else {
                throw Unusable(description: "\(path): a source has no name")
            }
            return (name, source.description)
        }
    }

    private func write() -> String? {
        let lines = texts.map { "  " + $0.text }
        let text = lines.isEmpty ? "[]\n" : "[\n\(lines.joined(separator: ",\n"))\n]\n"
        let fresh = path + ".new"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return Self.failure(path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
            rename(fresh, path) == 0
        else {
            let failure = Self.failure(path)
            unlink(fresh)
            return failure
        }
        return nil
    }

    private static func failure(_ path: String) -> String {
        "cannot write \(path): \(String(cString: strerror(errno)))"
    }
}
