import FaceLLM
import Imaging
import Testing

@Suite struct RepetitionTests {
    /// Words and marks as tokens, numbered as they come.
    private static func tokens(_ text: String) -> [TokenID] {
        var numbers: [String: TokenID] = [:]
        var words: [String] = []
        for character in text {
            if character.isLetter, words.last?.last?.isLetter == true {
                words[words.count - 1].append(character)
            } else if character != " " {
                words.append(String(character))
            }
        }
        return words.map { word in
            let id = numbers[word] ?? TokenID(numbers.count)
            numbers[word] = id
            return id
        }
    }

    /// The first repetition and how many tokens had been seen then.
    private func first(
        _ ids: [TokenID],
        _ options: RepetitionOptions = RepetitionOptions()
    ) throws -> (repetition: Repetition, seen: Int)? {
        var detector = try RepetitionDetector(options)
        for (index, id) in ids.enumerated() {
            if let repetition = detector.append(id) { return (repetition, index + 1) }
        }
        return nil
    }

    @Test func oneTokenOverAndOver() throws {
        #expect(try first([5, 6] + Array(repeating: 7, count: 8)) == nil)
        let found = try #require(try first([5, 6] + Array(repeating: 7, count: 20)))
        #expect(found.repetition == Repetition(period: 1, start: 2))
        #expect(found.repetition.secondStart == 3)
        #expect(found.seen == 11)
        let eager = RepetitionOptions(sameToken: 2)
        #expect(try first([1, 2, 2], eager)?.repetition == Repetition(period: 1, start: 1))
    }

    @Test(arguments: 2...32) func phrases(_ period: Int) throws {
        let lead: [TokenID] = [900, 901, 902]
        let phrase = (0..<period).map { TokenID($0) }
        let repeats = max(3, (16 + period - 1) / period)
        let enough = lead + Array(repeating: phrase, count: repeats).flatMap { $0 }
        let found = try #require(try first(enough + phrase))
        #expect(found.repetition == Repetition(period: period, start: 3))
        #expect(found.seen == enough.count)
        #expect(try first(enough.dropLast() + [999]) == nil)
    }

    @Test func longerPhrasesAreNotLookedFor() throws {
        let phrase = (0..<33).map { TokenID($0) }
        let text = Array(repeating: phrase, count: 5).flatMap { $0 }
        #expect(try first(text) == nil)
        #expect(try first(text, RepetitionOptions(longestPhrase: 40))?.repetition.period == 33)
    }

    @Test func randomTokensAgainstLookingBack() throws {
        var random = SplitMix64(seed: 8)
        let options = RepetitionOptions(sameToken: 4, phraseRepeats: 2, phraseTokens: 6, longestPhrase: 5)
        for _ in 0..<500 {
            let ids = (0..<60).map { _ in TokenID.random(in: 0...1, using: &random) }
            var expected: Repetition?
            for count in 1...ids.count where expected == nil {
                for period in 1...5 where expected == nil {
                    let needed = period == 1 ? 4 : period * max(2, (6 + period - 1) / period)
                    var start = count - period
                    while start > 0, start + period < count + 1, ids[start - 1] == ids[start - 1 + period] {
                        start -= 1
                    }
                    if start >= 0, count - start >= needed { expected = Repetition(period: period, start: start) }
                }
            }
            #expect(try first(ids, options)?.repetition == expected, "\(ids)")
        }
    }

    /// Nothing of this is degenerate.
    static let prose = [
        """
        The left eye is open, the right eye is open. The left eyebrow is raised, the right eyebrow is raised. The left \
        cheek is in shadow, the right cheek is lit; the left ear is visible, the right ear is hidden by the hair.
        """,
        """
        - Left eye: open, brown, looking at the camera
        - Right eye: open, brown, looking at the camera
        - Left eyebrow: thick, dark, slightly arched
        - Right eyebrow: thick, dark, slightly arched
        - Lips: closed, relaxed. Yes.
        - Teeth: not visible. Yes.
        """,
        """
        1. Demographics: the person appears to be a man of about 35 to 45 years.
        2. Skin: smooth, very, very, very smooth, without scars, without marks, without wrinkles.
        3. Lighting: soft light from the left, soft light from above, no hard shadows.
        """,
        """
        The image shows a woman with long, dark hair. Her hair is parted in the middle. Her eyes are dark, and her \
        eyebrows are dark, and her lashes are dark. She smiles, and the smile reaches her eyes. The background is \
        blurred, so that the face stands out. The lighting is even. There are no visible scars, no tattoos, no \
        piercings, no glasses, no hat and no mask. Her expression is calm... perhaps a little tired.
        """,
        """
        | Feature | Left | Right |
        |---|---|---|
        | eye | open | open |
        | brow | raised | raised |
        ------
        The file is numbered 10000000.
        """,
    ]

    @Test(arguments: prose) func proseIsLeftAlone(_ text: String) throws {
        #expect(try first(Self.tokens(text)) == nil)
    }

    @Test(
        .enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent),
        arguments: prose
    )
    func proseInTheModelsTokens(_ text: String) throws {
        let tokenizer = try TokenizerConformance.full.get()
        #expect(try first(tokenizer.encode(text)) == nil)
        #expect(try first(tokenizer.encode(Self.prose.joined(separator: "\n\n"))) == nil)
    }

    @Test(
        .enabled(if: TokenizerConformance.isPresent, TokenizerConformance.absent),
        arguments: [
            ("The eyes are open,", " and the eyes are open,"), ("Skin:", " very smooth,"), ("The face", " face"),
            ("He", " has a strong jaw, a strong nose, a strong brow,"), ("Haha", "ha"),
        ]
    )
    func degenerateTextIsFound(_ lead: String, _ phrase: String) throws {
        let tokenizer = try TokenizerConformance.full.get()
        let ids = tokenizer.encode(lead + String(repeating: phrase, count: 30))
        let found = try #require(try first(ids))
        let kept = tokenizer.decode(ids[..<found.repetition.secondStart])
        #expect(kept.count <= lead.count + 2 * phrase.count, "\(kept)")
        #expect(found.seen <= 3 * found.repetition.period + 32)
    }

    @Test func sentences() throws {
        var detector = try RepetitionDetector()
        #expect(detector.append(sentence: "The expression is neutral.") == .new)
        #expect(detector.append(sentence: "The expression is relaxed.") == .new)
        #expect(detector.append(sentence: "Yes.") == .new)
        #expect(detector.append(sentence: "\n- Yes. ") == .familiar)
        #expect(detector.append(sentence: " 12. The expression is neutral.\n") == .repeated)
        for nothing in ["", " ", "...", "12."] {
            #expect(detector.append(sentence: nothing) == .new)
            #expect(detector.append(sentence: nothing) == .new)
        }
        #expect(detector.append(sentence: "表情は穏やかで笑顔です。") == .new)
        #expect(detector.append(sentence: "表情は穏やかで笑顔です。") == .repeated)
    }

    @Test(arguments: [
        (RepetitionOptions(sameToken: 1), "sameToken"), (RepetitionOptions(phraseRepeats: 1), "phraseRepeats"),
        (RepetitionOptions(phraseRepeats: .max), "phraseRepeats"),
        (RepetitionOptions(phraseTokens: -1), "phraseTokens"),
        (RepetitionOptions(phraseTokens: .max), "phraseTokens"), (RepetitionOptions(longestPhrase: 0), "longestPhrase"),
        (RepetitionOptions(longestPhrase: 257), "longestPhrase"),
        (RepetitionOptions(shortestSentence: 0), "shortestSentence"),
    ])
    func refusedOptions(_ options: RepetitionOptions, _ name: String) {
        #expect(#expect(throws: GenerationError.self) { try RepetitionDetector(options) }?.option == name)
    }
}
