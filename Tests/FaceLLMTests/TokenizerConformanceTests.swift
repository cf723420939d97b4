import FaceLLM
import Foundation
import Testing

/// Equality with the reference on everything that was recorded from it.
@Suite(.enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent))
struct TokenizerConformanceTests {
    private let tokenizer: Tokenizer

    init() throws { tokenizer = try TokenizerConformance.full.get() }

    @Test func encodesAllGoldenStrings() throws {
        let golden = try TokenizerConformance.decode(EncodeGolden.self, "tokenizer/encode.json")
        #expect(!golden.entries.isEmpty)
        for entry in golden.entries {
            #expect(tokenizer.encode(entry.text) == entry.ids, "entry \(entry.id), \(entry.text.debugDescription)")
        }
    }

    @Test func decodesWhatItEncoded() throws {
        for entry in try TokenizerConformance.decode(EncodeGolden.self, "tokenizer/encode.json").entries {
            #expect(utf8(tokenizer.decode(entry.ids)) == utf8(entry.decoded ?? entry.text), "entry \(entry.id)")
        }
    }

    private struct DecodeGolden: Decodable {
        struct Entry: Decodable {
            let ids: [TokenID]
            let text: String
            let text_skip_special: String
        }
        let entries: [Entry]
    }

    @Test(arguments: [false, true]) func decodesAllGoldenLists(skipsSpecialTokens: Bool) throws {
        let golden = try TokenizerConformance.decode(DecodeGolden.self, "tokenizer/decode.json")
        #expect(!golden.entries.isEmpty)
        for entry in golden.entries {
            let wanted = skipsSpecialTokens ? entry.text_skip_special : entry.text
            let text = tokenizer.decode(entry.ids, skipsSpecialTokens: skipsSpecialTokens)
            #expect(utf8(text) == utf8(wanted), "\(entry.ids)")
            var stream = Detokenizer(tokenizer, skipsSpecialTokens: skipsSpecialTokens)
            let pieces = entry.ids.map { stream.append($0) } + [stream.finish()]
            #expect(utf8(pieces.joined()) == utf8(wanted), "\(entry.ids)")
        }
    }

    @Test func knowsTheIDsOfTheModel() {
        let tokens = [
            "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "user", "none such",
        ]
        let ids = tokens.map(tokenizer.id(of:))
        #expect(ids == [151643, 151644, 151645, 151665, 151666, 151667, 872, nil])
        #expect(tokenizer.endID == 151675)
        #expect(tokenizer.encode("Hello world") == [9707, 1879])
        #expect(tokenizer.encode(" Hello world") == [21927, 1879])
    }

    /// `cases/NAME.json` holds what the tiny models read and wrote.
    private struct Case: Decodable {
        let model: String
        let prompt: String
        let input_ids: [TokenID]
        let generated_ids: [TokenID]
        let generated_text: String
        let generated_text_with_special: String
    }

    private static var cases: [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: TokenizerConformance.folder + "/cases")
        return (files ?? []).filter { $0.hasSuffix(".json") && $0 != "index.json" }.sorted()
    }

    @Test(arguments: cases) func tinyModels(file: String) throws {
        let golden = try TokenizerConformance.decode(Case.self, "cases/" + file)
        let tokenizer = try TokenizerConformance.tiny(golden.model)
        #expect(tokenizer.encode(golden.prompt) == golden.input_ids)
        let ids = golden.generated_ids
        #expect(utf8(tokenizer.decode(ids, skipsSpecialTokens: true)) == utf8(golden.generated_text))
        #expect(utf8(tokenizer.decode(ids)) == utf8(golden.generated_text_with_special))
    }

    @Test func allSourcesGiveTheSameTokens() throws {
        let json = try TokenizerConformance.tiny("tiny-internvl-hf")
        let others = [
            try TokenizerConformance.tiny("tiny-internvl-chat"),
            try Tokenizer(vocabularyFolder: TokenizerConformance.folder + "/tiny-internvl-hf"),
            try Self.firstRanks(1024, added: json.addedTokens),
        ]
        for other in others { #expect(other.addedTokens == json.addedTokens) }
        for entry in try TokenizerConformance.decode(EncodeGolden.self, "tokenizer/encode.json").entries {
            let ids = json.encode(entry.text)
            #expect(ids.allSatisfy { $0 < 1056 })
            for other in others { #expect(other.encode(entry.text) == ids, "entry \(entry.id)") }
            #expect(utf8(json.decode(ids)) == utf8(entry.decoded ?? entry.text), "entry \(entry.id)")
        }
    }

    /// The tiny models' vocabulary as a file of ranks.
    private static func firstRanks(_ count: Int, added: [AddedToken]) throws -> Tokenizer {
        let ranks = try Data(contentsOf: URL(filePath: TokenizerConformance.folder + "/tokenizer/qwen.tiktoken"))
        let folder = try TokenizerFolder()
        try folder.write(ranks.split(separator: 10).prefix(count).joined(separator: [10]), "first.tiktoken")
        return try Tokenizer(tiktoken: folder.path + "/first.tiktoken", added: added)
    }

    /// Eight tasks share one tokenizer and its cache.
    @Test func isSharedBetweenTasks() async throws {
        let entries = try TokenizerConformance.decode(EncodeGolden.self, "tokenizer/encode.json").entries
        let tokenizer = self.tokenizer
        let wrong = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in entries.count { tokenizer.encode($0.text) != $0.ids } }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
