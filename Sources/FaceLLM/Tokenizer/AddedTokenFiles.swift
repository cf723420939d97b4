internal import FoundationEssentials

/// The added tokens of a folder without `tokenizer.json`, and the form they have in all files.
enum AddedTokenFiles {
    /// Reads `tokenizer_config.json`, `added_tokens.json` and `special_tokens_map.json`, as far as they exist.
    ///
    /// A token that only `added_tokens.json` has is special when one of the others names it.
    static func read(folder: String) throws(TokenizerError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        var special: Set<String> = []
        if var json = try open(folder + "/tokenizer_config.json") { try readConfiguration(&json, &tokens, &special) }
        if var json = try open(folder + "/special_tokens_map.json") {
            for (path, text) in try json.leaves() where isTokenName(path) { special.insert(text) }
            try json.end()
        }
        if var json = try open(folder + "/added_tokens.json") {
            let known = Dictionary(tokens.map { ($0.content, $0.id) }) { first, _ in first }
            var more = try json.openObject()
            while more {
                let content = String(decoding: try json.member(), as: UTF8.self)
                let id = try identifier(&json)
                if let other = known[content] {
                    guard other == id else {
                        json.key = "\"\(content)\""
                        throw json.failure("the id \(other) of tokenizer_config.json", found: "\(id)")
                    }
                } else {
                    tokens.append(AddedToken(id: id, content: content, isSpecial: special.contains(content)))
                }
                more = try json.objectContinues()
            }
            try json.end()
        }
        return tokens
    }

    /// A reader at the beginning of the file; nil when there is no such file.
    private static func open(_ file: String) throws(TokenizerError) -> JSONReader? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        return try JSONReader(file: file, bytes: TokenizerFiles.read(file))
    }

    private static func readConfiguration(
        _ json: inout JSONReader,
        _ tokens: inout [AddedToken],
        _ special: inout Set<String>
    ) throws(TokenizerError) {
        var more = try json.openObject()
        while more {
            let name = String(decoding: try json.member(), as: UTF8.self)
            json.key = name
            switch name {
            case "added_tokens_decoder":
                var more = try json.openObject()
                while more {
                    let member = try json.member()
                    guard let id = TokenID(String(decoding: member, as: UTF8.self)) else {
                        throw json.failure("ids as names", found: TokenizerError.quoted(member))
                    }
                    tokens.append(try token(&json, id: id))
                    more = try json.objectContinues()
                }
            case "add_prefix_space", "add_bos_token":
                let value = try json.leaves()[""]
                guard value == "false" || value == "null" else {
                    throw json.failure("false", found: value ?? "an object or array")
                }
            default:
                for (path, text) in try json.leaves() where isTokenName(name + path) { special.insert(text) }
            }
            more = try json.objectContinues()
        }
        try json.end()
    }

    /// `eos_token`, `additional_special_tokens[3]`, `extra_special_tokens.video_token`, `pad_token.content`.
    private static func isTokenName(_ path: String) -> Bool {
        path.hasSuffix("_token") || path.hasSuffix("_token.content") || path.contains("special_tokens[")
            || path.hasSuffix("_tokencontent")
    }

    private static func identifier(_ json: inout JSONReader) throws(TokenizerError) -> TokenID {
        let id = try json.integer()
        guard (0..<Vocabulary.maximumID).contains(id) else {
            throw json.failure("an id from 0 to \(Vocabulary.maximumID - 1)", found: "\(id)")
        }
        return TokenID(id)
    }

    /// An object with `content`, `special` and the matching options, of which only `normalized` may be set.
    ///
    /// - Parameter id: the id, where the object itself has none.
    static func token(_ json: inout JSONReader, id: TokenID? = nil) throws(TokenizerError) -> AddedToken {
        var id = id
        var content: String?
        var isSpecial = false
        var isNormalized = false
        var more = try json.openObject()
        while more {
            let name = String(decoding: try json.member(), as: UTF8.self)
            switch name {
            case "id": id = try identifier(&json)
            case "content": content = String(decoding: try json.string(), as: UTF8.self)
            case "special": isSpecial = try json.boolean()
            case "normalized": isNormalized = try json.boolean()
            case "lstrip", "rstrip", "single_word":
                guard try !json.boolean() else { throw json.failure("\(name) to be false", found: "true") }
            default: try json.skip()
            }
            more = try json.objectContinues()
        }
        guard let id, let content else { throw json.failure("an id and content", found: "neither or one of them") }
        return AddedToken(id: id, content: content, isSpecial: isSpecial, isNormalized: isNormalized)
    }
}
