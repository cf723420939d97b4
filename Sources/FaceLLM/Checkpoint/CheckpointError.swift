/// Why a checkpoint cannot be used: which file, which tensor or key, what was expected, what is there instead.
package struct CheckpointError: Error, Hashable, Encodable, CustomStringConvertible {
    /// What is wrong, for callers that act on it.
    package enum Kind: String, Sendable, Hashable, Encodable {
        /// A file or folder is absent, not a regular file, or may not be read; `code` holds `errno`.
        case unreadable = "cannot read"
        /// A file or folder cannot be made or written; `code` holds `errno`, or 0 where one is there already.
        case unwritable = "cannot write"
        /// The file ends before the data that its header announces.
        case truncated = "file is truncated"
        /// The bytes are not what the format says.
        case malformed = "malformed file"
        /// `config.json` describes a model that is not InternVL with a Qwen2 language model, or the tensors do.
        case unknownArchitecture = "unknown architecture"
        /// A key of a configuration is absent or holds a value outside its range.
        case invalidConfiguration = "invalid configuration"
        /// The model needs a tensor that no file holds.
        case missingTensor = "missing tensor"
        case wrongShape = "wrong shape"
        /// The element type cannot be read as weights.
        case wrongType = "wrong element type"
        /// An adapter changes something that this model does not have, or in a way that is not supported.
        case adapterMismatch = "adapter does not fit"
    }

    package let kind: Kind
    /// The path as it was opened.
    package let file: String
    /// The tensor, in the name that the file uses; `nil` where the fault lies elsewhere.
    package let tensor: String?
    /// The key of a JSON file, with dots between levels, as `vision_config.hidden_size`.
    package let key: String?
    package let expected: String
    package let found: String
    /// What the user can do about it, a sentence; empty where nothing better is known than fetching the files again.
    package let remedy: String
    /// `errno`, or 0 where no system call failed.
    package let code: Int32

    package init(
        _ kind: Kind,
        file: String,
        tensor: String? = nil,
        key: String? = nil,
        expected: String,
        found: String,
        remedy: String = "",
        code: Int32 = 0
    ) {
        self.kind = kind
        self.file = file
        self.tensor = tensor
        self.key = key
        self.expected = expected
        self.found = found
        self.remedy = remedy
        self.code = code
    }

    /// Trying again without changing the files or the command does not help.
    package var isRetryable: Bool { false }

    package var description: String {
        var text = "\(kind.rawValue): \"\(file)\""
        if let tensor { text += ", tensor \"\(Self.printable(tensor))\"" }
        if let key { text += ", key \"\(Self.printable(key))\"" }
        text += ": expected \(expected), found \(found)."
        return remedy.isEmpty ? text : "\(text) \(remedy)"
    }

    /// Text from a file, fit for a line of a log: no control characters, at most 120 characters.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars
        var result = String.UnicodeScalarView()
        for scalar in scalars.prefix(120) {
            let category = scalar.properties.generalCategory
            result.append(category == .control || category == .format ? "\u{FFFD}" : scalar)
        }
        return String(result) + (scalars.count > 120 ? "…" : "")
    }
}
