internal import FoundationEssentials

extension Tokenizer {
    /// Reads the tokenizer of a model folder: `tokenizer.json`, or `vocab.json` with `merges.txt`.
    ///
    /// The second form takes its added tokens from `tokenizer_config.json` (`added_tokens_decoder`) and
    /// `added_tokens.json`; either may be absent.
    package init(folder: String) throws(TokenizerError) {
        let files = FileManager.default
        if files.fileExists(atPath: folder + "/tokenizer.json") {
            try self.init(tokenizerJSON: folder + "/tokenizer.json")
        } else if files.fileExists(atPath: folder + "/vocab.json") {
            try self.init(vocabularyFolder: folder)
        } else {
            throw TokenizerError(
                file: folder,
                expected: "tokenizer.json, or vocab.json and merges.txt",
                found: "neither"
            )
        }
    }

    /// Reads `vocab.json`, `merges.txt` and what there is of `tokenizer_config.json`, `added_tokens.json` and
    /// `special_tokens_map.json`.
    package init(vocabularyFolder folder: String) throws(TokenizerError) {
        let vocabularyFile = folder + "/vocab.json"
        var json = try JSONReader(file: vocabularyFile, bytes: TokenizerFiles.read(vocabularyFile))
        var vocabulary = try TokenizerFiles.vocabulary(&json)
        try json.end()
        let mergesFile = folder + "/merges.txt"
        try TokenizerFiles.addMerges(from: TokenizerFiles.read(mergesFile), of: mergesFile, to: &vocabulary)
        let added = try AddedTokenFiles.read(folder: folder)
        try TokenizerFiles.check(added, against: vocabulary, file: folder)
        self.init(vocabulary: vocabulary, added: added)
    }

    /// Reads a file of ranks as tiktoken and the original Qwen repositories have it: base64 of a token, a space, its
    /// rank, on each line.
    ///
    /// The merge rules are found again from the ranks: a token's own encoding with all lower ranks has two parts.
    package init(tiktoken file: String, added: [AddedToken]) throws(TokenizerError) {
        let vocabulary = try TiktokenFile.vocabulary(of: TokenizerFiles.read(file), file: file)
        try TokenizerFiles.check(added, against: vocabulary, file: file)
        self.init(vocabulary: vocabulary, added: added)
    }
}

/// What the file formats have in common.
enum TokenizerFiles {
    /// Larger files are refused before they are read.
    private static let maximumBytes = 1 << 28

    static func read(_ file: String) throws(TokenizerError) -> [UInt8] {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            if let size = attributes[.size] as? UInt64, size > maximumBytes {
                throw TokenizerError(file: file, expected: "at most \(maximumBytes) bytes", found: "\(size)")
            }
            return try Array(Data(contentsOf: URL(filePath: file)))
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw TokenizerError(file: file, expected: "a file that can be read", found: "\(error)")
        }
    }

    /// An object of byte-alphabet tokens and their ids, with a token for every byte.
    static func vocabulary(_ json: inout JSONReader) throws(TokenizerError) -> Vocabulary {
        var vocabulary = Vocabulary()
        let key = json.key
        var more = try json.openObject()
        while more {
            let token = try json.member()
            let id = try json.integer()
            guard let bytes = ByteAlphabet.decode(token) else {
                throw json.failure("characters of the byte alphabet", found: TokenizerError.quoted(token))
            }
            if let wrong = vocabulary.add(bytes, id: id) {
                json.key = key.isEmpty ? TokenizerError.quoted(token) : "\(key), \(TokenizerError.quoted(token))"
                throw json.failure("distinct tokens and ids from 0 to \(Vocabulary.maximumID - 1)", found: wrong)
            }
            more = try json.objectContinues()
        }
        if let byte = vocabulary.indexBytes() {
            throw TokenizerError(
                file: json.file,
                key: key,
                expected: "a token for each byte",
                found: "none for \(byte)"
            )
        }
        return vocabulary
    }

    /// The lines of `merges.txt`: two tokens separated by a space, in falling priority; a version line may be first.
    static func addMerges(
        from text: [UInt8],
        of file: String,
        to vocabulary: inout Vocabulary
    ) throws(TokenizerError) {
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty || line.starts(with: "#version".utf8) { continue }
            try addMerge(line, key: "line \(number)", of: file, to: &vocabulary)
        }
    }

    /// One rule, two tokens separated by a space.
    static func addMerge(
        _ rule: ArraySlice<UInt8>,
        key: @autoclosure () -> String,
        of file: String,
        to vocabulary: inout Vocabulary
    ) throws(TokenizerError) {
        let parts = rule.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw TokenizerError(
                file: file,
                key: key(),
                expected: "two tokens separated by a space",
                found: TokenizerError.quoted(rule)
            )
        }
        try addMerge(parts[0], parts[1], key: key(), of: file, to: &vocabulary)
    }

    static func addMerge(
        _ left: ArraySlice<UInt8>,
        _ right: ArraySlice<UInt8>,
        key: @autoclosure () -> String,
        of file: String,
        to vocabulary: inout Vocabulary
    ) throws(TokenizerError) {
        guard let first = ByteAlphabet.decode(left), let second = ByteAlphabet.decode(right) else {
            throw TokenizerError(
                file: file,
                key: key(),
                expected: "characters of the byte alphabet",
                found: "\(TokenizerError.quoted(left)) and \(TokenizerError.quoted(right))"
            )
        }
        if let missing = vocabulary.addMerge(first, second) {
            throw TokenizerError(
                file: file,
                key: key(),
                expected: "tokens of the vocabulary",
                found: TokenizerError.quoted(missing)
            )
        }
    }

    /// Added tokens need ids and contents of their own; one that the vocabulary has too must have the same id there.
    static func check(
        _ added: [AddedToken],
        against vocabulary: Vocabulary,
        file: String
    ) throws(TokenizerError) {
        var ids: Set<TokenID> = []
        var contents: Set<[UInt8]> = []
        for token in added {
            let bytes = Array(token.content.utf8)
            let known = vocabulary.bytes(of: token.id)
            let problem: String? =
                if bytes.isEmpty {
                    "an empty one"
                } else if !(0..<TokenID(Vocabulary.maximumID)).contains(token.id) {
                    "the id \(token.id)"
                } else if !ids.insert(token.id).inserted {
                    "the id \(token.id) a second time"
                } else if !contents.insert(bytes).inserted {
                    "a second id \(token.id)"
                } else if !known.isEmpty, !known.elementsEqual(bytes) {
                    "the id \(token.id), which is that of \(TokenizerError.quoted(known))"
                } else {
                    nil
                }
            if let problem {
                throw TokenizerError(
                    file: file,
                    key: "added token \(TokenizerError.quoted(bytes))",
                    expected: "distinct added tokens with ids of their own",
                    found: problem
                )
            }
        }
    }
}
