import FaceLLM
import TestSupport
import Testing

@Suite struct ChoiceTreeTests {
    private typealias Sequence = TokenTree.Sequence

    @Test func equalBeginningsAreStoredOnce() throws {
        // 1 2 are context; 3, 4 and 4 5 are answers.
        let tree = try TokenTree([
            Sequence([1, 2, 3], contextCount: 2), Sequence([1, 2, 4], contextCount: 2),
            Sequence([1, 2, 4, 5], contextCount: 2),
        ])
        #expect(tree.nodes.map(\.token) == [1, 2, 4, 3, 5])
        #expect(tree.nodes.map(\.parent) == [-1, 0, 1, 1, 2])
        #expect(tree.nodes.map(\.depth) == [0, 1, 2, 2, 3])
        #expect(tree.innerCount == 3)
        #expect(tree.paths.map(\.scored) == [[3], [2], [2, 4]])
        #expect(tree.paths.map(\.predictors) == [[1], [1], [1, 2]])
        #expect(
            tree.visibility == [
                1, 0, 0, 0, 0,
                1, 1, 0, 0, 0,
                1, 1, 1, 0, 0,
                1, 1, 0, 1, 0,
                1, 1, 1, 0, 1,
            ]
        )
        #expect(tree.visibility(first: tree.innerCount) == [1, 0, 0, 1, 1, 0, 1, 1, 1])
        #expect(tree.visibility(first: -1).isEmpty)
        #expect(tree.visibility(first: 99) == tree.visibility)
    }

    @Test func withoutContextThePrefixPredictsTheFirstToken() throws {
        let tree = try TokenTree([Sequence([7, 8]), Sequence([9])])
        #expect(tree.paths.map(\.scored) == [[0, 2], [1]] || tree.paths.map(\.scored) == [[0, 1], [2]])
        #expect(tree.paths.map(\.predictors) == [[-1, 0], [-1]])
        #expect(try TokenTree([]).nodes.isEmpty)
    }

    @Test(arguments: [(0, 0), (2, 2), (2, 3), (2, -1)])
    func aSequenceNeedsATokenToScore(tokens: Int, contextCount: Int) {
        let sequences = [Sequence([1]), Sequence(Array(repeating: 1, count: tokens), contextCount: contextCount)]
        let expected = ChoiceError.nothingToScore(sequence: 1, tokens: tokens, contextCount: contextCount)
        #expect(throws: expected) { try TokenTree(sequences) }
        #expect(throws: expected) { try TokenTree.chunks(sequences, maxNodes: 100) }
    }

    /// Few different tokens, so that beginnings are often equal.
    private static func random(_ seed: UInt64) -> [TokenTree.Sequence] {
        var generator = SeededGenerator(seed: seed)
        return (0..<Int.random(in: 1...40, using: &generator)).map { _ in
            let tokens = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                TokenID.random(in: 0...3, using: &generator)
            }
            return Sequence(tokens, contextCount: Int.random(in: 0..<tokens.count, using: &generator))
        }
    }

    /// The tokens from the prefix to a node.
    private static func walk(_ tree: TokenTree, to node: Int) -> [TokenID] {
        node < 0 ? [] : walk(tree, to: tree.nodes[node].parent) + [tree.nodes[node].token]
    }

    /// All beginnings of all sequences: what the nodes of a tree are, by definition.
    private static func beginnings(_ sequences: [TokenTree.Sequence]) -> Set<[TokenID]> {
        Set(sequences.flatMap { sequence in sequence.tokens.indices.map { Array(sequence.tokens[...$0]) } })
    }

    private static func check(_ tree: TokenTree, _ sequences: [TokenTree.Sequence], _ note: Comment) {
        let walks = tree.nodes.indices.map { walk(tree, to: $0) }
        #expect(Set(walks).count == walks.count, note)
        #expect(Set(walks) == beginnings(sequences), note)
        for (index, node) in tree.nodes.enumerated() {
            #expect(node.parent < index && node.depth == walks[index].count - 1, note)
        }
        let parents = Set(tree.nodes.map(\.parent)).subtracting([-1])
        #expect(parents == Set(0..<tree.innerCount), note)
        let n = tree.nodes.count
        let naive = (0..<n * n).map { place -> UInt8 in
            walks[place / n].starts(with: walks[place % n]) ? 1 : 0
        }
        #expect(tree.visibility == naive, note)
        #expect(tree.paths.count == sequences.count, note)
        for (path, sequence) in zip(tree.paths, sequences) {
            let scored = sequence.contextCount..<sequence.tokens.count
            #expect(path.scored.map { walks[$0] } == scored.map { Array(sequence.tokens[...$0]) }, note)
            #expect(
                path.predictors.map { walk(tree, to: $0) } == scored.map { Array(sequence.tokens[..<$0]) },
                note
            )
        }
    }

    @Test func randomTreesAgreeWithTheDefinition() throws {
        for seed in UInt64(0)..<200 {
            let sequences = Self.random(seed)
            Self.check(try TokenTree(sequences), sequences, "seed \(seed)")
        }
    }

    @Test func chunksHaveEachSequenceOnceWithinTheBound() throws {
        var split = 0
        for seed in UInt64(0)..<200 {
            let sequences = Self.random(seed)
            var generator = SeededGenerator(seed: seed &+ 1000)
            let maxNodes = Int.random(in: 9...60, using: &generator)
            let chunks = try TokenTree.chunks(sequences, maxNodes: maxNodes)
            split += chunks.count > 1 ? 1 : 0
            #expect(chunks.flatMap(\.sequences).sorted() == Array(sequences.indices), "seed \(seed)")
            for chunk in chunks {
                #expect(chunk.tree.nodes.count <= maxNodes, "seed \(seed)")
                Self.check(chunk.tree, chunk.sequences.map { sequences[$0] }, "seed \(seed)")
            }
            // No tree could have taken the first sequence of the next.
            for (chunk, next) in zip(chunks, chunks.dropFirst()) {
                let more = (chunk.sequences + next.sequences.prefix(1)).map { sequences[$0] }
                #expect(Self.beginnings(more).count > maxNodes, "seed \(seed)")
            }
        }
        #expect(split > 50 && split < 200)
    }

    @Test func oneTreeKeepsTheGivenOrder() throws {
        let sequences = [Sequence([5]), Sequence([1, 2]), Sequence([5, 1])]
        let chunks = try TokenTree.chunks(sequences, maxNodes: 4)
        #expect(chunks == [TokenTree.Chunk(tree: try TokenTree(sequences), sequences: [0, 1, 2])])
        #expect(try TokenTree.chunks([], maxNodes: 4).isEmpty)
        #expect(throws: ChoiceError.sequenceTooLong(sequence: 1, tokens: 2, maxNodes: 1)) {
            try TokenTree.chunks(sequences, maxNodes: 1)
        }
    }
}
