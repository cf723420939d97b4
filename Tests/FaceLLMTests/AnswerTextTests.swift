import FaceLLM
import Imaging
import Testing

@Suite struct AnswerTextTests {
    private let tokenizer: Tokenizer

    init() throws { tokenizer = try AnswerRun.bytes() }

    private func options(
        _ length: AnswerOptions.Length = .paragraph,
        cap: Int = 8192,
        cutsAtSentence: Bool = true
    ) -> AnswerOptions {
        AnswerOptions(
            length: length,
            maximumTokens: cap,
            cutsAtSentence: cutsAtSentence,
            repetition: AnswerRun.repetitionOfBytes
        )
    }

    // MARK: - Streaming

    @Test func wholeSentencesAreStreamed() throws {
        let run = try AnswerRun(tokenizer, " The man smiles. He is approx. 30.5 years old! Yes\n")
        #expect(run.said == ["The man smiles.", " He is approx. 30.5 years old!", " Yes"])
        #expect(run.ending == .endOfText)
    }

    @Test func wordsAreStreamedAtOnceOnRequest() throws {
        let run = try AnswerRun(tokenizer, "\n Hé 🙂. Yes ", options(cutsAtSentence: false))
        #expect(run.said == ["H", "é", " 🙂", ".", " Y", "e", "s"])
        let sentence = try AnswerRun(tokenizer, "Hm. Yes. No.", options(.sentence, cutsAtSentence: false))
        #expect(sentence.text == "Hm.")
        #expect(sentence.ending == .sentence)
    }

    @Test func firstSentenceEndsTheAnswer() throws {
        let run = try AnswerRun(tokenizer, "... The man smiles. He is old.", options(.sentence))
        #expect(run.text == "... The man smiles.")
        #expect(run.ending == .sentence)
        // The space after the point tells.
        #expect(run.tokenCount == utf8("... The man smiles. ").count)
        #expect(try AnswerRun(tokenizer, "The man smiles", options(.sentence)).ending == .endOfText)
    }

    @Test func specialTokensAndHalfCharactersAreNoText() throws {
        let smile = utf8("🙂").map { TokenID($0) }
        let run = try AnswerRun(tokenizer, ids: [260, 97, 260] + smile + [260] + smile.dropLast())
        #expect(run.text == "a🙂")
        #expect(run.tokenCount == 11)
    }

    @Test func nothingIsNothing() throws {
        for text in ["", " ", "\n\n", "<x>", "```", "```\n```", "``` "] {
            for ending in AnswerEnding.allCases {
                for cutsAtSentence in [true, false] {
                    let run = try AnswerRun(tokenizer, text, options(cutsAtSentence: cutsAtSentence), ending: ending)
                    #expect(run.text.isEmpty, "\(text)")
                }
            }
        }
    }

    // MARK: - The cap

    @Test func capCutsAtTheLastSentence() throws {
        let text = "The man smiles. He is approx. 30 years old and wears"
        let run = try AnswerRun(tokenizer, text, options(cap: 40))
        #expect(run.text == "The man smiles.")
        #expect(run.ending == .tokenLimit)
        #expect(run.tokenCount == 40)
        // A sentence that ends with the last token counts.
        #expect(try AnswerRun(tokenizer, text, options(cap: 15)).text == "The man smiles.")
        #expect(try AnswerRun(tokenizer, text, options(cap: 15, cutsAtSentence: false)).text == "The man smiles.")
        #expect(try AnswerRun(tokenizer, text, options(cap: 18, cutsAtSentence: false)).text == "The man smiles. He")
    }

    @Test(arguments: [
        ("The man has beautiful eyes", 19, "The man has…"),
        ("The man has beautiful eyes", 21, "The man has…"),
        ("The man has beautiful eyes", 22, "The man has beautiful…"), ("The man, who", 9, "The man…"),
        ("The man, who", 8, "The man…"),
        ("Incomprehensible", 5, "Incom…"), ("  Incomprehensible", 5, "Inc…"), ("He is (very old", 8, "He is…"),
        ("...", 2, ""), ("With Dr. Jones", 9, "With Dr…"), ("彼は笑顔", 9, "彼は笑…"), ("彼は笑顔", 8, "彼は…"),
    ])
    func capWithoutASentenceCutsAtTheLastWord(_ text: String, _ cap: Int, _ expected: String) throws {
        let run = try AnswerRun(tokenizer, text, options(cap: cap))
        #expect(run.text == expected)
        #expect(run.ending == .tokenLimit)
    }

    @Test func listsAreCutBetweenItems() throws {
        let text = "Face:\n- eyes: open\n- mouth: closed\n- hair: bro"
        #expect(try AnswerRun(tokenizer, text, ending: .stopped).text == "Face:\n- eyes: open\n- mouth: closed")
        #expect(try AnswerRun(tokenizer, text).text == text)
        #expect(try AnswerRun(tokenizer, text).said.first == "Face:\n- eyes: open")
    }

    // MARK: - Repetition

    @Test func aSentenceDoesNotComeTwice() throws {
        let text = "He is old. The man smiles at the camera. He is bald. The man smiles at the camera. He"
        let run = try AnswerRun(tokenizer, text)
        #expect(run.text == "He is old. The man smiles at the camera. He is bald.")
        #expect(run.ending == .repetition)
        // Also when it is the last.
        #expect(
            try AnswerRun(tokenizer, "It is as it is, and it is good. It is as it is, and it is good.").said.count == 1
        )
    }

    @Test func shortSentencesMayComeTwice() throws {
        let text = "Eyes? Open. Mouth? Open. Open. Open. Brows? Up."
        let run = try AnswerRun(tokenizer, text)
        #expect(run.text == text)
        #expect(run.said == ["Eyes?", " Open.", " Mouth?", " Open. Open. Open. Brows?", " Up."])
        // Where the output is cut they are its tail.
        #expect(try AnswerRun(tokenizer, "Mouth? Open. Open. Open. O", ending: .stopped).text == "Mouth? Open.")
    }

    @Test func repeatedPhrasesAreCutOff() throws {
        let phrase = " and the eyes are open"
        let text = "The face is oval" + String(repeating: phrase, count: 9)
        let run = try AnswerRun(tokenizer, text)
        #expect(run.text == "The face is oval and the eyes are open…")
        #expect(run.ending == .repetition)
        #expect(run.tokenCount <= 16 + 4 * phrase.count)
        let later = try AnswerRun(tokenizer, "He smiles. " + text)
        #expect(later.text == "He smiles.")
        let dots = try AnswerRun(tokenizer, "He smiles. Ah" + String(repeating: "h", count: 50))
        #expect(dots.text == "He smiles.")
        let atOnce = try AnswerRun(tokenizer, text, options(cutsAtSentence: false))
        #expect(text.hasPrefix(atOnce.text))
        #expect(atOnce.ending == .repetition)
    }

    @Test func shortSentencesOverAndOver() throws {
        let run = try AnswerRun(tokenizer, "He smiles." + String(repeating: " Yes.", count: 40))
        #expect(run.text == "He smiles. Yes.")
        #expect(run.ending == .repetition)
    }

    @Test(arguments: RepetitionTests.prose) func proseStaysWhole(_ text: String) throws {
        #expect(try AnswerRun(tokenizer, text).text == text)
        #expect(try AnswerRun(tokenizer, text, options(cutsAtSentence: false)).text == text)
    }

    // MARK: - Fences

    @Test(arguments: [
        ("```\nHe smiles.\n```", "He smiles."), ("```markdown\n\nHe smiles.\n```\nThat is all.", "He smiles."),
        ("\n~~~text\nHe smiles.\n~~~", "He smiles."), ("```json\n{\"a\": \"b.\"}\n```", "{\"a\": \"b.\"}"),
        ("``` json\n{}\n```", "{}"), ("```He smiles.```", "He smiles."), ("``` He smiles.\n```", "He smiles."),
        ("````\nUse ```x``` here.\n````", "Use ```x``` here."), ("```\nHe smiles", "He smiles"),
        ("`He` smiles.", "`He` smiles."), ("``He`` smiles.", "``He`` smiles."), ("~5 years.", "~5 years."),
        ("He ```smiles```.", "He ```smiles```."), ("``", "``"),
    ])
    func fences(_ text: String, _ expected: String) throws {
        for cutsAtSentence in [true, false] {
            let run = try AnswerRun(tokenizer, text, options(cutsAtSentence: cutsAtSentence))
            #expect(run.text == expected)
            #expect(run.ending == .endOfText)
        }
    }

    // MARK: - Whatever comes

    @Test func randomTexts() throws {
        var random = SplitMix64(seed: 4)
        let parts = [
            "The man", " smiles", ".", "...", "!", "?", " ", "\n", "```", "~", "Dr.", "3.5", "e.g. ", "é", "🙂", "。",
            "\"", ")", "- ", "…", "<x>", "\u{301}", "A", "etc", "\u{FEFF}", "1. ", "**",
        ]
        let loose = RepetitionOptions(sameToken: 100_000, phraseRepeats: 1000, shortestSentence: 100_000)
        for index in 0..<1500 {
            let text = (0..<Int.random(in: 0...25, using: &random)).reduce(into: "") { text, _ in
                text += parts[Int.random(in: 0..<parts.count, using: &random)]
            }
            let options = AnswerOptions(
                length: Bool.random(using: &random) ? .sentence : .paragraph,
                maximumTokens: index % 3 == 0 ? Int.random(in: 1...60, using: &random) : 8192,
                cutsAtSentence: Bool.random(using: &random),
                repetition: index % 2 == 0 ? loose : RepetitionOptions()
            )
            let run = try AnswerRun(tokenizer, text, options)
            #expect(run.text == run.text.trimmed, "\(index): \(text)")
            #expect(!run.text.contains("<x>") && !run.text.unicodeScalars.contains("\u{FFFD}"))
            let plain = tokenizer.decode(tokenizer.encode(text), skipsSpecialTokens: true).trimmed
            if options.length == .paragraph, options.maximumTokens == 8192, index % 2 == 0,
                !plain.hasPrefix("```"), !plain.hasPrefix("~~~")
            {
                #expect(utf8(run.text) == utf8(plain), "\(index): \(text)")
            }
        }
    }

    @Test(.enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent))
    func theModelsTokensGiveTheSame() throws {
        let full = try TokenizerConformance.full.get()
        for marked in SentenceTests.texts {
            let text = marked.replacing("‖", with: "")
            let expected = String(marked.prefix { $0 != "‖" })
            #expect(try AnswerRun(full, text, options(.sentence)).text == expected)
            #expect(try AnswerRun(full, text, options()).text == text)
        }
        for text in RepetitionTests.prose { #expect(try AnswerRun(full, text, AnswerOptions()).text == text) }
        let degenerate = "He smiles. The face" + String(repeating: " is oval, the chin is round, the face", count: 20)
        let run = try AnswerRun(full, degenerate, AnswerOptions())
        #expect(run.text == "He smiles.")
        #expect(run.tokenCount < 40)
    }

    @Test(arguments: [0, -1, 8193, .max]) func refusedOptions(_ cap: Int) {
        let error = #expect(throws: GenerationError.self) { try AnswerText(tokenizer, options: options(cap: cap)) }
        #expect(error?.option == "maximumTokens")
        let repetition = AnswerOptions(repetition: RepetitionOptions(sameToken: 0))
        #expect(throws: GenerationError.self) { try AnswerText(tokenizer, options: repetition) }
    }
}

extension String {
    /// Without white space at the ends, by scalars: a combining mark may follow a space.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars.drop(while: \.properties.isWhitespace)
        let end = scalars.lastIndex { !$0.properties.isWhitespace }.map(scalars.index(after:)) ?? scalars.startIndex
        return String(scalars[..<end])
    }
}
