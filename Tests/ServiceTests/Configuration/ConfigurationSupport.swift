import Foundation
import Service
import Testing

/// A configuration from a text.
func load(
    _ yaml: String,
    environment: [String: String] = [:],
    flags: [String: String] = [:]
) throws(ConfigurationError) -> LoadedConfiguration {
    var loader = ConfigurationLoader(environment: environment)
    loader.flags = flags
    return try loader.load(bytes: Array(yaml.utf8), file: "test.yaml")
}

/// What is wrong with a text, one problem a line.
func problems(
    _ yaml: String,
    environment: [String: String] = [:],
    flags: [String: String] = [:]
) -> [String] {
    do {
        _ = try load(yaml, environment: environment, flags: flags)
        return []
    } catch {
        return error.description.split(separator: "\n").map(String.init)
    }
}

/// Calls `body` with an empty folder that is removed behind it.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "facellm-service-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
