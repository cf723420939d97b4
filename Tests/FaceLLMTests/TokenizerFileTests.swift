import FaceLLM
import Foundation
import Testing

/// Files that are wrong: an error that names file, entry, expectation and finding, never a trap.
@Suite struct TokenizerFileTests {
    private static func json(_ text: String) throws -> Tokenizer {
        let folder = try TokenizerFolder()
        try folder.write(text, "tokenizer.json")
        return try Tokenizer(folder: folder.path)
    }

    private static func folder(
        vocabulary: String = SmallVocabulary.vocabulary,
        merges: String = SmallVocabulary.merges,
        others: [String: String] = [:]
    ) throws -> Tokenizer {
        let folder = try TokenizerFolder()
        try folder.write(vocabulary, "vocab.json")
        try folder.write(merges, "merges.txt")
        for (name, text) in others { try folder.write(text, name) }
        return try Tokenizer(folder: folder.path)
    }

    @Test func emptyFolder() throws {
        let folder = try TokenizerFolder()
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(folder: folder.path) }
        #expect(error?.expected == "tokenizer.json, or vocab.json and merges.txt")
        #expect(error?.description.hasPrefix(folder.path + ": expected tokenizer.json") == true)
        try folder.write(SmallVocabulary.vocabulary, "vocab.json")
        let second = #expect(throws: TokenizerError.self) { try Tokenizer(folder: folder.path) }
        #expect(second?.file.hasSuffix("/merges.txt") == true)
    }

    /// A text, and what the error's expectation and key contain.
    struct Malformed: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: String
        let key: String

        init(_ text: String, _ expected: String, _ key: String) {
            self.text = text
            self.expected = expected
            self.key = key
        }

        /// The file's text itself would fill the test report.
        var testDescription: String { "\(key), \(expected), \(text.utf8.count) bytes" }
    }

    private static func added(_ token: String) -> String { SmallVocabulary.tokenizerJSON(added: token) }
    private static func merges(_ rules: String) -> String { SmallVocabulary.tokenizerJSON(merges: rules) }
    private static func model(_ member: String) -> String { SmallVocabulary.tokenizerJSON(model: member) }

    static let malformed: [Malformed] = [
        Malformed("", "an object", ""),
        Malformed("[]", "an object", ""),
        Malformed(SmallVocabulary.tokenizerJSON() + "x", "the end of the file", ""),
        Malformed(SmallVocabulary.tokenizerJSON(normalizer: #"{"type":"NFKC"}"#), "\"NFC\"", "normalizer.type"),
        Malformed(SmallVocabulary.tokenizerJSON(regex: "\\\\w+"), "\\p{L}", "pre_tokenizer.pretokenizers[0].pattern"),
        Malformed(model(#""dropout":0.1,"#), "null", "model.dropout"),
        Malformed(model(#""ignore_merges":true,"#), "false", "model.ignore_merges"),
        Malformed(model(#""type":"Unigram","#), "BPE", "model.type"),
        Malformed(merges(#"["a b c"]"#), "two tokens", "model.merges[0]"),
        Malformed(merges(#"["a b",["a","zz"]]"#), "vocabulary", "model.merges[1]"),
        Malformed(merges(#"[["a"]]"#), "two tokens", "model.merges"),
        Malformed(merges(#"[["a","b","c"]]"#), "two tokens", "model.merges"),
        Malformed(merges(#"["a 人"]"#), "byte alphabet", "model.merges[0]"),
        Malformed(added(#"{"id":7,"content":"<x>"}"#), "ids of their own", "<x>"),
        Malformed(added(#"{"id":-1,"content":"<x>"}"#), "an id from 0", "added_tokens[0]"),
        Malformed(added(#"{"id":99999999999,"content":"<x>"}"#), "an id from 0", "added_tokens[0]"),
        Malformed(added(#"{"id":260,"content":""}"#), "distinct added tokens", "added token"),
        Malformed(added(#"{"id":260}"#), "content", "added_tokens[0]"),
        Malformed(added(#"{"id":260,"content":"<x>","lstrip":true}"#), "lstrip", "added_tokens[0]"),
        Malformed(added(#"{"id":260,"content":5}"#), "a string", "added_tokens[0]"),
        Malformed(added(#"{"id":260,"content":"\ud800"}"#), "surrogate", "added_tokens[0]"),
        Malformed(#"{"x":\#(String(repeating: "[", count: 100_000))"#, "nesting", ""),
        Malformed(#"{"model":{}}"#, "vocab and merges", "model"),
        Malformed(#"{"model":{"vocab":{"a":0}}}"#, "a token for each byte", "model.vocab"),
        Malformed(#"{"model":{"vocab":{"a":0,"a":1}}}"#, "distinct tokens", "model.vocab"),
        Malformed(#"{"model":{"vocab":{"a":0,"b":0}}}"#, "distinct tokens", "model.vocab"),
        Malformed(#"{"model":{"vocab":{"a":1e3}}}"#, "integer", "model.vocab"),
        Malformed(#"{"model":{"vocab":{"a":1152921504606846976}}}"#, "ids from 0", "model.vocab"),
        Malformed(#"{"model":{"vocab":{"a b":0}}}"#, "byte alphabet", "model.vocab"),
    ]

    @Test(arguments: malformed) func malformedTokenizerJSON(_ malformed: Malformed) {
        let error = #expect(throws: TokenizerError.self) { try Self.json(malformed.text) }
        #expect(error?.file.hasSuffix("/tokenizer.json") == true)
        #expect(error?.expected.contains(malformed.expected) == true, "\(error?.description ?? "")")
        #expect(malformed.key.isEmpty || error?.key.contains(malformed.key) == true, "\(error?.description ?? "")")
        #expect(error?.found.isEmpty == false)
    }

    @Test func missingParts() {
        let noModel = SmallVocabulary.tokenizerJSON().replacing("\"model\"", with: "\"other\"")
        #expect(#expect(throws: TokenizerError.self) { try Self.json(noModel) }?.key == "model")
        let noSplit = SmallVocabulary.tokenizerJSON().replacing("\"pre_tokenizer\"", with: "\"other\"")
        #expect(#expect(throws: TokenizerError.self) { try Self.json(noSplit) }?.key == "pre_tokenizer")
    }

    @Test func mergesFile() throws {
        #expect(try Self.folder(merges: "a b\r\n\r\nab c\r\n").encode("abc") == [257])
        #expect(try Self.folder(merges: "").encode("abc") == [97, 98, 99])
        for (text, line) in [("a b\nab", "line 2"), ("a  b", "line 1"), ("#version: 0.2\na zz", "line 2")] {
            let error = #expect(throws: TokenizerError.self) { try Self.folder(merges: text) }
            #expect(error?.key == line)
            #expect(error?.file.hasSuffix("merges.txt") == true)
        }
    }

    @Test func addedTokenFiles() throws {
        let tokenizer = try Self.folder(others: [
            "added_tokens.json": #"{"<x>": 260, "<y>": 261, "<z>": 262, "<w>": 263}"#,
            "tokenizer_config.json": #"""
            {"added_tokens_decoder": {"260": {"content": "<x>", "special": true, "normalized": false}},
             "eos_token": {"content": "<z>", "lstrip": false}, "extra_special_tokens": {"video_token": "<w>"}}
            """#,
            "special_tokens_map.json": #"{"additional_special_tokens": ["<q>", "<y>"]}"#,
        ])
        #expect(tokenizer.addedTokens.map(\.id) == [260, 261, 262, 263])
        #expect(tokenizer.addedTokens.count { !$0.isSpecial } == 0)
        #expect(tokenizer.encode("<y>a<w>") == [261, 97, 263])
        let plain = try Self.folder(others: ["added_tokens.json": #"{"<x>": 260}"#])
        #expect(plain.addedTokens == [AddedToken(id: 260, content: "<x>", isSpecial: false)])
    }

    @Test func contradictionsBetweenFiles() {
        let decoder = #"{"added_tokens_decoder": {"260": {"content": "<x>"}}}"#
        let wrong = [
            ["added_tokens.json": #"{"<x>": 261}"#, "tokenizer_config.json": decoder],
            ["added_tokens.json": #"{"<y>": 260}"#, "tokenizer_config.json": decoder],
            ["tokenizer_config.json": #"{"added_tokens_decoder": {"x": {"content": "<x>"}}}"#],
            ["tokenizer_config.json": #"{"add_prefix_space": true}"#],
            ["added_tokens.json": "[]"],
        ]
        for others in wrong { #expect(throws: TokenizerError.self) { try Self.folder(others: others) } }
    }

    /// Added tokens that are looked for in normalised text are found in whichever form they stand there.
    @Test func normalizedAddedTokens() throws {
        let added =
            #"{"id":260,"content":"<\u0065\u0301>","normalized":true},"#
            + #"{"id":261,"content":"<\u00e9","normalized":false}"#
        let tokenizer = try Self.json(SmallVocabulary.tokenizerJSON(added: added))
        #expect(tokenizer.encode("<e\u{301}>a") == [260, 97])
        #expect(tokenizer.encode("<\u{e9}>a") == [261, 62, 97])
    }

    /// Of several added tokens at one place the longest wins.
    @Test func longestAddedToken() throws {
        let added = #"{"id":260,"content":"<x"},{"id":261,"content":"<x>>"},{"id":262,"content":"x>"}"#
        let tokenizer = try Self.json(SmallVocabulary.tokenizerJSON(added: added))
        #expect(tokenizer.encode("<x><x>>x>") == [260, 62, 261, 262])
    }

    @Test func escapesInJSON() throws {
        let added = #"{"id":260,"content":"\u003C\ud83d\ude00\n\/\"\\>"}"#
        let tokenizer = try Self.json(SmallVocabulary.tokenizerJSON(added: added))
        #expect(tokenizer.encode("<😀\n/\"\\>") == [260])
    }

    @Test(arguments: ["IQ==", "IQ== x", "IQ= 0", "I*== 0", "IQ==  0", "IQ== 0\nIQ== 1", "IQ== 0\nIg== 0", "IQ== -1"])
    func malformedTiktoken(text: String) throws {
        let folder = try TokenizerFolder()
        try folder.write(text, "x.tiktoken")
        let path = folder.path + "/x.tiktoken"
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(tiktoken: path, added: []) }
        #expect(error?.key.hasPrefix("line") == true)
    }

    @Test func tiktokenWithUnreachableToken() throws {
        let folder = try TokenizerFolder()
        let bytes = (0...255).map { "\(Data([UInt8($0)]).base64EncodedString()) \($0)\n" }.joined()
        try folder.write(bytes + "YWI= 256\n", "ab.tiktoken")
        #expect(try Tokenizer(tiktoken: folder.path + "/ab.tiktoken", added: []).encode("ab") == [256])
        try folder.write(bytes + "YWJj 256\n", "abc.tiktoken")
        let path = folder.path + "/abc.tiktoken"
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(tiktoken: path, added: []) }
        #expect(error?.key == "rank 256")
    }

    @Test func aFolderIsNotAFile() throws {
        let folder = try TokenizerFolder()
        #expect(throws: TokenizerError.self) { try Tokenizer(tiktoken: folder.path, added: []) }
        #expect(throws: TokenizerError.self) { try Tokenizer(folder: folder.path + "/none") }
    }
}
