/// The printable stand-ins of bytes in `vocab.json` and `merges.txt`, as GPT-2 introduced them.
///
/// Printable Latin-1 characters stand for themselves; the other 68 bytes, in order, for U+0100 and on: `Ġ` is a space,
/// `Ċ` a line feed.
enum ByteAlphabet {
    /// The byte for each code point below U+0144; nil where the alphabet has no character.
    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        var moved = 0x100
        for byte in 0...255 {
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE {
                table[byte] = UInt8(byte)
            } else {
                table[moved] = UInt8(byte)
                moved += 1
            }
        }
        return table
    }()

    /// The bytes that `text` stands for; nil when a character is not of the alphabet.
    ///
    /// - Parameter text: valid UTF-8.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var lead: UInt8 = 0
        for byte in text {
            var scalar = Int(byte)
            if lead != 0 {
                scalar = Int(lead & 0x1F) << 6 | Int(byte & 0x3F)
                lead = 0
            } else if byte >= 0x80 {
                guard byte < 0xE0 else { return nil }  // three bytes and more: above U+07FF
                lead = byte
                continue
            }
            guard scalar < bytes.count, let original = bytes[scalar] else { return nil }
            decoded.append(original)
        }
        return decoded
    }

    /// All bytes in the order of their stand-ins, which is that of the first 256 tokens of GPT-2 and Qwen.
    static var allBytes: [UInt8] { bytes.compactMap(\.self) }

    /// The character of each byte.
    private static let characters: [Unicode.Scalar] = {
        var table = [Unicode.Scalar](repeating: "\0", count: 256)
        for (code, byte) in bytes.enumerated() {
            if let byte, let scalar = Unicode.Scalar(UInt32(code)) { table[Int(byte)] = scalar }
        }
        return table
    }()

    /// The text that stands for `bytes`.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(characters[Int(byte)]) }
        return String(text)
    }
}
