import Events
package import FoundationEssentials

/// What the daemon can be told to do.
package enum ControlCommand: Sendable, Hashable {
    case status
    case reload
    case sourcesList
    /// A source as the configuration writes it, as the text of a JSON object.
    case sourcesAdd(JSONText: String)
    case sourcesRemove(String)
    /// One source, or all.
    case pause(String?)
    /// One source, or all.
    case resume(String?)
    /// Takes lines out of the journal: those before a moment, those of a source, or both.
    case purge(before: Date?, source: String?)
}

/// Carries out what comes over the control socket.
package protocol ControlHandler: Sendable {
    func handle(_ command: ControlCommand, peer: PeerCredentials) async -> ControlResult
}

/// What became of a command.
package enum ControlResult: Sendable {
    /// It was carried out; the text of a JSON object without line breaks.
    case ok(json: String)
    case failed(code: String, message: String)
}

/// One line of the control socket: a command and the client's mark for the answer.
struct ControlRequest: Sendable, Hashable {
    let requestID: RequestID?
    let command: ControlCommand

    /// Reads a line, with or without its `\n`.
    ///
    /// - Throws: `ControlFailure` with `malformed_request`, `unknown_op` or `invalid_field`.
    init(line: some Collection<UInt8>) throws(ControlFailure) {
        let value: JSONValue
        do {
            value = try JSONValue(text: line)
        } catch {
            throw ControlFailure("malformed_request", "the request is no JSON: \(error.detail)")
        }
        guard case .object(let fields) = value else {
            throw ControlFailure("malformed_request", "a request is a JSON object on one line")
        }
        let requestID = try Self.requestID(fields["request_id"])
        guard case .string(let op) = fields["op"] else {
            throw ControlFailure("malformed_request", "the field \"op\" is missing or is no text", requestID)
        }
        self.requestID = requestID
        command = try Self.command(op, fields, requestID)
    }

    private static func command(
        _ op: String,
        _ fields: [String: JSONValue],
        _ requestID: RequestID?
    ) throws(ControlFailure) -> ControlCommand {
        func text(_ key: String) throws(ControlFailure) -> String? {
            switch fields[key] {
            case nil, .null: nil
            case .string(let text) where !text.isEmpty: text
            default:
                throw ControlFailure("invalid_field", "\(key): a text that is not empty was expected", requestID)
            }
        }
        switch op {
        case "status": return .status
        case "reload": return .reload
        case "sources.list": return .sourcesList
        case "sources.add":
            guard let source = fields["source"], case .object = source else {
                throw ControlFailure(
                    "invalid_field",
                    "source: an object as in the configuration was expected",
                    requestID
                )
            }
            return .sourcesAdd(JSONText: source.description)
        case "sources.remove":
            guard let name = try text("source") else {
                throw ControlFailure("invalid_field", "source: the name of a source was expected", requestID)
            }
            return .sourcesRemove(name)
        case "pause": return .pause(try text("source"))
        case "resume": return .resume(try text("source"))
        case "purge":
            let source = try text("source")
            guard let time = try text("before") else {
                // Everything at once must be meant, not forgotten.
                if source == nil {
                    throw ControlFailure("invalid_field", "purge needs \"before\", \"source\" or both", requestID)
                }
                return .purge(before: nil, source: source)
            }
            guard let moment = Timestamp(time) else {
                throw ControlFailure(
                    "invalid_field",
                    "before: a time as 2026-03-01T09:30:00.250Z was expected",
                    requestID
                )
            }
            return .purge(
                before: Date(timeIntervalSince1970: Double(moment.millisecondsSince1970) / 1000),
                source: source
            )
        default:
            throw ControlFailure("unknown_op", "not one of \(operations.joined(separator: ", "))", requestID)
        }
    }

    private static let operations = [
        "status", "reload", "sources.list", "sources.add", "sources.remove", "pause", "resume", "purge",
    ]

    private static func requestID(_ value: JSONValue?) throws(ControlFailure) -> RequestID? {
        switch value {
        case nil, .null: return nil
        case .string(let text) where text.count <= 256: return .text(text)
        case .number(let number):
            if let whole = Int(exactly: number) { return .number(whole) }
        default: break
        }
        throw ControlFailure("invalid_field", "request_id: a whole number or a text of at most 256 characters")
    }
}

/// Why a request was not carried out, with the client's mark as far as that could be read.
struct ControlFailure: Error, Hashable {
    let code: String
    let message: String
    let requestID: RequestID?

    init(_ code: String, _ message: String, _ requestID: RequestID? = nil) {
        self.code = code
        self.message = message
        self.requestID = requestID
    }
}

/// The answer to one line of the control socket.
enum ControlReply {
    /// The line with its `\n`; keys in the order of their bytes.
    static func line(_ result: ControlResult, to requestID: RequestID?) -> [UInt8] {
        let mark = requestID.map(words) ?? "null"
        switch result {
        case .ok(let json):
            return Array(#"{"ok":true,"request_id":\#(mark),"result":\#(json)}"#.utf8) + [UInt8(ascii: "\n")]
        case .failed(let code, let message):
            let error = JSONValue.object(["code": .string(code), "message": .string(message)])
            return Array(#"{"error":\#(error),"ok":false,"request_id":\#(mark)}"#.utf8) + [UInt8(ascii: "\n")]
        }
    }

    private static func words(_ requestID: RequestID) -> String {
        switch requestID {
        case .number(let number): "\(number)"
        case .text(let text): JSONValue.string(text).description
        }
    }
}
