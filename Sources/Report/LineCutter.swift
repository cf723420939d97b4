internal import Events

/// Cuts the bytes of a file into lines and never holds more than one line of the longest length.
///
/// Unlike a reader of a live stream it goes on behind a line that is too long: the lines after it are good.
package struct LineCutter: Sendable {
    /// What stands between two line breaks.
    package enum Piece: Sendable, Hashable {
        case line([UInt8])
        /// More bytes than an event may have; they were thrown away.
        case tooLong
        /// The file ends without a line break: the rest of a line that was never written to its end.
        case cut([UInt8])
    }

    private var pending: [UInt8] = []
    private var isSkipping = false

    package init() {}

    /// The lines that end in `bytes`, in order.
    package mutating func append(_ bytes: some Collection<UInt8>, _ body: (Piece) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end])
            body(isSkipping ? .tooLong : .line(pending))
            pending.removeAll(keepingCapacity: true)
            isSkipping = false
            rest = rest[rest.index(after: end)...]
        }
        take(rest)
    }

    /// What came behind the last line break; nil where nothing did.
    package mutating func finish() -> Piece? {
        defer {
            pending = []
            isSkipping = false
        }
        if isSkipping { return .tooLong }
        return pending.isEmpty ? nil : .cut(pending)
    }

    private mutating func take(_ bytes: some Collection<UInt8>) {
        guard !isSkipping else { return }
        pending.append(contentsOf: bytes)
        guard pending.count >= EventLine.maximumLength else { return }
        isSkipping = true
        pending.removeAll(keepingCapacity: true)
    }
}
