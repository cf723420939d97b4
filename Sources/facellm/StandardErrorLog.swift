import Console
import Foundation
import Logging

/// Log lines on standard error: time, level, message, metadata.
struct StandardErrorLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let label: String
    private let beforeLine: @Sendable () -> Void

    init(label: String, level: Logger.Level, beforeLine: @escaping @Sendable () -> Void) {
        self.label = label
        logLevel = level
        self.beforeLine = beforeLine
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        beforeLine()
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        StandardError.line("\(Self.time()) \(event.level) \(label): \(event.message)\(fields)")
    }

    private static func time() -> String {
        Date().formatted(.iso8601)
    }
}
