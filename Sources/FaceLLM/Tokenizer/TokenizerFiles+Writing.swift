extension Tokenizer {
    /// The files that `init(vocabularyFolder:)` reads: `vocab.json`, `merges.txt` and the added tokens.
    ///
    /// As `transformers` names and writes them; the same tokenizer gives the same bytes each time.
    func files() -> [(name: String, text: String)] {
        [
            ("vocab.json", vocabulary.json),
            ("merges.txt", vocabulary.mergeRules),
            ("added_tokens.json", addedTokensJSON),
            ("tokenizer_config.json", configurationJSON),
        ]
    }

    private var addedTokensJSON: String {
        let members = addedTokens.map { "  \(TokenizerFiles.quoted($0.content)): \($0.id)" }
        return "{\n\(members.joined(separator: ",\n"))\n}\n"
    }

    private var configurationJSON: String {
        let members = addedTokens.map { token in
            """
                "\(token.id)": {
                  "content": \(TokenizerFiles.quoted(token.content)),
                  "lstrip": false,
                  "normalized": \(token.isNormalized),
                  "rstrip": false,
                  "single_word": false,
                  "special": \(token.isSpecial)
                }
            """
        }
        return """
            {
              "add_prefix_space": false,
              "added_tokens_decoder": {
            \(members.joined(separator: ",\n"))
              },
              "tokenizer_class": "Qwen2Tokenizer"
            }

            """
    }
}

extension Vocabulary {
    /// From each token, in the byte alphabet, to its id.
    fileprivate var json: String {
        var text = ""
        for id in 0..<TokenID(endID) {
            let token = bytes(of: id)
            if token.isEmpty { continue }
            text += text.isEmpty ? "{" : ","
            text += "\n\(TokenizerFiles.quoted(ByteAlphabet.encode(token))):\(id)"
        }
        return text + "\n}\n"
    }

    /// One rule a line, the earliest first.
    fileprivate var mergeRules: String {
        var text = "#version: 0.2\n"
        for (first, second) in merges.pairs {
            text += "\(ByteAlphabet.encode(bytes(of: first))) \(ByteAlphabet.encode(bytes(of: second)))\n"
        }
        return text
    }
}

extension TokenizerFiles {
    /// A JSON string of text without control characters.
    fileprivate static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
