import FaceLLM
import Testing

/// An answer put together from a text's tokens.
struct AnswerRun {
    private(set) var pieces: [String] = []
    let text: String
    let ending: AnswerEnding?
    let tokenCount: Int

    /// A tokenizer whose tokens are, but for four, bytes.
    static func bytes() throws -> Tokenizer {
        let folder = try TokenizerFolder()
        try folder.write(SmallVocabulary.tokenizerJSON(), "tokenizer.json")
        return try Tokenizer(folder: folder.path)
    }

    /// The default bounds in bytes: a token of prose has about four.
    static let repetitionOfBytes = RepetitionOptions(sameToken: 36, phraseTokens: 64, longestPhrase: 128)

    static let standardOptions = AnswerOptions(maximumTokens: 8192, repetition: repetitionOfBytes)

    init(
        _ tokenizer: Tokenizer,
        _ text: String,
        _ options: AnswerOptions = AnswerRun.standardOptions,
        ending: AnswerEnding = .endOfText
    ) throws {
        try self.init(tokenizer, ids: tokenizer.encode(text), options, ending: ending)
    }

    init(
        _ tokenizer: Tokenizer,
        ids: [TokenID],
        _ options: AnswerOptions = AnswerRun.standardOptions,
        ending: AnswerEnding = .endOfText
    ) throws {
        var answer = try AnswerText(tokenizer, options: options)
        for id in ids {
            pieces.append(answer.append(id))
            try #require(answer.text == pieces.joined(), "nothing is taken back")
            if answer.ending != nil { break }
        }
        pieces.append(answer.finish(ending))
        text = answer.text
        self.ending = answer.ending
        tokenCount = answer.tokenCount
        try #require(utf8(text) == utf8(pieces.joined()))
        // An answer that is over stays as it is.
        try #require(answer.append(97).isEmpty && answer.finish(.stopped).isEmpty && answer.text == text)
    }

    /// The pieces that are not empty.
    var said: [String] { pieces.filter { !$0.isEmpty } }
}
