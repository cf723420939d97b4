/// Byte-pair merging of one piece of text: the pair with the lowest rank first, the leftmost of equals.
///
/// Keeps its scratch space between pieces, so merging allocates nothing after the first long piece.
struct BytePairMerger {
    /// Up to here every step looks at all pairs; beyond, a heap finds the next one in logarithmic time.
    private static let scanned = 32
    /// Scratch space for more bytes than this is given back.
    private static let kept = 1 << 16

    private var tokens: [TokenID] = []
    /// `MergeTable.rule` of each token with the one after it.
    private var rules: [UInt64] = []
    private var previous: [Int32] = []
    private var following: [Int32] = []
    /// `rank << 32 | place`, smallest first.
    private var heap: [UInt64] = []

    /// Appends the tokens of `piece` to `ids`.
    ///
    /// - Complexity: O(*n* log *n*) in the length of the piece.
    mutating func merge(_ piece: ArraySlice<UInt8>, _ vocabulary: borrowing Vocabulary, into ids: inout [TokenID]) {
        tokens.removeAll(keepingCapacity: true)
        for byte in piece { tokens.append(vocabulary.byteTokens[Int(byte)]) }
        rules.removeAll(keepingCapacity: true)
        for place in tokens.indices.dropLast() {
            rules.append(vocabulary.merges.rule(tokens[place], tokens[place + 1]))
        }
        rules.append(MergeTable.none)
        if tokens.count <= Self.scanned { scan(vocabulary, into: &ids) } else { sift(vocabulary, into: &ids) }
        if tokens.capacity > Self.kept { self = BytePairMerger() }
    }

    private mutating func scan(_ vocabulary: borrowing Vocabulary, into ids: inout [TokenID]) {
        while tokens.count > 1 {
            var best = 0
            for place in 1..<rules.count where rules[place] >> 32 < rules[best] >> 32 { best = place }
            if rules[best] == MergeTable.none { break }
            tokens[best] = TokenID(truncatingIfNeeded: rules[best])
            tokens.remove(at: best + 1)
            rules.remove(at: best)
            rules[best] =
                best + 1 < tokens.count ? vocabulary.merges.rule(tokens[best], tokens[best + 1]) : MergeTable.none
            if best > 0 { rules[best - 1] = vocabulary.merges.rule(tokens[best - 1], tokens[best]) }
        }
        ids.append(contentsOf: tokens)
    }

    private mutating func sift(_ vocabulary: borrowing Vocabulary, into ids: inout [TokenID]) {
        let count = tokens.count
        previous.removeAll(keepingCapacity: true)
        following.removeAll(keepingCapacity: true)
        heap.removeAll(keepingCapacity: true)
        for place in 0..<count {
            previous.append(Int32(place) - 1)
            following.append(Int32(place) + 1)
            if rules[place] != MergeTable.none { push((rules[place] >> 32) << 32 | UInt64(place)) }
        }
        while let entry = pop() {
            let place = Int(entry & 0xFFFF_FFFF)
            // Of a pair that has since changed: the token is gone or has another neighbour.
            guard rules[place] != MergeTable.none, rules[place] >> 32 == entry >> 32 else { continue }
            let gone = Int(following[place])
            tokens[place] = TokenID(truncatingIfNeeded: rules[place])
            tokens[gone] = -1
            rules[gone] = MergeTable.none
            let after = Int(following[gone])
            following[place] = Int32(after)
            rules[place] = MergeTable.none
            if after < count {
                previous[after] = Int32(place)
                renew(place, with: after, vocabulary)
            }
            let before = Int(previous[place])
            if before >= 0 { renew(before, with: place, vocabulary) }
        }
        for token in tokens where token >= 0 { ids.append(token) }
    }

    private mutating func renew(_ place: Int, with next: Int, _ vocabulary: borrowing Vocabulary) {
        let rule = vocabulary.merges.rule(tokens[place], tokens[next])
        rules[place] = rule
        if rule != MergeTable.none { push((rule >> 32) << 32 | UInt64(place)) }
    }

    // MARK: - The heap

    private mutating func push(_ entry: UInt64) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= entry { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    private mutating func pop() -> UInt64? {
        guard let smallest = heap.first else { return nil }
        let entry = heap.removeLast()
        if heap.isEmpty { return smallest }
        var parent = 0
        while true {
            var child = parent * 2 + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if entry <= heap[child] { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = entry
        return smallest
    }
}
