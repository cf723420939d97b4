package import Events
import FoundationEssentials
package import Logging
import Video

/// One message of the log, ready to be written: without credentials and without control characters.
package struct LogLine: Sendable, Hashable {
    package enum Form: String, Sendable, Hashable {
        /// Time, level, message and fields, for people at a terminal.
        case text
        /// As `text` without the time, behind a priority `<3>` that journald takes off.
        case journal
        /// An object a line.
        case json
    }

    package let level: Logger.Level
    package let label: String
    package let message: String
    /// What the message is about, sorted by key; `source` is the name of a stream.
    package let fields: [String: String]

    /// Longer ones are cut: journald would break a line of 48 KiB in two.
    private static let longestText = 8192

    package init(level: Logger.Level, label: String, message: String, metadata: Logger.Metadata, error: (any Error)?) {
        self.level = level
        self.label = label
        self.message = Self.cut(Redaction.redact(message))
        var fields = metadata.mapValues { Self.cut(Redaction.redact("\($0)")) }
        if let error { fields["error"] = Self.cut(Redaction.redact("\(error)")) }
        self.fields = fields
    }

    /// The same with another message.
    init(_ line: LogLine, message: String) {
        level = line.level
        label = line.label
        self.message = message
        fields = line.fields
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= longestText ? text : String(text.unicodeScalars.prefix(longestText)) + "…"
    }

    // MARK: - Forms

    /// The line with its line end.
    package func text(as form: Form, at time: Timestamp) -> String {
        switch form {
        case .text: "\(time) \(level) \(Self.escaped(label)): \(sentence)\n"
        case .journal: "<\(priority)>\(sentence)\n"
        case .json: json(at: time)
        }
    }

    /// Of syslog(3).
    private var priority: Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private var sentence: String {
        let named = fields.sorted { $0.key < $1.key }.map { " \(Self.escaped($0.key))=\(Self.quoted($0.value))" }
        return Self.escaped(message) + named.joined()
    }

    private func json(at time: Timestamp) -> String {
        struct Object: Encodable {
            var time: Timestamp
            var level: String
            var logger: String
            var message: String
            var fields: [String: String]?
        }
        let object = Object(
            time: time,
            level: level.rawValue,
            logger: label,
            message: message,
            fields: fields.isEmpty ? nil : fields
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(object) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// With quotation marks where a reader could not tell the end of the value.
    private static func quoted(_ value: String) -> String {
        guard value.isEmpty || value.unicodeScalars.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return escaped(value)
        }
        return "\"" + escaped(value).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            + "\""
    }

    /// What would move a terminal's cursor, begin a line or turn the direction of writing, spelled out.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case let scalar where isUnsafe(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // The marks that turn the direction of writing, and other letters that nobody sees.
        case .format: scalar != "\u{200D}"
        default: false
        }
    }
}
