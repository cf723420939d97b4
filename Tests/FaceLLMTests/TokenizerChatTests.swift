import FaceLLM
import Foundation
import Testing

/// Prompts against `chat.json`.
@Suite(.enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent))
struct ChatPromptConformanceTests {
    private struct Golden: Decodable {
        let internvl2_5_default_system: String
        let entries: [Entry]
    }

    private struct Entry: Decodable {
        let name: String
        let messages: [Message]
        let tiles: [Int]
        let image_tokens_per_tile: Int
        let hf_template_before_expansion: String
        let hf_prompt: String
        let hf_prompt_token_count: Int
        let hf_ids_run_length: [Run]
        let internvl2_5_template_before_expansion: String
    }

    /// An id, or an object with an id and how often it stands there.
    private struct Run: Decodable {
        let ids: [TokenID]

        private struct Repeated: Decodable {
            let id: TokenID
            let `repeat`: Int
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let id = try? container.decode(TokenID.self) {
                ids = [id]
            } else {
                let run = try container.decode(Repeated.self)
                ids = Array(repeating: run.id, count: run.repeat)
            }
        }
    }

    private struct Message: Decodable {
        let message: ChatMessage

        private enum CodingKeys: String, CodingKey { case role, content }

        private struct Part: Decodable {
            let type: String
            let text: String?
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let name = try container.decode(String.self, forKey: .role)
            let role = try #require(ChatMessage.Role(rawValue: name))
            if let text = try? container.decode(String.self, forKey: .content) {
                message = ChatMessage(role, text)
            } else {
                let parts = try container.decode([Part].self, forKey: .content)
                message = ChatMessage(role, parts.map { $0.type == "image" ? .image : .text($0.text ?? "") })
            }
        }
    }

    @Test func promptsAndTokens() throws {
        let golden = try TokenizerConformance.decode(Golden.self, "tokenizer/chat.json")
        let tokenizer = try TokenizerConformance.full.get()
        #expect(utf8(golden.internvl2_5_default_system) == utf8(ChatTemplate.internVLSystem))
        #expect(!golden.entries.isEmpty)
        for entry in golden.entries {
            let messages = entry.messages.map(\.message)
            let name = Comment(rawValue: entry.name)
            let prompt = ChatTemplate.huggingFace.prompt(messages)
            #expect(utf8(prompt.text) == utf8(entry.hf_template_before_expansion), name)
            #expect(prompt.imageCount == entry.tiles.count, name)
            let perTile = entry.image_tokens_per_tile
            let expanded = try prompt.expanded(tiles: entry.tiles, tokensPerTile: perTile)
            #expect(utf8(expanded) == utf8(entry.hf_prompt), name)
            let ids = try tokenizer.encode(prompt, tiles: entry.tiles, tokensPerTile: perTile)
            #expect(ids == entry.hf_ids_run_length.flatMap(\.ids), name)
            #expect(ids.count == entry.hf_prompt_token_count, name)
            let original = ChatTemplate.internVL2_5().prompt(messages)
            #expect(utf8(original.text) == utf8(entry.internvl2_5_template_before_expansion), name)
        }
    }

    /// The original repository's template writes `<image>` but expands it to the same tokens.
    @Test func originalTemplateExpandsToTheSameTokens() throws {
        struct Case: Decodable {
            let prompt: String
            let input_ids: [TokenID]
        }
        let golden = try TokenizerConformance.decode(Case.self, "cases/09-original-template.json")
        let prompt = ChatTemplate.internVL2_5().prompt([ChatMessage(.user, [.image, .text("Describe this image.")])])
        #expect(try prompt.expanded(tiles: [1], tokensPerTile: 4) == golden.prompt)
        let tokenizer = try TokenizerConformance.tiny("tiny-internvl-hf")
        #expect(try tokenizer.encode(prompt, tiles: [1], tokensPerTile: 4) == golden.input_ids)
    }

    @Test func imageTokensInTheTextAreRefused() throws {
        let tokenizer = try TokenizerConformance.full.get()
        let prompt = ChatTemplate.huggingFace.prompt([ChatMessage(.user, [.image, .text("<IMG_CONTEXT>")])])
        #expect(throws: ChatPromptError.imageTokens(expected: 256, found: 257)) {
            try tokenizer.encode(prompt, tiles: [1], tokensPerTile: 256)
        }
    }
}

@Suite struct TokenizerChatTests {
    private let question = [ChatMessage(.user, [.image, .text("Who?")])]

    @Test func promptWithoutAnswer() {
        #expect(
            ChatTemplate.huggingFace.prompt(question, beginsAnswer: false).text
                == "<|im_start|>user\n<IMG_CONTEXT>\nWho?<|im_end|>\n"
        )
        #expect(ChatTemplate.huggingFace.prompt([]).text == "<|im_start|>assistant\n")
    }

    @Test func originalTemplateHasOneSystemTurnInFront() {
        let template = ChatTemplate.internVL2_5(system: "Own.")
        let text = template.prompt(question).text
        #expect(text.hasPrefix("<|im_start|>system\nOwn.<|im_end|>\n<|im_start|>user\n<image>\n"))
        let turns = [ChatMessage(.system, "A"), ChatMessage(.user, "B"), ChatMessage(.system, "C")]
        #expect(
            template.prompt(turns, beginsAnswer: false).text
                == "<|im_start|>system\nC<|im_end|>\n<|im_start|>user\nB<|im_end|>\n"
        )
    }

    @Test(arguments: [[], [1, 1]]) func tilesMustBeGivenForEachImage(tiles: [Int]) {
        #expect(throws: ChatPromptError.imageCount(expected: 1, found: tiles.count)) {
            try ChatTemplate.huggingFace.prompt(question).expanded(tiles: tiles, tokensPerTile: 256)
        }
    }

    @Test(arguments: [(0, 256), (-1, 256), (1, 0), (.max, 2), (1 << 20, 256)])
    func absurdNumbersOfTilesAreRefused(tiles: Int, tokensPerTile: Int) {
        let error = #expect(throws: ChatPromptError.self) {
            try ChatTemplate.huggingFace.prompt(question).expanded(tiles: [tiles], tokensPerTile: tokensPerTile)
        }
        #expect(error?.description.contains("\(tiles) tiles of \(tokensPerTile)") == true)
    }

    @Test func textThatLooksLikeAPlaceholderStaysText() throws {
        let prompt = ChatTemplate.internVL2_5().prompt([ChatMessage(.user, [.text("<image>"), .image])])
        #expect(prompt.imageCount == 1)
        #expect(try prompt.expanded(tiles: [1], tokensPerTile: 1).contains("<image><img><IMG_CONTEXT></img>\n"))
    }
}
