/// Token sequences that follow one shared prefix, equal beginnings stored once.
///
/// All sequences are scored in one pass of the model over the tree: each node attends to the prefix, to its ancestors
/// and to itself, at the position that it has in its sequence. A token is predicted by the logits of the node before
/// it, so nodes without children need not be computed at all; they come last.
package struct TokenTree: Sendable, Hashable {
    /// Tokens after the prefix.
    package struct Sequence: Sendable, Hashable {
        package let tokens: [TokenID]
        /// So many leading tokens (question, beginning of the answer) are given, not scored.
        package let contextCount: Int

        package init(_ tokens: [TokenID], contextCount: Int = 0) {
            self.tokens = tokens
            self.contextCount = contextCount
        }
    }

    package struct Node: Sendable, Hashable {
        package let token: TokenID
        /// The node before; -1 is the last token of the prefix.
        package let parent: Int
        /// Nodes before this one in its sequence: its position is the prefix's length and this.
        package let depth: Int
    }

    /// Where a sequence lies in the tree.
    package struct Path: Sendable, Hashable {
        /// The nodes of the scored tokens, in order.
        package let scored: [Int]
        /// For each scored token the node whose logits predict it; -1 is the last token of the prefix.
        package let predictors: [Int]
    }

    /// Parents before their children, and nodes with children before those without.
    package let nodes: [Node]
    /// The first so many nodes are those with children: all that the model has to compute.
    package let innerCount: Int
    /// By the order of the sequences.
    package let paths: [Path]

    package init(_ sequences: [Sequence]) throws(ChoiceError) {
        var nodes: [Node] = []
        var children: [Edge: Int] = [:]
        var hasChildren: [Bool] = []
        var walks: [[Int]] = []
        for (index, sequence) in sequences.enumerated() {
            try Self.check(sequence, index)
            var walk: [Int] = []
            var parent = -1
            for (depth, token) in sequence.tokens.enumerated() {
                let edge = Edge(parent: parent, token: token)
                let node = children[edge] ?? nodes.count
                if node == nodes.count {
                    children[edge] = node
                    nodes.append(Node(token: token, parent: parent, depth: depth))
                    hasChildren.append(false)
                    if parent >= 0 { hasChildren[parent] = true }
                }
                walk.append(node)
                parent = node
            }
            walks.append(walk)
        }
        // A node with children keeps its place among its like, so parents still come first.
        let order = nodes.indices.filter { hasChildren[$0] } + nodes.indices.filter { !hasChildren[$0] }
        var place = [Int](repeating: 0, count: nodes.count)
        for (new, old) in order.enumerated() { place[old] = new }
        func moved(_ node: Int) -> Int { node < 0 ? -1 : place[node] }
        self.nodes = order.map { old in
            Node(token: nodes[old].token, parent: moved(nodes[old].parent), depth: nodes[old].depth)
        }
        innerCount = hasChildren.count { $0 }
        paths = zip(sequences, walks).map { sequence, walk in
            let scored = walk.dropFirst(sequence.contextCount).map(moved)
            let before = sequence.contextCount == 0 ? -1 : moved(walk[sequence.contextCount - 1])
            return Path(scored: scored, predictors: [before] + scored.dropLast())
        }
    }

    /// `visibility(first:)` of all nodes.
    package var visibility: [UInt8] { visibility(first: nodes.count) }

    /// Which of the first nodes see which: 1 where the column is the row itself or an ancestor of it.
    ///
    /// - Parameter count: `innerCount` for what the model computes; at most the number of nodes is used.
    /// - Returns: [count, count], row-major.
    package func visibility(first count: Int) -> [UInt8] {
        let n = max(0, min(count, nodes.count))
        var visible = [UInt8](repeating: 0, count: n * n)
        for row in 0..<n {
            var node = row
            while node >= 0 {
                visible[row * n + node] = 1
                node = nodes[node].parent
            }
        }
        return visible
    }

    private struct Edge: Hashable {
        let parent: Int
        let token: TokenID
    }

    private static func check(_ sequence: Sequence, _ index: Int) throws(ChoiceError) {
        guard sequence.contextCount >= 0, sequence.contextCount < sequence.tokens.count else {
            throw .nothingToScore(
                sequence: index,
                tokens: sequence.tokens.count,
                contextCount: sequence.contextCount
            )
        }
    }
}

extension TokenTree {
    /// A tree with some of the sequences.
    package struct Chunk: Sendable, Hashable {
        package let tree: TokenTree
        /// For each path of the tree, which of all the sequences it is.
        package let sequences: [Int]

        package init(tree: TokenTree, sequences: [Int]) {
            self.tree = tree
            self.sequences = sequences
        }
    }

    /// Trees of at most `maxNodes` nodes that have each sequence once.
    ///
    /// One tree in the given order where that is enough. Otherwise the sequences are taken in the order of their tokens,
    /// where those with an equal beginning are neighbours, and a tree is closed when the next does not fit.
    package static func chunks(_ sequences: [Sequence], maxNodes: Int) throws(ChoiceError) -> [Chunk] {
        for (index, sequence) in sequences.enumerated() {
            try check(sequence, index)
            guard sequence.tokens.count <= maxNodes else {
                throw .sequenceTooLong(sequence: index, tokens: sequence.tokens.count, maxNodes: maxNodes)
            }
        }
        if sequences.isEmpty { return [] }
        let whole = try TokenTree(sequences)
        if whole.nodes.count <= maxNodes { return [Chunk(tree: whole, sequences: Array(sequences.indices))] }

        let order = sequences.indices.sorted { first, second in
            let a = sequences[first].tokens, b = sequences[second].tokens
            return a == b ? first < second : a.lexicographicallyPrecedes(b)
        }
        var groups: [[Int]] = []
        var size = 0
        var last: [TokenID] = []
        for index in order {
            let tokens = sequences[index].tokens
            // In this order no sequence of the tree shares more with this one than its neighbour does.
            let added = tokens.count - zip(tokens, last).prefix { $0 == $1 }.count
            if groups.isEmpty || size + added > maxNodes {
                groups.append([index])
                size = tokens.count
            } else {
                groups[groups.count - 1].append(index)
                size += added
            }
            last = tokens
        }
        var chunks: [Chunk] = []
        for group in groups {
            chunks.append(Chunk(tree: try TokenTree(group.map { sequences[$0] }), sequences: group))
        }
        return chunks
    }
}
