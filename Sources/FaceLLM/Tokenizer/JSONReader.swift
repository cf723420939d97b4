/// A pull parser for the tokenizer's files: the caller says what it expects next and gets a named error otherwise.
///
/// Vocabularies are objects of 150,000 members; reading them this way makes no intermediate tree, keeps keys as bytes
/// (`String` keys would be compared by canonical equivalence) and knows where an error is.
struct JSONReader {
    let file: String
    private let bytes: [UInt8]
    private var position = 0
    /// What is being read, for messages.
    var key = ""

    /// Deepest nesting that is skipped over.
    private static let maximumDepth = 64

    init(file: String, bytes: [UInt8]) throws(TokenizerError) {
        self.file = file
        self.bytes = bytes
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TokenizerError(file: file, expected: "UTF-8 text", found: "bytes that are not UTF-8")
        }
    }

    // MARK: - Containers

    /// Enters an object; false when it is empty.
    mutating func openObject() throws(TokenizerError) -> Bool {
        try open(UInt8(ascii: "{"), "an object", close: UInt8(ascii: "}"))
    }

    /// Enters an array; false when it is empty.
    mutating func openArray() throws(TokenizerError) -> Bool {
        try open(UInt8(ascii: "["), "an array", close: UInt8(ascii: "]"))
    }

    /// The name of the next member, as UTF-8; the value follows.
    mutating func member() throws(TokenizerError) -> [UInt8] {
        let name = try string()
        guard next() == UInt8(ascii: ":") else { throw failure("a colon after a member's name") }
        position += 1
        return name
    }

    /// Whether the object goes on after the value just read.
    mutating func objectContinues() throws(TokenizerError) -> Bool { try continues(UInt8(ascii: "}")) }

    /// Whether the array goes on after the value just read.
    mutating func arrayContinues() throws(TokenizerError) -> Bool { try continues(UInt8(ascii: "]")) }

    /// The end of the file, after the one value that it holds.
    mutating func end() throws(TokenizerError) {
        if next() != nil { throw failure("the end of the file") }
    }

    private mutating func open(_ bracket: UInt8, _ what: String, close: UInt8) throws(TokenizerError) -> Bool {
        guard next() == bracket else { throw failure(what) }
        position += 1
        guard next() == close else { return true }
        position += 1
        return false
    }

    private mutating func continues(_ close: UInt8) throws(TokenizerError) -> Bool {
        let byte = next()
        guard byte == close || byte == UInt8(ascii: ",") else {
            throw failure("a comma or \"\(String(UnicodeScalar(close)))\"")
        }
        position += 1
        return byte != close
    }

    // MARK: - Values

    /// The first byte of the next value; nil at the end of the file.
    mutating func next() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// A string's content as UTF-8, escapes resolved.
    mutating func string() throws(TokenizerError) -> [UInt8] {
        guard next() == UInt8(ascii: "\"") else { throw failure("a string") }
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return content
            case UInt8(ascii: "\\"): try escape(into: &content)
            case ..<0x20: throw failure("an escape for a control character")
            default: content.append(byte)
            }
        }
        throw failure("the end of a string")
    }

    private mutating func escape(into content: inout [UInt8]) throws(TokenizerError) {
        guard position < bytes.count else { throw failure("an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hexadecimal()
            if (0xD800...0xDBFF).contains(scalar), position + 1 < bytes.count,
                bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try hexadecimal()
                guard (0xDC00...0xDFFF).contains(low) else { throw failure("the second half of a surrogate pair") }
                scalar = 0x1_0000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard Unicode.Scalar(scalar) != nil else { throw failure("a surrogate pair") }
            UTF8Scalars.append(scalar, to: &content)
        default: throw failure("an escape")
        }
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("four hexadecimal digits") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw failure("four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    /// A number without fraction or exponent.
    mutating func integer() throws(TokenizerError) -> Int {
        guard let first = next(), first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            throw failure("an integer")
        }
        let text = word()
        guard let value = Int(text) else { throw failure("an integer", found: TokenizerError.quoted(text.utf8)) }
        return value
    }

    mutating func boolean() throws(TokenizerError) -> Bool {
        _ = next()
        let start = position
        switch word() {
        case "true": return true
        case "false": return false
        default:
            position = start
            throw failure("true or false")
        }
    }

    /// Passes over a value of any kind.
    mutating func skip() throws(TokenizerError) { try skip(depth: 0) }

    private mutating func skip(depth: Int) throws(TokenizerError) {
        guard depth < Self.maximumDepth else { throw failure("at most \(Self.maximumDepth) levels of nesting") }
        switch next() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"):
            var more = try openObject()
            while more {
                _ = try member()
                try skip(depth: depth + 1)
                more = try objectContinues()
            }
        case UInt8(ascii: "["):
            var more = try openArray()
            while more {
                try skip(depth: depth + 1)
                more = try arrayContinues()
            }
        default:
            let text = word()
            guard text == "true" || text == "false" || text == "null" || Double(text) != nil else {
                throw failure("a value", found: text.isEmpty ? nil : TokenizerError.quoted(text.utf8))
            }
        }
    }

    /// All strings, numbers and words below the next value, by their path: `pattern.Regex`, `pretokenizers[0].type`.
    mutating func leaves() throws(TokenizerError) -> [String: String] {
        var found: [String: String] = [:]
        try collect("", depth: 0, into: &found)
        return found
    }

    private mutating func collect(
        _ path: String,
        depth: Int,
        into found: inout [String: String]
    ) throws(TokenizerError) {
        guard depth < Self.maximumDepth else { throw failure("at most \(Self.maximumDepth) levels of nesting") }
        switch next() {
        case UInt8(ascii: "\""): found[path] = String(decoding: try string(), as: UTF8.self)
        case UInt8(ascii: "{"):
            var more = try openObject()
            while more {
                let name = String(decoding: try member(), as: UTF8.self)
                try collect(path.isEmpty ? name : "\(path).\(name)", depth: depth + 1, into: &found)
                more = try objectContinues()
            }
        case UInt8(ascii: "["):
            var more = try openArray()
            var index = 0
            while more {
                try collect("\(path)[\(index)]", depth: depth + 1, into: &found)
                index += 1
                more = try arrayContinues()
            }
        default:
            let start = position
            try skip()
            found[path] = String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }

    /// Letters, digits and signs up to the next delimiter.
    private mutating func word() -> String {
        let start = position
        while position < bytes.count, position - start < 64 {
            let byte = bytes[position]
            let isWord =
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
                default: false
                }
            if !isWord { break }
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// An error at the present position, under the present key.
    func failure(_ expected: String, found: String? = nil) -> TokenizerError {
        let seen = found ?? (position < bytes.count ? TokenizerError.quoted(bytes[position...].prefix(20)) : "the end")
        return TokenizerError(file: file, key: key, expected: expected, found: "\(seen) at byte \(position)")
    }
}
