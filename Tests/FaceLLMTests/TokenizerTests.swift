import FaceLLM
import Foundation
import TestSupport
import Testing

/// What does not need the golden files: a vocabulary of the bytes and a few tokens.
@Suite struct TokenizerTests {
    private let tokenizer: Tokenizer

    init() throws {
        let folder = try TokenizerFolder()
        try folder.write(SmallVocabulary.tokenizerJSON(), "tokenizer.json")
        tokenizer = try Tokenizer(folder: folder.path)
    }

    private func pieces(_ text: String) -> [String] { tokenizer.encode(text).map { tokenizer.decode([$0]) } }

    @Test func mergesByPriority() {
        #expect(pieces("abc") == ["abc"])
        #expect(pieces("bcab") == ["bc", "ab"])
        #expect(pieces("bbc abc") == ["b", "bc", " ", "abc"])
        #expect(pieces("").isEmpty)
    }

    @Test func piecesLongerThanTheScanMergeTheSame() {
        let count = 1000
        #expect(tokenizer.encode(String(repeating: "abc", count: count)) == Array(repeating: 257, count: count))
        #expect(tokenizer.encode(String(repeating: "ab", count: count)) == Array(repeating: 256, count: count))
        #expect(pieces(String(repeating: "b", count: 40) + "cab").suffix(3) == ["b", "bc", "ab"])
    }

    @Test func addedTokensComeFirstUnlessTheyAreText() {
        #expect(tokenizer.encode("a<x>b<x>") == [97, 260, 98, 260].map(byteToken))
        #expect(tokenizer.encode("<x", recognizesAddedTokens: true).count == 2)
        #expect(tokenizer.encode("<x>", recognizesAddedTokens: false).count == 3)
        #expect(tokenizer.decode(tokenizer.encode("a<x>b"), skipsSpecialTokens: true) == "ab")
        // Merging does not reach across one.
        #expect(pieces("a<x>b") == ["a", "<x>", "b"])
    }

    /// In a file of the byte alphabet in byte order the ids are the bytes.
    private func byteToken(_ id: Int) -> TokenID { TokenID(id) }

    @Test func lookups() {
        #expect(tokenizer.id(of: "abc") == 257)
        #expect(tokenizer.id(of: "<x>") == 260)
        #expect(tokenizer.id(of: "nothing") == nil)
        #expect(tokenizer.id(of: "") == nil)
        #expect(tokenizer.bytes(of: 0xE4) == [0xE4])
        #expect(tokenizer.bytes(of: 260) == utf8("<x>"))
        #expect(tokenizer.endID == 261)
        for id in [-1, 261, TokenID.max, .min] {
            #expect(tokenizer.bytes(of: id).isEmpty)
            #expect(tokenizer.decode([id, 97]) == "a")
        }
    }

    @Test func everyStringOfBytesComesBack() {
        var seed = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<20).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &seed)) }
                )
            )
            let once = tokenizer.decode(tokenizer.encode(text))
            #expect(once == text, "equal by canonical equivalence")
            #expect(utf8(tokenizer.decode(tokenizer.encode(once))) == utf8(once))
        }
    }

    @Test func normalisation() {
        let cases = [
            ("e\u{301}", "\u{e9}"), ("\u{212B}", "\u{c5}"), ("\u{958}", "\u{915}\u{93c}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("\u{1100}\u{1161}\u{11A8}", "\u{ac01}"), ("\u{344}", "\u{308}\u{301}"), ("\u{fb01}", "\u{fb01}"),
            ("\u{2F800}", "\u{4E3D}"), ("\u{11099}\u{110BA}", "\u{1109A}"), ("a\u{301}\u{1D165}", "\u{e1}\u{1D165}"),
        ]
        for (text, normalized) in cases {
            #expect(utf8(tokenizer.decode(tokenizer.encode(text))) == utf8(normalized), "\(text.unicodeScalars)")
        }
    }
}

/// Text that comes token by token.
@Suite struct DetokenizerTests {
    private let tokenizer: Tokenizer

    init() throws {
        let folder = try TokenizerFolder()
        try folder.write(SmallVocabulary.tokenizerJSON(), "tokenizer.json")
        tokenizer = try Tokenizer(folder: folder.path)
    }

    @Test func waitsForWholeCharacters() {
        var stream = Detokenizer(tokenizer)
        #expect([0xF0, 0x9F, 0x98, 0x80, 0x41].map { stream.append($0) } == ["", "", "", "😀", "A"])
        #expect(stream.finish().isEmpty)
    }

    @Test func brokenBeginningsAreReplacedOnceTheyAreKnownToBeBroken() {
        var stream = Detokenizer(tokenizer)
        #expect([0xE4, 0xBA, 0x41].map { stream.append($0) } == ["", "", "\u{FFFD}A"])
        #expect([0xED, 0xA0].map { stream.append($0) } == ["", "\u{FFFD}\u{FFFD}"])
        #expect([0xC0, 0xF5, 0x80].map { stream.append($0) } == ["\u{FFFD}", "\u{FFFD}", "\u{FFFD}"])
        #expect(stream.append(0xC3) == "")
        #expect(stream.finish() == "\u{FFFD}")
        #expect(stream.finish().isEmpty)
    }

    @Test func specialTokensThatAreSkippedDoNotBreakACharacter() {
        var skipping = Detokenizer(tokenizer)
        #expect([0xC3, 260, 0xA9].map { skipping.append($0) } == ["", "", "é"])
        var showing = Detokenizer(tokenizer, skipsSpecialTokens: false)
        #expect([0xC3, 260, 0xA9].map { showing.append($0) } == ["", "\u{FFFD}<x>", "\u{FFFD}"])
    }

    /// Random bytes, many of them beginnings and continuations.
    @Test func piecesAddUpToTheWhole() {
        var seed = SeededGenerator(seed: 3)
        let leads: [TokenID] = [
            0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xE4, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xA0, 0x90, 0x9F, 260,
        ]
        for round in 0..<5000 {
            let ids = (0..<10).map { _ in
                Bool.random(using: &seed)
                    ? leads[Int.random(in: leads.indices, using: &seed)] : TokenID.random(in: 0..<262, using: &seed)
            }
            for skips in [false, true] {
                var stream = Detokenizer(tokenizer, skipsSpecialTokens: skips)
                let text = (ids.map { stream.append($0) } + [stream.finish()]).joined()
                #expect(utf8(text) == utf8(tokenizer.decode(ids, skipsSpecialTokens: skips)), "round \(round), \(ids)")
            }
        }
    }
}
