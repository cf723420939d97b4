import FoundationEssentials

/// One event as it is written: UTF-8, `\n` at the end and nowhere inside, at most 64 KiB.
package struct EventLine: Sendable, Hashable, CustomStringConvertible {
    /// The longest line that this contract allows, bytes, with its `\n`.
    package static let maximumLength = 65_536

    /// The bytes with the `\n` at the end.
    package let bytes: [UInt8]

    /// Takes the text of one JSON object and ends it with `\n`.
    ///
    /// - Throws: `EventError.lineTooLong`; `malformed` when there is a line break inside or nothing at all.
    package init(json: some Collection<UInt8>) throws(EventError) {
        guard json.count < Self.maximumLength else {
            throw EventError(
                operation: .encode,
                kind: .lineTooLong,
                detail: "the line has \(json.count + 1) bytes where \(Self.maximumLength) are allowed"
            )
        }
        guard !json.isEmpty, !json.contains(UInt8(ascii: "\n")) else {
            throw EventError(operation: .encode, kind: .malformed, detail: "a line is empty or has a line break inside")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(json.count + 1)
        bytes.append(contentsOf: json)
        bytes.append(UInt8(ascii: "\n"))
        self.bytes = bytes
    }

    /// The text without the `\n`.
    package var description: String { String(decoding: bytes.dropLast(), as: UTF8.self) }
}

/// Turns events into lines: keys in the order of their bytes, no escaped slashes, so that equal events are equal lines.
package struct EventEncoder: Sendable {
    private let json: JSONEncoder

    package init() {
        let json = JSONEncoder()
        json.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.json = json
    }

    /// The line of an event.
    ///
    /// - Throws: `EventError.malformed` for a number that is not finite or an event of an unknown type,
    ///   `lineTooLong` when the line does not fit.
    package func line(_ event: Event) throws(EventError) -> EventLine {
        try line(event, type: event.type)
    }

    /// The line of what one connection is told.
    ///
    /// - Throws: `EventError.lineTooLong` when it does not fit.
    package func line(_ line: ConnectionLine) throws(EventError) -> EventLine {
        try self.line(line, type: line.type)
    }

    private func line(_ object: some Encodable, type: String) throws(EventError) -> EventLine {
        let data: Data
        do {
            data = try json.encode(object)
        } catch {
            throw EventError(
                operation: .encode,
                kind: .malformed,
                detail: "\(type): \(CodingFailure.words(for: error))"
            )
        }
        return try EventLine(json: data)
    }
}

/// Reads lines back into events.
package struct EventDecoder: Sendable {
    private let json = JSONDecoder()

    package init() {}

    /// The event of a line, with or without its `\n`.
    ///
    /// - Throws: `EventError.malformed` with the place in the object, `lineTooLong` for more than 64 KiB.
    package func event(_ line: some Collection<UInt8>) throws(EventError) -> Event {
        try decode(line)
    }

    /// What one connection was told: `hello`, `heartbeat` or `reply`.
    ///
    /// - Throws: as `event(_:)`, and `malformed` for a line of another type.
    package func connectionLine(_ line: some Collection<UInt8>) throws(EventError) -> ConnectionLine {
        try decode(line)
    }

    private func decode<Line: Decodable>(_ line: some Collection<UInt8>) throws(EventError) -> Line {
        guard line.count <= EventLine.maximumLength else {
            throw EventError(operation: .decode, kind: .lineTooLong, detail: "the line has \(line.count) bytes")
        }
        do {
            return try json.decode(Line.self, from: Data(line))
        } catch {
            throw EventError(operation: .decode, kind: .malformed, detail: CodingFailure.words(for: error))
        }
    }
}

/// The words of `EncodingError` and `DecodingError` with the place where it happened.
enum CodingFailure {
    static func words(for error: any Error) -> String {
        switch error {
        case EncodingError.invalidValue(_, let context): place(context.codingPath) + context.debugDescription
        case DecodingError.keyNotFound(let key, let context):
            place(context.codingPath) + "the field \"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            place(context.codingPath) + context.debugDescription
        default: "\(error)"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "" : path.map(\.stringValue).joined(separator: ".") + ": "
    }
}
