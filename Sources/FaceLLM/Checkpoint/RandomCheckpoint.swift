internal import Glibc

/// A model folder of noise in the exact shape of a real one, to try and to measure everything but the meaning.
///
/// Tensor names and side files are those of the `InternVL3-*-hf` folders, weights are bfloat16. The same model and seed
/// give the same bytes on every machine.
package struct RandomCheckpoint: Sendable {
    package enum Model: Sendable, Hashable {
        /// InternVL3-1B, which FaceLLM-1B is: 938,193,024 parameters, 1.88 GB.
        ///
        /// - Parameter vocabulary: the path of `qwen.tiktoken`, for the tokenizer.
        case oneB(vocabulary: String)
        /// Tiles of 56 pixels, three layers each, a vocabulary of 1,055: less than a megabyte, and no file is needed.
        case tiny
    }

    package let model: Model
    package let seed: UInt64

    package init(_ model: Model, seed: UInt64) {
        self.model = model
        self.seed = seed
    }

    /// What the folder and its weights say of themselves.
    static func note(seed: UInt64) -> String { "random noise made by facellm, seed \(seed); nothing was learned" }

    /// The key of `config.json` under which the note stands.
    static let noteKey = "facellm_note"

    /// Bytes written so far and in all.
    package struct Progress: Sendable, Hashable {
        package let written: Int
        package let total: Int
    }

    /// Makes the folder.
    ///
    /// Everything is written to a folder beside it, `directory` with `.incomplete` at the end, and renamed when all is
    /// there. Errors remove that folder; a killed run leaves it.
    ///
    /// - Parameters:
    ///   - directory: does not exist or is empty; the folder above it exists.
    ///   - progress: called from any thread, one call at a time.
    /// - Throws: `CheckpointError` of kind `unwritable`, and `malformed` for the vocabulary.
    package func write(
        to directory: String,
        progress: @Sendable (Progress) -> Void = { _ in }
    ) throws(CheckpointError) {
        let directory = Self.withoutSlash(directory)
        try Self.checkIsFree(directory)
        let tokenizer = try makeTokenizer()
        let unfinished = directory + ".incomplete"
        guard mkdir(unfinished, 0o755) == 0 else {
            let code = errno
            throw .unwritable(
                unfinished,
                expected: "a new folder",
                code,
                remedy: code == EEXIST ? "An earlier run did not end, or another is at work: remove the folder." : ""
            )
        }
        var names: [String] = []
        do throws(CheckpointError) {
            let texts = sideFiles + tokenizer.files()
            names = texts.map(\.name) + [ShardedCheckpoint.singleName]
            for (name, text) in texts { try NewFile.write(text, to: "\(unfinished)/\(name)") }
            let weights = RandomWeights(requirements: TensorNames.required(by: configuration), seed: seed)
            let total = weights.fileSize
            try weights.write(to: "\(unfinished)/\(ShardedCheckpoint.singleName)") { written in
                progress(Progress(written: written, total: total))
            }
            // Takes the place of an empty folder, and of nothing else.
            guard rename(unfinished, directory) == 0 else {
                throw .unwritable(directory, expected: "a place for the finished folder", errno)
            }
        } catch {
            for name in names { unlink("\(unfinished)/\(name)") }
            rmdir(unfinished)
            throw error
        }
    }

    private func makeTokenizer() throws(CheckpointError) -> Tokenizer {
        switch model {
        case .tiny: return .small()
        case .oneB(let vocabulary):
            let tokenizer: Tokenizer
            do throws(TokenizerError) {
                tokenizer = try .internVL(ranks: vocabulary)
            } catch {
                throw CheckpointError(error)
            }
            let expected = configuration.text.vocabularySize
            // The tokenizer has one more, "<video>".
            guard tokenizer.endID == expected + 1 else {
                throw CheckpointError(
                    .malformed,
                    file: vocabulary,
                    expected: "the byte-pair ranks of Qwen2, with which there are \(expected + 1) tokens",
                    found: "\(tokenizer.endID) tokens"
                )
            }
            return tokenizer
        }
    }

    // MARK: - Folders

    private static func withoutSlash(_ path: String) -> String {
        var path = path
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func checkIsFree(_ directory: String) throws(CheckpointError) {
        guard let found = occupant(of: directory) else { return }
        throw CheckpointError(
            .unwritable,
            file: directory,
            expected: "no folder of this name, or an empty one",
            found: found,
            remedy: "Nothing is overwritten: name a new folder."
        )
    }

    /// What is at a path; nil for nothing and for an empty folder.
    private static func occupant(of path: String) -> String? {
        guard let folder = opendir(path) else { return errno == ENOENT ? nil : "something else" }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { return "a folder with files" }
        }
        return nil
    }
}

extension CheckpointError {
    /// A fault of a tokenizer's file as one of the checkpoint it belongs to.
    init(_ error: TokenizerError) {
        self.init(
            .malformed,
            file: error.file,
            key: error.key.isEmpty ? nil : error.key,
            expected: error.expected,
            found: error.found
        )
    }
}
