/// What a model folder says about ending an answer.
package struct GenerationDefaults: Sendable, Hashable {
    /// The tokens that end an answer; empty where neither `generation_config.json` nor a tokenizer is there.
    package let stopIDs: Set<Int>

    /// The tokens that end a turn and a text in the chat format of Qwen, whatever the files say.
    package static let stopTokens = ["<|im_end|>", "<|endoftext|>"]

    private static let file = "generation_config.json"

    /// Reads `eos_token_id` of `generation_config.json`, a number or a list, and adds the tokenizer's stop tokens.
    ///
    /// An absent file or key adds nothing. The `eos_token_id` within `config.json` is the language model's own and not
    /// the chat's: it is not looked at.
    ///
    /// - Parameters:
    ///   - directory: the folder with `config.json`.
    ///   - vocabularySize: ids from here on have no logit.
    /// - Throws: `CheckpointError` for a file that is no JSON and for what is no id of the vocabulary.
    package init(directory: String, tokenizer: Tokenizer?, vocabularySize: Int) throws(CheckpointError) {
        let path = "\(directory)/\(Self.file)"
        var ids: Set<Int> = []
        if MappedFile.exists(path) {
            let reader = try ConfigurationReader(file: path, members: JSONValue.object(at: path, limit: 1 << 20))
            ids = try Self.ids(reader, "eos_token_id", below: vocabularySize)
        }
        for token in Self.stopTokens {
            if let id = tokenizer?.id(of: token), id < vocabularySize { ids.insert(Int(id)) }
        }
        stopIDs = ids
    }

    private static func ids(
        _ reader: ConfigurationReader,
        _ key: String,
        below vocabularySize: Int
    ) throws(CheckpointError) -> Set<Int> {
        let values: [JSONValue]
        switch reader[key] {
        case nil: return []
        case .array(let list): values = list
        case .some(let value): values = [value]
        }
        var ids: Set<Int> = []
        for value in values {
            guard case .number(let number) = value, let id = Int(exactly: number), (0..<vocabularySize).contains(id)
            else {
                throw reader.invalid(
                    key,
                    expected: "an id from 0 to \(vocabularySize - 1), or a list of them",
                    found: value.brief
                )
            }
            ids.insert(id)
        }
        guard !ids.isEmpty else { throw reader.invalid(key, expected: "an id or a list of one or more") }
        return ids
    }
}
