/// A token that is found in the text as it stands, before normalisation and merging: `<|im_end|>`, `<img>`.
package struct AddedToken: Sendable, Hashable {
    package let id: TokenID
    package let content: String
    /// Left out of decoded text on request.
    package let isSpecial: Bool
    /// Looked for in normalised text; Qwen's tokens are looked for in the text as given.
    package let isNormalized: Bool

    package init(id: TokenID, content: String, isSpecial: Bool, isNormalized: Bool = false) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
        self.isNormalized = isNormalized
    }
}

/// Finds added tokens in text: the leftmost, of several at one place the longest.
struct AddedTokenMatcher: Sendable {
    /// `node << 8 | byte` to the next node; 0 is the root.
    private var edges: [Int: Int] = [:]
    private var tokenAtNode: [TokenID?] = [nil]
    private var startsToken = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { edges.isEmpty }

    mutating func add(_ content: some Collection<UInt8>, id: TokenID) {
        guard let first = content.first else { return }
        startsToken[Int(first)] = true
        var node = 0
        for byte in content {
            let edge = node << 8 | Int(byte)
            if let next = edges[edge] {
                node = next
            } else {
                node = tokenAtNode.count
                tokenAtNode.append(nil)
                edges[edge] = node
            }
        }
        tokenAtNode[node] = id
    }

    /// The first added token at or after `start`.
    ///
    /// - Complexity: O(*n* · *m*) in the text's length and that of the longest token.
    func firstMatch(in text: [UInt8], from start: Int) -> (range: Range<Int>, id: TokenID)? {
        var place = start
        while place < text.count {
            if startsToken[Int(text[place])], let match = longestMatch(in: text, at: place) { return match }
            place += 1
        }
        return nil
    }

    private func longestMatch(in text: [UInt8], at start: Int) -> (range: Range<Int>, id: TokenID)? {
        var match: (range: Range<Int>, id: TokenID)?
        var node = 0
        var index = start
        while index < text.count, let next = edges[node << 8 | Int(text[index])] {
            node = next
            index += 1
            if let id = tokenAtNode[node] { match = (start..<index, id) }
        }
        return match
    }
}
