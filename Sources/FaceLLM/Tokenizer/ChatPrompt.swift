/// One turn of a conversation.
package struct ChatMessage: Sendable, Hashable {
    package enum Role: String, Sendable { case system, user, assistant }

    /// Images stand for their place only; their pixels go another way.
    package enum Content: Sendable, Hashable { case text(String), image }

    package let role: Role
    package let content: [Content]

    package init(_ role: Role, _ content: [Content]) {
        self.role = role
        self.content = content
    }

    package init(_ role: Role, _ text: String) { self.init(role, [.text(text)]) }
}

/// How a conversation becomes the model's prompt.
package enum ChatTemplate: Sendable, Hashable {
    /// The template of the `-hf` repositories, which the published FaceLLM script uses: turns only, no system text of
    /// its own.
    case huggingFace
    /// `internvl2_5` of the original repository: a system turn comes first in any case; `system` is used when the
    /// conversation has none.
    case internVL2_5(system: String = ChatTemplate.internVLSystem)

    /// The system text that InternVL was trained with.
    package static let internVLSystem =
        "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。"

    /// The prompt for `messages`.
    ///
    /// - Parameter beginsAnswer: whether the assistant's turn is begun at the end, for the model to go on.
    package func prompt(_ messages: [ChatMessage], beginsAnswer: Bool = true) -> ChatPrompt {
        var prompt = ChatPrompt(placeholder: placeholder)
        var turns = messages
        if case .internVL2_5(let system) = self {
            turns.removeAll { $0.role == .system }
            turns.insert(messages.last { $0.role == .system } ?? ChatMessage(.system, system), at: 0)
        }
        for turn in turns {
            prompt.append("<|im_start|>\(turn.role.rawValue)\n")
            for content in turn.content {
                switch content {
                case .text(let text): prompt.append(text)
                case .image:
                    prompt.appendImage()
                    prompt.append("\n")
                }
            }
            prompt.append("<|im_end|>\n")
        }
        if beginsAnswer { prompt.append("<|im_start|>assistant\n") }
        return prompt
    }

    private var placeholder: String {
        switch self {
        case .huggingFace: ChatPrompt.imageToken
        case .internVL2_5: "<image>"
        }
    }
}

/// A prompt with places for images.
package struct ChatPrompt: Sendable, Hashable {
    /// The token whose embeddings the image features replace.
    package static let imageToken = "<IMG_CONTEXT>"

    /// What stands for an image in `text`.
    private let placeholder: String
    /// The text before, between and after the images.
    private var texts = [""]

    fileprivate init(placeholder: String) { self.placeholder = placeholder }

    fileprivate mutating func append(_ text: String) { texts[texts.count - 1] += text }
    fileprivate mutating func appendImage() { texts.append("") }

    package var imageCount: Int { texts.count - 1 }

    /// The prompt as the template gives it, a placeholder for each image.
    package var text: String { texts.joined(separator: placeholder) }

    /// The prompt with `<img>`, the image tokens and `</img>` for each image.
    ///
    /// - Parameters:
    ///   - tiles: the number of tiles of each image, with the thumbnail.
    ///   - tokensPerTile: 256 for the published models.
    package func expanded(tiles: [Int], tokensPerTile: Int) throws(ChatPromptError) -> String {
        guard tiles.count == imageCount else { throw .imageCount(expected: imageCount, found: tiles.count) }
        var expanded = texts[0]
        for (count, text) in zip(tiles, texts.dropFirst()) {
            let (tokens, overflow) = count.multipliedReportingOverflow(by: tokensPerTile)
            guard count > 0, tokensPerTile > 0, !overflow, tokens <= Self.maximumImageTokens else {
                throw .tiles(count, tokensPerTile: tokensPerTile)
            }
            expanded += "<img>" + String(repeating: Self.imageToken, count: tokens) + "</img>" + text
        }
        return expanded
    }

    /// More than any context window holds.
    private static let maximumImageTokens = 1 << 20
}

/// A prompt and its images that do not fit together.
package enum ChatPromptError: Error, Hashable, CustomStringConvertible {
    case imageCount(expected: Int, found: Int)
    case tiles(Int, tokensPerTile: Int)
    /// The texts themselves contain image tokens, or the tokenizer has none.
    case imageTokens(expected: Int, found: Int)

    package var description: String {
        switch self {
        case .imageCount(let expected, let found): "the prompt has \(expected) images, tiles were given for \(found)"
        case .tiles(let tiles, let tokensPerTile): "an image cannot have \(tiles) tiles of \(tokensPerTile) tokens"
        case .imageTokens(let expected, let found):
            "the images take \(expected) image tokens, the prompt has \(found)"
        }
    }
}

extension Tokenizer {
    /// The tokens of a prompt, with as many image tokens as the tiles take.
    package func encode(_ prompt: ChatPrompt, tiles: [Int], tokensPerTile: Int) throws(ChatPromptError) -> [TokenID] {
        let ids = encode(try prompt.expanded(tiles: tiles, tokensPerTile: tokensPerTile))
        let imageToken = id(of: ChatPrompt.imageToken)
        let found = ids.count { $0 == imageToken }
        let expected = tiles.reduce(0) { $0 + $1 * tokensPerTile }
        guard found == expected else { throw .imageTokens(expected: expected, found: found) }
        return ids
    }
}
