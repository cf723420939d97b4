/// Cuts what arrives into lines and holds no more than one line of the greatest length.
struct LineSplitter {
    struct TooLong: Error, Hashable {}

    /// The longest line, bytes, without its `\n`.
    let maximumLength: Int
    private var bytes: [UInt8] = []
    private var start = 0
    /// Where looking for the next `\n` goes on, so that a line in many pieces is searched once.
    private var searched = 0

    init(maximumLength: Int) {
        self.maximumLength = maximumLength
    }

    mutating func append(_ more: some Collection<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next whole line without its `\n`; nil when more must arrive first.
    ///
    /// - Throws: `TooLong`, for ever from then on.
    mutating func next() throws(TooLong) -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            guard bytes.count - start <= maximumLength else { throw TooLong() }
            return nil
        }
        guard end - start <= maximumLength else { throw TooLong() }
        defer {
            start = end + 1
            searched = start
        }
        return Array(bytes[start..<end])
    }

    /// What came behind the last `\n`; to be asked at the end of the input.
    mutating func remainder() -> [UInt8] {
        defer {
            bytes = []
            start = 0
            searched = 0
        }
        return Array(bytes[start...])
    }
}

extension [UInt8] {
    /// Whether there is nothing in it but spaces and the like.
    var isBlankLine: Bool {
        allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
    }
}
