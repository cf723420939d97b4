/// A stretch of text to encode.
struct TextRun: Sendable, Hashable {
    var text: String
    /// Whether `<|im_end|>` in the text is that token or ordinary characters.
    var recognizesAddedTokens: Bool

    init(_ text: String, recognizesAddedTokens: Bool) {
        self.text = text
        self.recognizesAddedTokens = recognizesAddedTokens
    }
}

/// Qwen2.5's byte-level byte-pair encoding: text to tokens and back.
///
/// Encoding takes five steps: added tokens are split out of the text as given; what lies between is put into
/// normalisation form C; `PreTokenizer` splits it into pieces; each piece starts as its bytes' tokens; and neighbours
/// are merged, the earliest rule first. Nothing is put before or after the text: the model has no beginning token.
///
/// A value that may be used from several tasks at once. The reference is `tokenizers` 0.22 as transformers runs it.
package struct Tokenizer: Sendable {
    let vocabulary: Vocabulary
    let added: [TokenID: AddedToken]
    private let addedIDs: [[UInt8]: TokenID]
    /// Added tokens looked for in the text as given, and those looked for in normalised text.
    private let givenMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let workspace = EncoderWorkspace()

    /// One more than the largest id; the model's vocabulary can be smaller or larger.
    package let endID: Int

    /// The caller has checked that ids and contents are distinct.
    init(vocabulary: Vocabulary, added: [AddedToken]) {
        self.vocabulary = vocabulary
        self.added = Dictionary(added.map { ($0.id, $0) }) { first, _ in first }
        addedIDs = Dictionary(added.map { (Array($0.content.utf8), $0.id) }) { first, _ in first }
        var given = AddedTokenMatcher()
        var normalized = AddedTokenMatcher()
        for token in added {
            if token.isNormalized {
                normalized.add(CanonicalComposition.standard.normalize(Array(token.content.utf8)), id: token.id)
            } else {
                given.add(token.content.utf8, id: token.id)
            }
        }
        givenMatcher = given
        normalizedMatcher = normalized
        endID = max(vocabulary.endID, (added.map { Int($0.id) }.max() ?? -1) + 1)
    }

    /// The added tokens, by id.
    package var addedTokens: [AddedToken] { added.values.sorted { $0.id < $1.id } }

    /// The id of an added token (`<|im_end|>`) or of a token that is exactly this text; nil when there is none.
    package func id(of token: String) -> TokenID? {
        let bytes = Array(token.utf8)
        return addedIDs[bytes] ?? vocabulary.id(of: bytes)
    }

    /// The bytes of a token, which may be part of a character; empty for an id without a token.
    package func bytes(of id: TokenID) -> [UInt8] {
        if let token = added[id] { return Array(token.content.utf8) }
        return Array(vocabulary.bytes(of: id))
    }

    // MARK: - Encoding

    /// The tokens of `text`.
    ///
    /// - Parameter recognizesAddedTokens: whether `<|im_end|>` in the text is that token, as in the reference, or
    ///   ordinary characters: for text from outside that must not pass for markup.
    /// - Complexity: O(*n* log *n*) for any text.
    package func encode(_ text: String, recognizesAddedTokens: Bool = true) -> [TokenID] {
        encode([TextRun(text, recognizesAddedTokens: recognizesAddedTokens)])
    }

    /// The tokens of several texts put together.
    ///
    /// Each is searched for added tokens on its own; what lies between them is normalised and split as one text, across
    /// the joints. So the tokens are those of the joined text wherever that has no other added tokens.
    func encode(_ runs: [TextRun]) -> [TokenID] {
        workspace.with { state in
            var ids: [TokenID] = []
            ids.reserveCapacity(runs.reduce(8) { $0 + $1.text.utf8.count / 4 })
            // Read but not yet encoded: it may go on in the next run.
            var pending: [UInt8] = []
            for run in runs {
                let bytes = Array(run.text.utf8)
                guard run.recognizesAddedTokens else {
                    pending += bytes
                    continue
                }
                Self.split(bytes, by: givenMatcher) { part in
                    guard case .text(let text) = part, !normalizedMatcher.isEmpty else {
                        return take(part, &pending, &state, into: &ids)
                    }
                    let normalized = CanonicalComposition.standard.normalize(text)
                    Self.split(normalized, by: normalizedMatcher) { take($0, &pending, &state, into: &ids) }
                }
            }
            encodePlain(CanonicalComposition.standard.normalize(pending), &state, into: &ids)
            return ids
        }
    }

    /// Puts text off and appends an added token after what was put off.
    private func take(
        _ part: Part,
        _ pending: inout [UInt8],
        _ state: inout EncoderWorkspace.State,
        into ids: inout [TokenID]
    ) {
        switch part {
        case .text(let text): pending += text
        case .added(let id):
            encodePlain(CanonicalComposition.standard.normalize(pending), &state, into: &ids)
            pending.removeAll(keepingCapacity: true)
            ids.append(id)
        }
    }

    /// What a text is split into.
    private enum Part {
        case text([UInt8])
        case added(TokenID)
    }

    /// Calls `body` with the added tokens and the text before, between and after them.
    private static func split(_ text: [UInt8], by matcher: AddedTokenMatcher, _ body: (Part) -> Void) {
        if matcher.isEmpty { return body(.text(text)) }
        var start = 0
        while let match = matcher.firstMatch(in: text, from: start) {
            if match.range.lowerBound > start { body(.text(Array(text[start..<match.range.lowerBound]))) }
            body(.added(match.id))
            start = match.range.upperBound
        }
        if start < text.count { body(.text(start == 0 ? text : Array(text[start...]))) }
    }

    private func encodePlain(_ text: [UInt8], _ state: inout EncoderWorkspace.State, into ids: inout [TokenID]) {
        var start = 0
        while start < text.count {
            let end = PreTokenizer.standard.endOfPiece(text, from: start)
            let piece = text[start..<end]
            start = end
            guard let key = PieceCache.key(of: piece) else {
                state.merger.merge(piece, vocabulary, into: &ids)
                continue
            }
            if state.cache.append(key, to: &ids) { continue }
            let before = ids.count
            state.merger.merge(piece, vocabulary, into: &ids)
            state.cache.store(ids[before...], under: key)
        }
    }

    // MARK: - Decoding

    /// The text of `ids`.
    ///
    /// Bytes that are not UTF-8 become U+FFFD, one for each longest beginning of a character.
    /// Ids without a token are passed over, as in the reference.
    ///
    /// - Parameter skipsSpecialTokens: leaves `<|im_end|>` and other special tokens out.
    package func decode(_ ids: some Sequence<TokenID>, skipsSpecialTokens: Bool = false) -> String {
        var bytes: [UInt8] = []
        for id in ids { append(id, skipsSpecialTokens: skipsSpecialTokens, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func append(_ id: TokenID, skipsSpecialTokens: Bool, to bytes: inout [UInt8]) {
        if let token = added[id] {
            if !(token.isSpecial && skipsSpecialTokens) { bytes += token.content.utf8 }
        } else {
            bytes += vocabulary.bytes(of: id)
        }
    }
}
