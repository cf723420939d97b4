package import Events

/// Reads lines of events leniently: what is damaged or unknown is counted, and the rest is read.
package struct EventReading: Sendable {
    /// What a file held, line by line; every line is in exactly one of the first four counters.
    package struct Counts: Sendable, Hashable {
        /// Events of a known type.
        package var events = 0
        /// Events of a type that this version does not know, by the type's name.
        package var unknown: [String: Int] = [:]
        /// Lines that were meant for one connection: greetings and heartbeats of a daemon.
        package var connection = 0
        /// Lines that are no events.
        package var damaged = 0
        /// The first damaged lines: their number, from 1, and what is wrong.
        package var examples: [Example] = []
        /// Whether the file ends in the middle of a line, which is then a damaged one.
        package var isCut = false

        package struct Example: Sendable, Hashable {
            package let line: Int
            package let reason: String
        }

        package init() {}

        /// Lines that are not blank.
        package var lines: Int { events + unknownLines + connection + damaged }

        package var unknownLines: Int { unknown.values.reduce(0, +) }
    }

    /// Examples that are kept.
    private static let exampleLimit = 5
    /// Names of unknown types that are kept; more than that is no file of events.
    private static let unknownLimit = 20
    private static let connectionTypes: Set<String> = ["hello", "heartbeat", "reply"]

    package private(set) var counts = Counts()
    private var cutter = LineCutter()
    private var number = 0
    private let decoder = EventDecoder()

    package init() {}

    /// The events in `bytes`, the next part of a file.
    package mutating func append(_ bytes: some Collection<UInt8>, _ body: (Event) -> Void) {
        var cutter = cutter
        cutter.append(bytes) { read($0, body) }
        self.cutter = cutter
    }

    /// The file is over: its last line may lack a line break.
    package mutating func finish(_ body: (Event) -> Void) {
        if let piece = cutter.finish() { read(piece, body) }
    }

    private mutating func read(_ piece: LineCutter.Piece, _ body: (Event) -> Void) {
        number += 1
        switch piece {
        case .line(let bytes):
            if !Self.isBlank(bytes) { decode(bytes, body) }
        case .tooLong: note("longer than the \(EventLine.maximumLength) bytes that a line may have")
        case .cut(let bytes):
            if Self.isBlank(bytes) { return }
            // A whole event whose line break alone is missing is as good as any other.
            let before = counts.damaged
            decode(bytes, body)
            counts.isCut = counts.damaged > before
        }
    }

    private static func isBlank(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
    }

    private mutating func decode(_ bytes: [UInt8], _ body: (Event) -> Void) {
        do throws(EventError) {
            let event = try decoder.event(bytes)
            guard event.envelope.schema == Envelope.currentSchema else {
                note("its schema is not \(Envelope.currentSchema)")
                return
            }
            guard case .unknown(let name) = event.payload else {
                counts.events += 1
                body(event)
                return
            }
            if Self.connectionTypes.contains(name) {
                counts.connection += 1
            } else {
                let isKept = counts.unknown[name] != nil || counts.unknown.count < Self.unknownLimit
                counts.unknown[isKept ? name : "…", default: 0] += 1
            }
        } catch {
            note(error.detail)
        }
    }

    private mutating func note(_ reason: String) {
        counts.damaged += 1
        if counts.examples.count < Self.exampleLimit {
            counts.examples.append(Counts.Example(line: number, reason: reason))
        }
    }
}
