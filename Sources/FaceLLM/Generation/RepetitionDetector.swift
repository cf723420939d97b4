/// What counts as an output that has degenerated.
///
/// The defaults leave ordinary prose alone, lists with parallel sentences and tables' rules included.
package struct RepetitionOptions: Sendable, Hashable {
    /// How often in a row one token may stand before it is a repetition; 2 or more.
    ///
    /// Numbers are one token a digit, so 8 admits ten million.
    package var sameToken: Int
    /// How often in a row a phrase of several tokens must stand to be a repetition, 2…1000.
    package var phraseRepeats: Int
    /// How many tokens the repeated phrases must have together, 0…8192: "very, very, very" is none yet.
    package var phraseTokens: Int
    /// The longest phrase looked for, 1…256 tokens.
    package var longestPhrase: Int
    /// A sentence of at least so many bytes of UTF-8 may not come twice; shorter ones may.
    package var shortestSentence: Int

    package init(
        sameToken: Int = 9,
        phraseRepeats: Int = 3,
        phraseTokens: Int = 16,
        longestPhrase: Int = 32,
        shortestSentence: Int = 24
    ) {
        self.sameToken = sameToken
        self.phraseRepeats = phraseRepeats
        self.phraseTokens = phraseTokens
        self.longestPhrase = longestPhrase
        self.shortestSentence = shortestSentence
    }

    package func validate() throws(GenerationError) {
        try GenerationError.check(sameToken >= 2, "sameToken", sameToken, "2 or more")
        try GenerationError.check((2...1000).contains(phraseRepeats), "phraseRepeats", phraseRepeats, "2 to 1000")
        try GenerationError.check((0...8192).contains(phraseTokens), "phraseTokens", phraseTokens, "0 to 8192")
        try GenerationError.check((1...256).contains(longestPhrase), "longestPhrase", longestPhrase, "1 to 256")
        try GenerationError.check(shortestSentence >= 1, "shortestSentence", shortestSentence, "1 or more")
    }
}

/// Where an output began to repeat itself; places count tokens from the first that the detector was fed.
package struct Repetition: Sendable, Hashable {
    /// The phrase's number of tokens; 1 for one token over and over.
    package let period: Int
    /// Where the phrase stands for the first time of those in a row.
    package let start: Int
    /// Where it stands for the second time: what comes from here on can go.
    package var secondStart: Int { start + period }

    package init(period: Int, start: Int) {
        self.period = period
        self.start = start
    }
}

/// Notices that a model no longer comes to an end: tokens, phrases or sentences over and over.
package struct RepetitionDetector: Sendable {
    /// What a sentence is to those before it.
    package enum SentenceVerdict: Sendable {
        case new
        /// Seen before, but too short to mean anything.
        case familiar
        case repeated
    }

    private let options: RepetitionOptions
    /// The tokens that a phrase may begin in, as a ring.
    private var recent: [TokenID]
    private var count = 0
    /// For each period, of how many tokens up to now each equals the one a period before it.
    private var runs: [Int]
    private var sentences: Set<String> = []

    package init(_ options: RepetitionOptions = RepetitionOptions()) throws(GenerationError) {
        try options.validate()
        self.options = options
        recent = Array(repeating: 0, count: options.longestPhrase)
        runs = Array(repeating: 0, count: options.longestPhrase + 1)
    }

    /// The repetition that `id` completes, that of the shortest phrase.
    ///
    /// - Complexity: O(`longestPhrase`).
    package mutating func append(_ id: TokenID) -> Repetition? {
        var found: Repetition?
        for period in 1...min(options.longestPhrase, max(1, count)) where count >= period {
            let isSame = recent[(count - period) % recent.count] == id
            runs[period] = isSame ? runs[period] + 1 : 0
            if found == nil, runs[period] + period >= tokensOfRepetition(period) {
                found = Repetition(period: period, start: count + 1 - runs[period] - period)
            }
        }
        recent[count % recent.count] = id
        count += 1
        return found
    }

    /// How many tokens in a row that repeat after `period` are too many.
    private func tokensOfRepetition(_ period: Int) -> Int {
        if period == 1 { return options.sameToken }
        return period * max(options.phraseRepeats, (options.phraseTokens + period - 1) / period)
    }

    /// Takes a whole sentence, without regard to what surrounds it: list markers, numbers, spaces.
    package mutating func append(sentence: String) -> SentenceVerdict {
        let bare = sentence.drop { !$0.isLetter }
        let text = String(bare[..<(bare.lastIndex { !$0.isWhitespace }.map(bare.index(after:)) ?? bare.startIndex)])
        if text.isEmpty || sentences.insert(text).inserted { return .new }
        return text.utf8.count >= options.shortestSentence ? .repeated : .familiar
    }
}
