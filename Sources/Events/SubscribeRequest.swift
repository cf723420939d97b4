import FoundationEssentials

/// What a subscriber asks for in its first line.
///
/// Reading is strict about the kinds of values and ignores fields that it does not know.
package struct SubscribeRequest: Sendable, Hashable {
    /// The longest line that is read, bytes.
    package static let maximumLength = 65_536

    /// Comes back with the answer.
    package let requestID: RequestID?
    package let start: Start
    package let filter: EventFilter
    package let onOverflow: OverflowPolicy

    /// Where the lines begin.
    package enum Start: Sendable, Hashable {
        /// With the next line that is published.
        case now
        /// With the oldest line that is kept.
        case oldest
        /// Behind the line of a cursor.
        case after(Cursor)
        /// Behind something that is no cursor of ours: one gap, and on from the oldest.
        case unknownCursor
    }

    /// What becomes of a subscriber whose queue is full.
    package enum OverflowPolicy: String, Sendable, Hashable, Codable, CaseIterable {
        /// It loses the oldest lines in its queue and is told how many.
        case dropOldest = "drop_oldest"
        /// It gets a last error and the end.
        case disconnect
    }

    /// What a client that sends nothing has asked for.
    package init(
        requestID: RequestID? = nil,
        start: Start = .now,
        filter: EventFilter = .all,
        onOverflow: OverflowPolicy = .dropOldest
    ) {
        self.requestID = requestID
        self.start = start
        self.filter = filter
        self.onOverflow = onOverflow
    }
}

/// The number or text by which a client knows its request again: `request_id`.
package enum RequestID: Sendable, Hashable {
    case number(Int)
    /// At most 256 characters.
    case text(String)
}

/// Why a request was not understood; goes back to the client as an `error`.
package struct RequestError: Error, Hashable {
    /// The answer, with the request's id as far as that could be read.
    package let record: ErrorRecord

    init(_ code: String, _ message: String, requestID: RequestID? = nil) {
        record = ErrorRecord(code: code, message: message, retryable: false, requestID: requestID)
    }
}

// MARK: - Reading

extension SubscribeRequest {
    /// Reads a line, with or without its `\n`.
    ///
    /// - Throws: `RequestError` with `request_too_long`, `malformed_request`, `unknown_op` or `invalid_field`.
    package init(line: some Collection<UInt8>) throws(RequestError) {
        guard line.count <= Self.maximumLength else {
            throw RequestError("request_too_long", "a request may have \(Self.maximumLength) bytes at most")
        }
        guard Nesting.depth(of: line) <= Nesting.limit else {
            throw RequestError("malformed_request", "the request is nested more than \(Nesting.limit) levels deep")
        }
        let data = Data(line)
        let json = JSONDecoder()
        let header: Header
        do {
            header = try json.decode(Header.self, from: data)
        } catch {
            throw RequestError("malformed_request", Self.sentence(error))
        }
        guard header.op == "subscribe" else {
            throw RequestError(
                "unknown_op",
                "the only request on this socket is \"subscribe\"",
                requestID: header.requestID
            )
        }
        let fields: Fields
        do {
            fields = try json.decode(Fields.self, from: data)
        } catch {
            throw RequestError("invalid_field", Self.sentence(error), requestID: header.requestID)
        }
        if let problem = fields.problem {
            throw RequestError("invalid_field", problem, requestID: header.requestID)
        }
        self.init(
            requestID: header.requestID,
            start: Start(since: fields.since),
            filter: EventFilter(
                types: fields.types.map(Set.init),
                sources: fields.sources.map(Set.init),
                minimumConfidence: fields.minimumConfidence
            ),
            onOverflow: fields.onOverflow ?? .dropOldest
        )
    }

    /// The words of a decoding error within what `message` may carry.
    private static func sentence(_ error: any Error) -> String {
        let words = String(CodingFailure.words(for: error).prefix(512)).replacing("://", with: ":")
        return words.isEmpty ? "the request cannot be read" : words
    }

    private struct Header: Decodable {
        let op: String
        let requestID: RequestID?

        enum CodingKeys: String, CodingKey {
            case op
            case requestID = "request_id"
        }
    }

    private struct Fields: Decodable {
        let since: String?
        let types: [String]?
        let sources: [String]?
        let minimumConfidence: Double?
        let onOverflow: OverflowPolicy?

        enum CodingKeys: String, CodingKey {
            case since
            case types
            case sources
            case minimumConfidence = "min_confidence"
            case onOverflow = "on_overflow"
        }

        /// What is wrong with values of the right kind.
        var problem: String? {
            if types?.isEmpty == true { return "types: an empty list asks for nothing; leave it out to get all" }
            if let place = types?.firstIndex(where: { EventType(rawValue: $0) == nil }) {
                let known = EventType.allCases.map(\.rawValue).joined(separator: ", ")
                return "types.\(place): not one of \(known)"
            }
            if sources?.isEmpty == true { return "sources: an empty list asks for nothing; leave it out to get all" }
            if let minimumConfidence, !(0...1).contains(minimumConfidence) {
                return "min_confidence: not within 0 and 1"
            }
            return nil
        }
    }
}

extension SubscribeRequest.Start {
    fileprivate init(since: String?) {
        self =
            switch since {
            case nil, "now": .now
            case "oldest": .oldest
            case let text?: Cursor(text).map(Self.after) ?? .unknownCursor
            }
    }
}

extension RequestID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
            return
        }
        let text = try container.decode(String.self)
        guard text.count <= 256 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "more than 256 characters")
        }
        self = .text(text)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }
}

/// How deep the brackets of a JSON text go, told without building anything.
enum Nesting {
    /// More than any request needs and far less than what would exhaust a stack.
    static let limit = 16

    static func depth(of text: some Collection<UInt8>) -> Int {
        var depth = 0
        var deepest = 0
        var isInString = false
        var isEscaped = false
        for byte in text {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}
