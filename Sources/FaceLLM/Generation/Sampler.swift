internal import Glibc
internal import Imaging

/// A chosen token.
package struct SampledToken: Sendable, Hashable {
    package let id: TokenID
    /// The natural logarithm of the model's own probability: before penalty, temperature and filters.
    package let logProbability: Float

    package init(id: TokenID, logProbability: Float) {
        self.id = id
        self.logProbability = logProbability
    }
}

/// Chooses the next token from logits.
///
/// In the order of `transformers` 4.57: repetition penalty, temperature, top-k, top-p, min-p, one draw of `SplitMix64`.
/// Logits that are NaN are never chosen; +∞ counts as the largest finite number. Equal logits: the lower id comes first.
///
/// Scratch memory is kept between calls; after the first call nothing is allocated.
package struct Sampler: Sendable {
    private struct Candidate {
        /// Logit after the penalty.
        var score: Float
        var id: Int32
        /// exp((score − max) / temperature): 1 for the most probable.
        var weight = 0.0

        /// More probable, or as probable with a lower id.
        func comes(before other: Candidate) -> Bool {
            score > other.score || score == other.score && id < other.id
        }
    }

    package let options: SamplingOptions
    private var random: SplitMix64
    /// The logits after the penalty, without NaN.
    private var scores: [Float] = []
    private var candidates: [Candidate] = []

    package init(_ options: SamplingOptions = SamplingOptions()) throws(GenerationError) {
        try options.validate()
        self.options = options
        random = SplitMix64(seed: options.seed)
    }

    /// The next token; nil when no logit is a number above −∞.
    ///
    /// - Parameters:
    ///   - logits: [vocabularySize].
    ///   - history: the tokens of prompt and answer, for the repetition penalty; ids outside of `logits` are ignored.
    package mutating func next(_ logits: Span<Float>, history: [TokenID]) -> SampledToken? {
        guard let (best, logSum) = Self.survey(logits) else { return nil }
        let hasPenalty = options.repetitionPenalty != 1 && !history.isEmpty
        let id: Int
        if options.temperature == 0, !hasPenalty {
            id = best
        } else {
            penalize(logits, history)
            guard let largest = Self.indexOfLargest(scores.span) else { return nil }
            id = options.temperature == 0 ? largest : draw(largest: scores[largest])
        }
        let logProbability = Double(Self.usable(logits[id])) - logSum
        return SampledToken(id: TokenID(id), logProbability: Float(logProbability))
    }

    /// Without a history there is no repetition penalty.
    package mutating func next(_ logits: Span<Float>) -> SampledToken? { next(logits, history: []) }

    // MARK: - Logits

    /// Where the largest logit is and log Σ exp(logit); nil without a logit above −∞.
    private static func survey(_ logits: Span<Float>) -> (best: Int, logSum: Double)? {
        guard let best = indexOfLargest(logits) else { return nil }
        let largest = usable(logits[best])
        var sum = 0.0
        for index in logits.indices {
            // Below e⁻³⁰ of the largest a whole vocabulary adds less than 2·10⁻⁸; most logits are there.
            let distance = usable(logits[index]) - largest
            if distance > -30 { sum += Double(expf(distance)) }
        }
        return (best, Double(largest) + log(sum))
    }

    /// The first of the largest; comparisons with NaN are false, so NaN and −∞ are never it.
    private static func indexOfLargest(_ values: Span<Float>) -> Int? {
        var best = -1
        var largest = -Float.infinity
        for index in values.indices where values[index] > largest {
            largest = values[index]
            best = index
        }
        return best < 0 ? nil : best
    }

    /// Without NaN and +∞, whose differences are no numbers.
    @inline(__always)
    private static func usable(_ logit: Float) -> Float {
        logit.isNaN ? -.infinity : min(logit, .greatestFiniteMagnitude)
    }

    /// Fills `scores`: each token of the history counts once, however often it is there.
    private mutating func penalize(_ logits: Span<Float>, _ history: [TokenID]) {
        scores.removeAll(keepingCapacity: true)
        scores.reserveCapacity(logits.count)
        for index in logits.indices { scores.append(Self.usable(logits[index])) }
        let penalty = options.repetitionPenalty
        guard penalty != 1 else { return }
        for id in history.suffix(options.repetitionWindow ?? Int.max) where logits.indices.contains(Int(id)) {
            let logit = Self.usable(logits[Int(id)])
            scores[Int(id)] = Self.usable(logit > 0 ? logit / penalty : logit * penalty)
        }
    }

    // MARK: - Filters

    /// Draws from what the filters leave of `scores`.
    private mutating func draw(largest: Float) -> Int {
        let leastScore = options.topK == 0 ? -.infinity : scoreOfRank(options.topK)
        var total = collect(from: leastScore, largest: largest)
        if options.topP < 1 { total = keepNucleus(of: total) }
        if options.minP > 0 { total = keepProbable() }
        var rest = random.nextFraction() * total
        var last = 0
        for candidate in candidates where candidate.weight > 0 {
            last = Int(candidate.id)
            rest -= candidate.weight
            if rest < 0 { break }
        }
        return last
    }

    /// The score of the token that `rank` − 1 tokens precede; −∞ with fewer tokens.
    ///
    /// A heap of the best so far with the least at its root: one comparison for most tokens.
    private mutating func scoreOfRank(_ rank: Int) -> Float {
        guard rank < scores.count else { return -.infinity }
        candidates.removeAll(keepingCapacity: true)
        for index in 0..<rank { candidates.append(Candidate(score: scores[index], id: Int32(index))) }
        for index in stride(from: rank / 2 - 1, through: 0, by: -1) { siftDown(index) }
        for index in rank..<scores.count where scores[index] > candidates[0].score {
            candidates[0] = Candidate(score: scores[index], id: Int32(index))
            siftDown(0)
        }
        return candidates[0].score
    }

    /// Restores the heap where only the candidate at `start` may be out of order.
    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < candidates.count else { return }
            if child + 1 < candidates.count, candidates[child].comes(before: candidates[child + 1]) { child += 1 }
            guard candidates[parent].comes(before: candidates[child]) else { return }
            candidates.swapAt(child, parent)
            parent = child
        }
    }

    /// Fills `candidates` with the tokens of at least `leastScore`, −∞ itself excluded; the sum of their weights.
    private mutating func collect(from leastScore: Float, largest: Float) -> Double {
        candidates.removeAll(keepingCapacity: true)
        var total = 0.0
        for index in scores.indices where scores[index] >= leastScore && scores[index] > -.infinity {
            let weight = exp((Double(scores[index]) - Double(largest)) / Double(options.temperature))
            candidates.append(Candidate(score: scores[index], id: Int32(index), weight: weight))
            total += weight
        }
        return total
    }

    /// Leaves the most probable candidates: as few as together reach `topP` of `total`; the sum of their weights.
    ///
    /// - Complexity: O(*n*) on average: parts that are in or out as a whole are not sorted.
    private mutating func keepNucleus(of total: Double) -> Double {
        let enough = Double(options.topP) * total
        // Those before `start` stay, those from `end` on go.
        var start = 0, end = candidates.count
        var mass = 0.0
        while start < end, mass < enough {
            let middle = partition(start..<end)
            let upper = candidates[start..<middle].reduce(0) { $0 + $1.weight }
            if mass + upper >= enough {
                end = middle
            } else {
                mass += upper + candidates[middle].weight
                start = middle + 1
            }
        }
        candidates.removeLast(candidates.count - start)
        return mass
    }

    /// Puts candidates that come before a middle one to its left, the others to its right; where it stands then.
    private mutating func partition(_ range: Range<Int>) -> Int {
        let last = range.upperBound - 1
        // The median of three, so that sorted logits are no bad case.
        let middle = range.lowerBound + range.count / 2
        if candidates[middle].comes(before: candidates[range.lowerBound]) {
            candidates.swapAt(middle, range.lowerBound)
        }
        if candidates[last].comes(before: candidates[range.lowerBound]) { candidates.swapAt(last, range.lowerBound) }
        if candidates[middle].comes(before: candidates[last]) { candidates.swapAt(middle, last) }
        let pivot = candidates[last]
        var place = range.lowerBound
        for index in range.lowerBound..<last where candidates[index].comes(before: pivot) {
            candidates.swapAt(index, place)
            place += 1
        }
        candidates.swapAt(place, last)
        return place
    }

    /// Leaves the candidates of at least `minP` of the most probable one; the sum of their weights.
    private mutating func keepProbable() -> Double {
        candidates.removeAll { $0.weight < Double(options.minP) }
        return candidates.reduce(0) { $0 + $1.weight }
    }
}
