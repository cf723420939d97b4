/// A tokenizer file that cannot be used: which file, which entry, what was expected and what stands there.
package struct TokenizerError: Error, Hashable, CustomStringConvertible {
    /// The path of the file.
    package let file: String
    /// The entry in the file, for example `model.merges[12]`; empty when the whole file is meant.
    package let key: String
    package let expected: String
    package let found: String

    package init(file: String, key: String = "", expected: String, found: String) {
        self.file = file
        self.key = key
        self.expected = expected
        self.found = found
    }

    package var description: String {
        "\(file)\(key.isEmpty ? "" : ", \(key)"): expected \(expected), found \(found)"
    }

    /// Outside text shortened for a message, with control characters made visible.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        let shown = String(decoding: bytes.prefix(60), as: UTF8.self).unicodeScalars.reduce(into: "") {
            $0 += $1.properties.generalCategory == .control ? $1.escaped(asASCII: true) : String($1)
        }
        return "\"\(shown)\"" + (bytes.count > 60 ? "…" : "")
    }
}
