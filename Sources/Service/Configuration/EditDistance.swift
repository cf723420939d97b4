/// How far words are from each other, to guess what somebody meant.
enum EditDistance {
    /// The word that differs least from `word`, of equals the first, unless all differ too much to be meant.
    static func nearest(to word: String, among words: [String]) -> String? {
        let word = Array(word.lowercased().unicodeScalars)
        guard word.count <= 64 else { return nil }
        let scored = words.map { (word: $0, distance: between(word, Array($0.unicodeScalars))) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, min(word.count, best.word.count) * 2 / 5) ? best.word : nil
    }

    /// Signs to insert, remove, replace, or swap with their neighbour.
    static func between<Symbol: Equatable>(_ a: [Symbol], _ b: [Symbol]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        for i in a.indices {
            for j in b.indices {
                var least = min(rows[i][j + 1], rows[i + 1][j]) + 1
                least = min(least, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                rows[i + 1][j + 1] = least
            }
        }
        return rows[a.count][b.count]
    }
}
