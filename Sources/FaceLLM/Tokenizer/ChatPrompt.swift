/// One turn of a conversation.
package struct ChatMessage: Sendable, Hashable {
    package enum Role: String, Sendable { case system, user, assistant }

    /// A part of a turn.
    package enum Content: Sendable, Hashable {
        /// Text of our own, in which `<ref>` is a token, as in the reference.
        case text(String)
        /// Text from outside: whatever it holds, it is ordinary characters to the model.
        case plain(String)
        /// The place of an image; its pixels go another way.
        case image
    }

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
    /// - Parameters:
    ///   - beginsAnswer: whether the assistant's turn is begun at the end, for the model to go on.
    ///   - answer: how that turn begins; ordinary characters.
    package func prompt(_ messages: [ChatMessage], beginsAnswer: Bool = true, answer: String = "") -> ChatPrompt {
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
                case .plain(let text): prompt.append(text, recognizesAddedTokens: false)
                case .image:
                    prompt.appendImage()
                    prompt.append("\n")
                }
            }
            prompt.append("<|im_end|>\n")
        }
        if beginsAnswer {
            prompt.append("<|im_start|>assistant\n")
            prompt.append(answer, recognizesAddedTokens: false)
        }
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
///
/// Markup and text from outside are kept apart, so that only markup can become `<|im_end|>` and the like.
package struct ChatPrompt: Sendable, Hashable {
    /// The token whose embeddings the image features replace.
    package static let imageToken = "<IMG_CONTEXT>"

    /// What stands for an image in `text`.
    private let placeholder: String
    /// The text before, between and after the images.
    private var texts: [[TextRun]] = [[]]

    fileprivate init(placeholder: String) { self.placeholder = placeholder }

    fileprivate mutating func append(_ text: String, recognizesAddedTokens: Bool = true) {
        if text.isEmpty { return }
        let place = texts.count - 1
        if let last = texts[place].last, last.recognizesAddedTokens == recognizesAddedTokens {
            texts[place][texts[place].count - 1].text += text
        } else {
            texts[place].append(TextRun(text, recognizesAddedTokens: recognizesAddedTokens))
        }
    }

    fileprivate mutating func appendImage() { texts.append([]) }

    package var imageCount: Int { texts.count - 1 }

    /// The prompt as the template gives it, a placeholder for each image.
    ///
    /// To be read, not encoded: it does not say what is markup.
    package var text: String { texts.map(Self.joined).joined(separator: placeholder) }

    /// The prompt up to its last image, and what follows, which has no image.
    ///
    /// The tokens of the first and those of the second are those of the whole, since `</img>` stands between them.
    package var splitAfterImages: (images: ChatPrompt, rest: ChatPrompt) {
        var images = self, rest = ChatPrompt(placeholder: placeholder)
        rest.texts = [texts[texts.count - 1]]
        images.texts[texts.count - 1] = []
        return (images, rest)
    }

    /// The prompt with `<img>`, the image tokens and `</img>` for each image; to be read, as `text` is.
    ///
    /// - Parameters:
    ///   - tiles: the number of tiles of each image, with the thumbnail.
    ///   - tokensPerTile: 256 for the published models.
    package func expanded(tiles: [Int], tokensPerTile: Int) throws(ChatPromptError) -> String {
        Self.joined(try runs(tiles: tiles, tokensPerTile: tokensPerTile))
    }

    fileprivate func runs(tiles: [Int], tokensPerTile: Int) throws(ChatPromptError) -> [TextRun] {
        guard tiles.count == imageCount else { throw .imageCount(expected: imageCount, found: tiles.count) }
        var runs = texts[0]
        for (count, text) in zip(tiles, texts.dropFirst()) {
            let (tokens, overflow) = count.multipliedReportingOverflow(by: tokensPerTile)
            guard count > 0, tokensPerTile > 0, !overflow, tokens <= Self.maximumImageTokens else {
                throw .tiles(count, tokensPerTile: tokensPerTile)
            }
            let image = "<img>" + String(repeating: Self.imageToken, count: tokens) + "</img>"
            runs.append(TextRun(image, recognizesAddedTokens: true))
            runs += text
        }
        return runs
    }

    private static func joined(_ runs: [TextRun]) -> String { runs.reduce(into: "") { $0 += $1.text } }

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
        let ids = encode(try prompt.runs(tiles: tiles, tokensPerTile: tokensPerTile))
        let imageToken = id(of: ChatPrompt.imageToken)
        let found = ids.count { $0 == imageToken }
        let expected = tiles.reduce(0) { $0 + $1 * tokensPerTile }
        guard found == expected else { throw .imageTokens(expected: expected, found: found) }
        return ids
    }
}
