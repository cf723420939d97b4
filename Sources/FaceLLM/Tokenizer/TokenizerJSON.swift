extension Tokenizer {
    /// Reads a `tokenizer.json` of the `tokenizers` library that describes Qwen2's tokenizer.
    ///
    /// What the file asks for and this tokenizer does not do (another split pattern, another normaliser, dropout) is
    /// an error: wrong tokens would go unnoticed.
    package init(tokenizerJSON file: String) throws(TokenizerError) {
        var json = try JSONReader(file: file, bytes: TokenizerFiles.read(file))
        var added: [AddedToken] = []
        var vocabulary: Vocabulary?
        var hasPattern = false
        var more = try json.openObject()
        while more {
            let name = String(decoding: try json.member(), as: UTF8.self)
            json.key = name
            switch name {
            case "added_tokens":
                var more = try json.openArray()
                while more {
                    json.key = "added_tokens[\(added.count)]"
                    added.append(try AddedTokenFiles.token(&json))
                    more = try json.arrayContinues()
                }
            case "normalizer": try TokenizerJSON.require([("type", "NFC")], &json)
            case "pre_tokenizer":
                try TokenizerJSON.require(TokenizerJSON.preTokenizer, &json)
                hasPattern = true
            case "post_processor", "decoder":
                let type = try json.leaves()["type"] ?? "ByteLevel"
                guard type == "ByteLevel" else { throw json.failure("the type ByteLevel", found: "\"\(type)\"") }
            case "model": vocabulary = try TokenizerJSON.model(&json)
            default: try json.skip()
            }
            more = try json.objectContinues()
        }
        try json.end()
        guard hasPattern else {
            throw TokenizerError(file: file, key: "pre_tokenizer", expected: "Qwen2's split", found: "nothing")
        }
        guard let vocabulary else {
            throw TokenizerError(file: file, key: "model", expected: "a byte-pair model", found: "nothing")
        }
        try TokenizerFiles.check(added, against: vocabulary, file: file)
        self.init(vocabulary: vocabulary, added: added)
    }
}

private enum TokenizerJSON {
    /// What Qwen2's `pre_tokenizer` says.
    static let preTokenizer = [
        ("type", "Sequence"),
        ("pretokenizers[0].type", "Split"),
        ("pretokenizers[0].pattern.Regex", PreTokenizer.pattern),
        ("pretokenizers[0].behavior", "Isolated"),
        ("pretokenizers[0].invert", "false"),
        ("pretokenizers[1].type", "ByteLevel"),
        ("pretokenizers[1].add_prefix_space", "false"),
        ("pretokenizers[1].use_regex", "false"),
    ]

    static func require(_ wanted: [(path: String, value: String)], _ json: inout JSONReader) throws(TokenizerError) {
        let found = try json.leaves()
        let key = json.key
        for (path, value) in wanted where found[path] != value {
            json.key = "\(key).\(path)"
            throw json.failure("\"\(value)\"", found: found[path].map { "\"\($0)\"" } ?? "nothing")
        }
        if let third = found["pretokenizers[2].type"] {
            json.key = "\(key).pretokenizers[2]"
            throw json.failure("two steps", found: "a third, \"\(third)\"")
        }
    }

    /// The byte-pair model: a vocabulary and merge rules, either as `"a b"` or as `["a", "b"]`.
    static func model(_ json: inout JSONReader) throws(TokenizerError) -> Vocabulary {
        var vocabulary: Vocabulary?
        var rules: [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>?)] = []
        var hasRules = false
        var more = try json.openObject()
        while more {
            let name = String(decoding: try json.member(), as: UTF8.self)
            json.key = "model.\(name)"
            switch name {
            case "type", "dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback",
                "ignore_merges":
                let value = try json.leaves()[""] ?? "an object or array"
                let wanted = name == "type" ? ["BPE"] : ["null", "false", "", "0.0"]
                guard wanted.contains(value) else {
                    throw json.failure(name == "type" ? "BPE" : "null, false or empty", found: "\"\(value)\"")
                }
            case "vocab": vocabulary = try TokenizerFiles.vocabulary(&json)
            case "merges":
                rules = try merges(&json)
                hasRules = true
            default: try json.skip()
            }
            more = try json.objectContinues()
        }
        json.key = "model"
        guard var vocabulary, hasRules else {
            throw json.failure("vocab and merges", found: vocabulary == nil ? "no vocab" : "no merges")
        }
        for (index, rule) in rules.enumerated() {
            let key = { "model.merges[\(index)]" }
            if let right = rule.right {
                try TokenizerFiles.addMerge(rule.left, right, key: key(), of: json.file, to: &vocabulary)
            } else {
                try TokenizerFiles.addMerge(rule.left, key: key(), of: json.file, to: &vocabulary)
            }
        }
        return vocabulary
    }

    private static func merges(
        _ json: inout JSONReader
    ) throws(TokenizerError) -> [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>?)] {
        var rules: [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>?)] = []
        var more = try json.openArray()
        while more {
            if json.next() == UInt8(ascii: "[") {
                guard try json.openArray() else { throw json.failure("two tokens", found: "an empty rule") }
                let left = try json.string()
                guard try json.arrayContinues() else { throw json.failure("two tokens", found: "one") }
                rules.append((left[...], try json.string()[...]))
                guard try !json.arrayContinues() else { throw json.failure("two tokens", found: "more") }
            } else {
                rules.append((try json.string()[...], nil))
            }
            more = try json.arrayContinues()
        }
        return rules
    }
}
