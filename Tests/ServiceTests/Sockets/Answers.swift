import Events
import Foundation
import Glibc
import TestSupport

/// What a Python program prints.
func python(_ arguments: [String]) async throws -> String {
    try await off {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}

/// A JSON object's field, for short expectations.
func field<Value>(_ key: String, of line: String?, as type: Value.Type = String.self) -> Value? {
    guard let line, let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        return nil
    }
    return object[key] as? Value
}

func type(of line: String?) -> String? { field("type", of: line) }
func seq(of line: String?) -> Int? { field("seq", of: line, as: Int.self) }
func isDone(_ line: String?) -> Bool? { field("ok", of: line, as: Bool.self) }

/// A folder that goes with the test; its path is short, for sockets.
final class SocketsFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/facellm-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw RawClient.Failure(description: "mkdtemp: errno \(errno)") }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
