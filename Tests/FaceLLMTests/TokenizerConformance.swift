import FaceLLM
import Foundation
import Testing

/// The golden files of `shared/conformance`; $FACELLM_CONFORMANCE names another place for them.
enum TokenizerConformance {
    static let folder: String = {
        if let path = ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"], !path.isEmpty { return path }
        // <package>/Tests/FaceLLMTests/<this file>
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/conformance").path
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: folder + "/tokenizer/encode.json") }

    static let absent: Comment = """
        no golden files in \(folder): set FACELLM_CONFORMANCE
        """

    static func decode<T: Decodable>(_ type: T.Type, _ file: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: folder + "/" + file)))
    }

    /// The full vocabulary with the added tokens of `encode.json`; read once.
    static let full = Result {
        let golden = try decode(EncodeGolden.self, "tokenizer/encode.json")
        return try Tokenizer(
            tiktoken: folder + "/tokenizer/" + golden.vocabulary,
            added: golden.added_tokens.map { AddedToken(id: $0.id, content: $0.content, isSpecial: $0.special) }
        )
    }

    static func tiny(_ model: String) throws -> Tokenizer { try Tokenizer(folder: folder + "/" + model) }
}

/// `tokenizer/encode.json`.
struct EncodeGolden: Decodable {
    struct Added: Decodable {
        let id: TokenID
        let content: String
        let special: Bool
    }

    struct Entry: Decodable {
        let id: Int
        let text: String
        let ids: [TokenID]
        let decoded: String?
    }

    let vocabulary: String
    let added_tokens: [Added]
    let pattern: String
    let entries: [Entry]
}

/// The bytes of a text: `==` of strings is canonical equivalence, which is not enough here.
func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A folder that is removed at the end.
final class TokenizerFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: some Sequence<UInt8>, _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    func write(_ text: String, _ name: String) throws { try write(text.utf8, name) }
}

/// A vocabulary of the 256 bytes and four more tokens, in the files' alphabet.
enum SmallVocabulary {
    static let alphabet: [String] = {
        var moved: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            let printable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            defer { moved += printable ? 0 : 1 }
            return String(Character(UnicodeScalar(printable ? byte : moved) ?? "?"))
        }
    }()

    static let extra = ["ab", "abc", "Ġa", "bc"]

    /// `vocab.json`, or the `vocab` of `tokenizer.json`.
    static var vocabulary: String {
        let members = (alphabet + extra).enumerated().map { index, token in
            "\"\(token == "\"" || token == "\\" ? "\\" + token : token)\":\(index)"
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    static let merges = "#version: 0.2\na b\nab c\nĠ a\nb c\n"

    static func tokenizerJSON(
        normalizer: String = #"{"type":"NFC"}"#,
        regex: String = PublishedPattern.json,
        model: String = "",
        added: String = #"{"id":260,"content":"<x>","special":true,"normalized":false}"#,
        merges: String = #"["a b",["ab","c"],["Ġ","a"],"b c"]"#
    ) -> String {
        #"{"version":"1.0","added_tokens":[\#(added)],"normalizer":\#(normalizer),"pre_tokenizer":{"type":"Sequence","#
            + #""pretokenizers":[{"type":"Split","pattern":{"Regex":"\#(regex)"},"behavior":"Isolated","#
            + #""invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},"#
            + #""decoder":{"type":"ByteLevel"},"model":{"type":"BPE",\#(model)"vocab":\#(vocabulary),"#
            + #""merges":\#(merges)}}"#
    }
}

/// The split pattern of the published tokenizers as it stands in JSON.
enum PublishedPattern {
    static let json =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"#
}
