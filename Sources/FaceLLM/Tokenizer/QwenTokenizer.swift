/// InternVL3's tokenizer without a model folder: from ranks, or a small one from nothing.
extension Tokenizer {
    /// The added tokens of InternVL3 in the order of their ids, and whether they are special.
    ///
    /// The last is beyond the vocabulary of the published models: their tokenizers have it, their embeddings do not.
    private static let internVLTokens: [(content: String, isSpecial: Bool)] = [
        ("<|endoftext|>", true), ("<|im_start|>", true), ("<|im_end|>", true),
        ("<|object_ref_start|>", true), ("<|object_ref_end|>", true),
        ("<|box_start|>", true), ("<|box_end|>", true), ("<|quad_start|>", true), ("<|quad_end|>", true),
        ("<|vision_start|>", true), ("<|vision_end|>", true), ("<|vision_pad|>", true),
        ("<|image_pad|>", true), ("<|video_pad|>", true),
        ("<tool_call>", false), ("</tool_call>", false),
        ("<|fim_prefix|>", false), ("<|fim_middle|>", false), ("<|fim_suffix|>", false), ("<|fim_pad|>", false),
        ("<|repo_name|>", false), ("<|file_sep|>", false),
        ("<img>", true), ("</img>", true), ("<IMG_CONTEXT>", true), ("<quad>", true), ("</quad>", true),
        ("<ref>", true), ("</ref>", true), ("<box>", true), ("</box>", true), ("<video>", true),
    ]

    /// - Parameter first: the id of the first, which is the number of byte-pair ranks.
    static func internVLTokens(from first: TokenID) -> [AddedToken] {
        zip(first..., internVLTokens).map { AddedToken(id: $0, content: $1.content, isSpecial: $1.isSpecial) }
    }

    /// InternVL3's tokenizer, its vocabulary from a file of byte-pair ranks.
    ///
    /// - Parameter file: `qwen.tiktoken`, 151,643 ranks.
    static func internVL(ranks file: String) throws(TokenizerError) -> Tokenizer {
        let vocabulary = try TiktokenFile.vocabulary(of: TokenizerFiles.read(file), file: file)
        return Tokenizer(vocabulary: vocabulary, added: internVLTokens(from: TokenID(vocabulary.endID)))
    }

    /// The number of byte-pair tokens of `small()`.
    static let smallRanks = 1024

    /// A tokenizer of 1,024 byte-pair tokens that needs no file: each byte, and pairs of letters.
    ///
    /// Any text can be encoded and comes back; the pairs are the alphabet's, not those of a language.
    static func small() -> Tokenizer {
        var vocabulary = Vocabulary()
        let lower = Array(UInt8(ascii: "a")...UInt8(ascii: "z"))
        let upper = Array(UInt8(ascii: "A")...UInt8(ascii: "Z"))
        let space = [UInt8(ascii: " ")]
        let bytes = ByteAlphabet.allBytes
        let pairs = [(lower, lower), (space, lower + upper), (upper, lower)].flatMap { firsts, seconds in
            firsts.flatMap { first in seconds.map { [first, $0] } }
        }
        for (id, token) in (bytes.map { [$0] } + pairs).prefix(smallRanks).enumerated() {
            let fault = vocabulary.add(token, id: id)
            precondition(fault == nil, "a token of the small vocabulary stands twice: \(token)")
        }
        let missing = vocabulary.indexBytes()
        precondition(missing == nil, "the small vocabulary has no token for a byte")
        for pair in pairs.prefix(smallRanks - bytes.count) {
            let missing = vocabulary.addMerge([pair[0]], [pair[1]])
            precondition(missing == nil, "the small vocabulary has no token for a pair")
        }
        return Tokenizer(vocabulary: vocabulary, added: internVLTokens(from: TokenID(smallRanks)))
    }
}
