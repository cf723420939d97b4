import FaceLLM
import Foundation
import TestSupport
import Testing

/// Truncated and mutated files, and texts made to be slow.
@Suite(.serialized) struct TokenizerFuzzTests {
    /// The files of a folder that reads well, small enough to be read thousands of times.
    private static let files: [(name: String, text: String)] = [
        ("tokenizer.json", SmallVocabulary.tokenizerJSON()),
        ("vocab.json", SmallVocabulary.vocabulary),
        ("merges.txt", SmallVocabulary.merges),
        ("added_tokens.json", #"{"<x>": 260, "<y>": 261}"#),
        (
            "tokenizer_config.json",
            #"{"added_tokens_decoder": {"260": {"content": "<x>", "special": true}}, "a": [1, null]}"#
        ),
        ("special_tokens_map.json", #"{"eos_token": {"content": "<x>"}, "additional_special_tokens": ["<y>"]}"#),
        (
            "ranks.tiktoken",
            (0...255).map { "\(Data([UInt8($0)]).base64EncodedString()) \($0)\n" }.joined() + "YWI= 256\nYWJj 257\n"
        ),
    ]

    /// Reads the folder all ways there are; a tokenizer that results must work.
    private static func read(_ folder: TokenizerFolder) throws -> Int {
        let ways: [() throws -> Tokenizer] = [
            { try Tokenizer(folder: folder.path) }, { try Tokenizer(vocabularyFolder: folder.path) },
            { try Tokenizer(tiktoken: folder.path + "/ranks.tiktoken", added: []) },
        ]
        var refused = 0
        for way in ways {
            do {
                let tokenizer = try way()
                let ids = tokenizer.encode("abc <x> é\n\u{1100}\u{1161}")
                _ = tokenizer.decode(ids + [-1, TokenID(tokenizer.endID)])
            } catch let error as TokenizerError {
                refused += 1
                #expect(!error.file.isEmpty && !error.expected.isEmpty && !error.found.isEmpty)
            }
        }
        return refused
    }

    private static func intact() throws -> TokenizerFolder {
        let folder = try TokenizerFolder()
        for (name, text) in files { try folder.write(text, name) }
        return folder
    }

    @Test(arguments: files.indices) func truncatedFiles(index: Int) throws {
        let (name, text) = Self.files[index]
        let bytes = utf8(text)
        let folder = try Self.intact()
        #expect(try Self.read(folder) == 0)
        for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
            try folder.write(bytes.prefix(length), name)
            let refused = try Self.read(folder)
            if name.hasSuffix("json") { #expect(refused > 0, "\(name) cut to \(length) bytes") }
        }
    }

    @Test(arguments: files.indices) func mutatedFiles(index: Int) throws {
        let (name, text) = Self.files[index]
        let folder = try Self.intact()
        var seed = SeededGenerator(seed: UInt64(100 + index))
        let likely = utf8(#"{}[]",:0123456789-\eu "#) + [0, 0x0A, 0x80, 0xC3, 0xFF]
        for _ in 0..<300 {
            var bytes = utf8(text)
            for _ in 0..<Int.random(in: 1...4, using: &seed) {
                let place = Int.random(in: bytes.indices, using: &seed)
                switch Int.random(in: 0..<4, using: &seed) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &seed)
                case 1: bytes[place] = likely[Int.random(in: likely.indices, using: &seed)]
                case 2: bytes.remove(at: place)
                default:
                    let end = min(bytes.count, place + Int.random(in: 1...30, using: &seed))
                    bytes.insert(contentsOf: bytes[place..<end], at: place)
                }
            }
            try folder.write(bytes, name)
            _ = try Self.read(folder)
        }
    }

    /// A debug build is much slower.
    #if DEBUG
        private static let hostileBytes = 100_000
    #else
        private static let hostileBytes = 1_000_000
    #endif

    /// Each took minutes if merging, matching or normalising were quadratic.
    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            "a", "\0", "\u{301}", "\u{301}\u{323}\u{327}", " ", "\n", "'", "<|im_star", "<", "1", "ab",
            "\u{1100}\u{1161}\u{11A8}", "👨‍👩‍👧", "e\u{301}", "<x>", "a\u{300}\u{323}", "\u{FEFF}", "\u{10FFFF}",
        ]
    ) func hostileTexts(unit: String) throws {
        let folder = try Self.intact()
        let tokenizer = try Tokenizer(folder: folder.path)
        let text = String(repeating: unit, count: Self.hostileBytes / unit.utf8.count)
        let decoded = utf8(tokenizer.decode(tokenizer.encode(text)))
        #expect(!decoded.isEmpty && decoded.count <= text.utf8.count)
        if unit.utf8.allSatisfy({ $0 < 0x80 }) { #expect(decoded == utf8(text)) }
    }

    /// The full vocabulary merges a long run in many steps.
    @Test(
        .enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent),
        .timeLimit(.minutes(2)),
        arguments: ["a", " ", "\n", "=", "ab"]
    ) func longRunsInTheFullVocabulary(unit: String) throws {
        let tokenizer = try TokenizerConformance.full.get()
        let text = String(repeating: unit, count: Self.hostileBytes / unit.utf8.count)
        let ids = tokenizer.encode(text)
        #expect(ids.count <= text.utf8.count / 2)
        #expect(utf8(tokenizer.decode(ids)) == utf8(text))
    }
}
