import FaceLLM
import Testing

/// Where the first sentence of a text ends; tokens are bytes, so every place is one where more may follow.
@Suite struct SentenceTests {
    private let tokenizer: Tokenizer

    init() throws { tokenizer = try AnswerRun.bytes() }

    private func first(_ text: String) throws -> String {
        try AnswerRun(tokenizer, text, AnswerOptions(length: .sentence)).text
    }

    /// "‖" stands where the first sentence ends.
    static let texts = [
        "The man smiles.‖ He is old.",
        "The man smiles!‖ He is old.",
        "Does he smile?‖ Yes.",
        "Does he smile?!‖ Yes.",
        "The man smiles.‖\nHe is old.",
        "The man smiles.‖\n\n- old",
        "The man smiles.‖",
        "the man smiles.‖ he is old.",
        "He is about 30.‖ He smiles.",
        "He is about 3.5 cm from the edge.‖ He smiles.",
        "Version 2.0.1 of facellm.py is here.‖ Next.",
        "The head is turned by 12.5 degrees.‖ So it is.",
        // Abbreviations, initials and numbers of a list
        "Mr. Smith and Dr. Jones smile.‖ Both.",
        "Features, e.g. The nose, i.e. The bridge, are narrow.‖ Yes.",
        "He is approx. 30 years old.‖ He smiles.",
        "It is approx. Forty.‖ Yes.",
        "The U.S. Army cap is green.‖ Yes.",
        "J. Smith and J.R.R. Tolkien look alike.‖ Yes.",
        "Fig. 3 shows No. 5 vs. No. 6.‖ Yes.",
        "No.‖ He does not.",
        "Glasses, a hat, etc. are absent.‖ Yes.",
        "No glasses, hat, etc.‖ The face is bare.",
        "At 5 p.m. in the evening he smiles.‖ Yes.",
        "It was 5 p.m.‖ He smiles.",
        "1. The left eye is open.‖ 2. The right too.",
        "- 2. The left eye is open.‖ 2. The right too.",
        "a. The left eye is open.‖ Yes.",
        "Eyes:\n3. The left one is open.‖ Yes.",
        // Ellipses
        "He looks... tired.‖ Yes.",
        "He looks… tired.‖ Yes.",
        "He looks tired...‖ The light is dim.",
        "He looks tired…‖ The light is dim.",
        // Quotations, brackets, emphasis
        "He says “smile.”‖ Yes.",
        "He says \"smile.\"‖ Yes.",
        "\"Smile!\" he says.‖ Yes.",
        "He smiles (a little.)‖ Yes.",
        "He smiles. (A little.)".replacing("smiles.", with: "smiles.‖"),
        "**He smiles.**‖ Yes.",
        "He smiles (?) a little.‖ Yes.",
        // Other scripts
        "彼は笑顔です。‖目は開いています。",
        "「笑顔です。」‖と言う。",
        "他在笑吗？‖是的！",
        "Он улыбается.‖ Да.",
        "Il sourit !‖ Oui.",
        "⚠ 12. He smiles.‖ Yes.",
    ]

    @Test(arguments: texts) func firstSentence(_ marked: String) throws {
        let parts = marked.split(separator: "‖", omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        #expect(try first(String(parts[0] + parts[1])) == parts[0])
    }

    /// What was cut off at the end is a sentence only if it can be no beginning of something longer.
    @Test(arguments: [
        ("He smiles. He is old.", "He smiles. He is old."), ("He smiles. He is 3.", "He smiles."),
        ("He smiles. He is with Dr.", "He smiles."), ("He smiles. He is...", "He smiles."),
        ("He smiles. No. ", "He smiles. No."), ("He smiles. \"Yes.\"", "He smiles. \"Yes.\""),
        ("He smiles. Hats, etc.", "He smiles."), ("笑顔です。目は", "笑顔です。"),
    ])
    func cutText(_ text: String, _ expected: String) throws {
        let run = try AnswerRun(tokenizer, text, ending: .stopped)
        #expect(run.text == expected)
        #expect(run.ending == .stopped)
    }
}
