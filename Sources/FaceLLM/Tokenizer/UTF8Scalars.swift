/// Reading and writing scalars of UTF-8 that is known to be valid, as text from a `String` is.
///
/// Tokenising works on bytes in arrays, because token
/// boundaries are byte offsets anyway.
enum UTF8Scalars {
    /// The scalar that starts at `index` and the index after it.
    ///
    /// - Parameter bytes: valid UTF-8; `index` is the start of a character.
    @inline(__always)
    static func decode(_ bytes: [UInt8], at index: Int) -> (scalar: UInt32, next: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), index + 1) }
        let second = UInt32(bytes[index + 1] & 0x3F)
        if first < 0xE0 { return (UInt32(first & 0x1F) << 6 | second, index + 2) }
        let third = UInt32(bytes[index + 2] & 0x3F)
        if first < 0xF0 { return (UInt32(first & 0x0F) << 12 | second << 6 | third, index + 3) }
        let fourth = UInt32(bytes[index + 3] & 0x3F)
        return (UInt32(first & 0x07) << 18 | second << 12 | third << 6 | fourth, index + 4)
    }

    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case ..<0x80:
            bytes.append(UInt8(scalar))
        case ..<0x800:
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x1_0000:
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// How many bytes at the end of `bytes` are the beginning of a character that later bytes may complete.
    ///
    /// 0 when the text ends with a whole character or with bytes that no continuation can make valid. The limits of
    /// the second byte are those of Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
    static func incompleteTail(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.count - length]
            if byte & 0xC0 == 0x80 { continue }  // a continuation byte: the lead stands further left
            let needed =
                switch byte {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 0
                }
            if needed <= length { return 0 }
            if length >= 2 {
                let second = bytes[bytes.count - length + 1]
                let allowed: ClosedRange<UInt8> =
                    switch byte {
                    case 0xE0: 0xA0...0xBF
                    case 0xED: 0x80...0x9F
                    case 0xF0: 0x90...0xBF
                    case 0xF4: 0x80...0x8F
                    default: 0x80...0xBF
                    }
                if !allowed.contains(second) { return 0 }
            }
            return length
        }
        return 0
    }
}
