/// Files of byte-pair ranks: base64 of a token, a space, its rank.
enum TiktokenFile {
    static func vocabulary(of text: [UInt8], file: String) throws(TokenizerError) -> Vocabulary {
        var vocabulary = Vocabulary()
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty { continue }
            let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
            guard fields.count == 2, let token = base64(fields[0]),
                let rank = Int(String(decoding: fields[1], as: UTF8.self))
            else {
                throw TokenizerError(
                    file: file,
                    key: "line \(number)",
                    expected: "a token in base64 and its rank",
                    found: TokenizerError.quoted(line)
                )
            }
            if let wrong = vocabulary.add(token, id: rank) {
                throw TokenizerError(
                    file: file,
                    key: "line \(number)",
                    expected: "distinct tokens and ranks from 0 to \(Vocabulary.maximumID - 1)",
                    found: wrong
                )
            }
        }
        if let byte = vocabulary.indexBytes() {
            throw TokenizerError(file: file, expected: "a token for each byte", found: "none for \(byte)")
        }
        try addMerges(to: &vocabulary, file: file)
        return vocabulary
    }

    /// Finds, by rising rank, which two tokens each token is made of: what the rules up to there leave of its bytes.
    private static func addMerges(to vocabulary: inout Vocabulary, file: String) throws(TokenizerError) {
        var merger = BytePairMerger()
        var parts: [TokenID] = []
        for id in 0..<TokenID(vocabulary.endID) {
            let token = vocabulary.bytes(of: id)
            guard token.count > 1 else { continue }
            parts.removeAll(keepingCapacity: true)
            merger.merge(token, vocabulary, into: &parts)
            guard parts.count == 2 else {
                throw TokenizerError(
                    file: file,
                    key: "rank \(id)",
                    expected: "a token made of two of lower ranks",
                    found: "\(TokenizerError.quoted(token)), made of \(parts.count)"
                )
            }
            vocabulary.addMerge(parts[0], parts[1], becoming: id)
        }
    }

    /// The bytes that padded base64 stands for; nil when it is malformed.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard !text.isEmpty, text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var filled = 0
        for character in text.dropLast(padding) {
            let value: UInt8
            switch character {
            case 0x41...0x5A: value = character - 0x41
            case 0x61...0x7A: value = character - 0x61 + 26
            case 0x30...0x39: value = character - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            filled += 6
            if filled >= 8 {
                filled -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(filled)))
            }
        }
        return bytes
    }
}
