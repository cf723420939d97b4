/// Qwen2's split of text into the pieces that byte-pair merging works on.
///
/// The reference is the regular expression of the published tokenizers, whose alternatives are tried in order:
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
///
/// Here they are a state machine over scalars. Every scalar is read a bounded number of times: no input is slow.
struct PreTokenizer: Sendable {
    static let standard = PreTokenizer()

    /// The pattern, as it stands in `tokenizer.json`.
    static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// What the pattern can tell apart.
    private enum Kind: UInt8 {
        case letter, number, newline, space, other
    }

    /// The kinds of the BMP, by code point.
    private let kinds: [Kind]

    private init() {
        kinds = (0..<0x1_0000).map { Unicode.Scalar(UInt32($0)).map(Self.kind) ?? .other }
    }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        if scalar == "\r" || scalar == "\n" { return .newline }
        if scalar.properties.isWhitespace { return .space }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: .other
        }
    }

    @inline(__always)
    private func kind(_ scalar: UInt32) -> Kind {
        if scalar < 0x1_0000 { return kinds[Int(scalar)] }
        return Unicode.Scalar(scalar).map(Self.kind) ?? .other
    }

    /// The end of the piece that begins at `start`.
    ///
    /// - Parameter text: valid UTF-8, a whole segment between added tokens; `start` lies before its end.
    func endOfPiece(_ text: [UInt8], from start: Int) -> Int {
        let (scalar, next) = UTF8Scalars.decode(text, at: start)
        if scalar == 0x27, let end = endOfContraction(text, after: next) { return end }
        switch kind(scalar) {
        case .letter:
            return endOfRun(of: .letter, text, from: next)
        case .number:
            return next
        case .newline:
            return endOfWhitespace(text, from: start)
        case .space:
            guard next < text.count else { return next }
            let (second, afterSecond) = UTF8Scalars.decode(text, at: next)
            switch kind(second) {
            case .letter: return endOfRun(of: .letter, text, from: afterSecond)
            case .other where scalar == 0x20: return endOfSymbols(text, from: afterSecond)
            case .number, .other: return next
            case .space, .newline: return endOfWhitespace(text, from: start)
            }
        case .other:
            guard next < text.count else { return next }
            let (second, afterSecond) = UTF8Scalars.decode(text, at: next)
            if kind(second) == .letter { return endOfRun(of: .letter, text, from: afterSecond) }
            return endOfSymbols(text, from: next)
        }
    }

    /// `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d` in either case; the long s (U+017F) is an s as well.
    private func endOfContraction(_ text: [UInt8], after apostrophe: Int) -> Int? {
        guard apostrophe < text.count else { return nil }
        let second = apostrophe + 1 < text.count ? text[apostrophe + 1] | 0x20 : 0
        switch text[apostrophe] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            // With the sixth bit set 0x53 and 0x73 are both s; nothing else below 0x80 becomes a letter this way.
            return apostrophe + 1
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return second == UInt8(ascii: "e") ? apostrophe + 2 : nil
        case UInt8(ascii: "l"):
            return second == UInt8(ascii: "l") ? apostrophe + 2 : nil
        case 0xE5 where text[apostrophe] == 0xC5 && text[apostrophe + 1] == 0xBF:
            return apostrophe + 2
        default:
            return nil
        }
    }

    private func endOfRun(of wanted: Kind, _ text: [UInt8], from start: Int) -> Int {
        var index = start
        while index < text.count {
            let (scalar, next) = UTF8Scalars.decode(text, at: index)
            if kind(scalar) != wanted { break }
            index = next
        }
        return index
    }

    /// Symbols and the line ends that follow them.
    private func endOfSymbols(_ text: [UInt8], from start: Int) -> Int {
        var index = endOfRun(of: .other, text, from: start)
        while index < text.count, text[index] == 0x0A || text[index] == 0x0D { index += 1 }
        return index
    }

    /// White space up to its last line end; without one, all of it but the last when something follows.
    private func endOfWhitespace(_ text: [UInt8], from start: Int) -> Int {
        var index = start
        var afterNewline: Int?
        var last = start
        while index < text.count {
            let (scalar, next) = UTF8Scalars.decode(text, at: index)
            let kind = kind(scalar)
            if kind == .newline { afterNewline = next } else if kind != .space { break }
            last = index
            index = next
        }
        if let afterNewline { return afterNewline }
        return index == text.count || last == start ? index : last
    }
}
