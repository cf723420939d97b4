package import Foundation

/// A folder that lives as long as this object.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init(_ name: String = "facellm-test") throws {
        // A path without symbolic links, so that it can be compared; open to other users, who play a part here.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(base)/\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file.
    ///
    /// - Returns: its path.
    @discardableResult
    package func file(_ name: String, _ content: Data = Data()) throws -> String {
        try content.write(to: URL(filePath: path(name)))
        return path(name)
    }

    @discardableResult
    package func file(_ name: String, _ text: String) throws -> String { try file(name, Data(text.utf8)) }

    /// Every file in it, by its path from here.
    package var files: [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder) && !isFolder.boolValue
        }.sorted()
    }

    /// Runs the `ffmpeg` command here; blanks separate its arguments.
    package func ffmpeg(_ arguments: String) async throws { try await FFmpegCommand.run(arguments, in: self) }
}
