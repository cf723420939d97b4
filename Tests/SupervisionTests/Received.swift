import Events

/// Which lines of one instance a reader has, and what it was told of the rest.
struct Received {
    private(set) var lines: [String] = []
    private(set) var seqs: [Int] = []
    private(set) var gaps: [Gap] = []
    private(set) var errors: [String] = []
    /// Of the last line that can be resumed from.
    private(set) var cursor: String?

    private let decoder = EventDecoder()

    var lost: Int { gaps.reduce(0) { $0 + ($1.lost ?? 0) } }

    /// Takes a line, unless it is one of those that only a connection has.
    mutating func take(_ line: String) throws {
        if line.contains("\"type\":\"heartbeat\"") { return }
        let event = try decoder.event(line.utf8)
        if let seq = event.envelope.seq {
            lines.append(line)
            seqs.append(seq)
            cursor = event.envelope.cursor
        } else if case .gap(let gap) = event.payload {
            gaps.append(gap)
        } else if case .error(let record) = event.payload {
            errors.append(record.code)
        }
    }

    /// Takes the lines that a program wrote before it was killed; a last one that is cut off counts as none.
    mutating func take(output: String) throws {
        for line in output.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            try take(String(line))
        }
    }
}
