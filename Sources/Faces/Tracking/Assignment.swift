/// The assignment of rows to columns with the smallest total cost (Hungarian method, shortest augmenting paths).
package enum Assignment {
    /// - Parameter cost: rows of equal length; `nil` forbids a pair.
    /// - Returns: for each row its column, or nil where only forbidden pairs were left.
    /// - Complexity: O(n³) in the longer side; faces in a picture are few.
    package static func solve(_ cost: [[Float?]]) -> [Int?] {
        guard let columns = cost.first?.count, columns > 0 else { return cost.map { _ in nil } }
        let n = max(cost.count, columns)
        // A price above every sum of allowed pairs, so that a forbidden pair is taken only when nothing else is left.
        let highest = cost.joined().compactMap { $0 }.max() ?? 0
        let forbidden = (abs(highest) + 1) * Float(n + 1)
        func price(_ row: Int, _ column: Int) -> Float {
            row < cost.count && column < columns ? cost[row][column] ?? forbidden : forbidden
        }

        // Rows and columns are numbered from 1; 0 means none.
        var rowPotential = [Float](repeating: 0, count: n + 1)
        var columnPotential = [Float](repeating: 0, count: n + 1)
        var rowOfColumn = [Int](repeating: 0, count: n + 1)
        for row in 1...n {
            var previous = [Int](repeating: 0, count: n + 1)
            var distance = [Float](repeating: .infinity, count: n + 1)
            var visited = [Bool](repeating: false, count: n + 1)
            rowOfColumn[0] = row
            var column = 0
            repeat {
                visited[column] = true
                let from = rowOfColumn[column]
                var step = Float.infinity
                var next = 0
                for candidate in 1...n where !visited[candidate] {
                    let reduced =
                        price(from - 1, candidate - 1) - rowPotential[from] - columnPotential[candidate]
                    if reduced < distance[candidate] {
                        distance[candidate] = reduced
                        previous[candidate] = column
                    }
                    if distance[candidate] < step {
                        step = distance[candidate]
                        next = candidate
                    }
                }
                for candidate in 0...n {
                    if visited[candidate] {
                        rowPotential[rowOfColumn[candidate]] += step
                        columnPotential[candidate] -= step
                    } else {
                        distance[candidate] -= step
                    }
                }
                column = next
            } while rowOfColumn[column] != 0
            repeat {
                let before = previous[column]
                rowOfColumn[column] = rowOfColumn[before]
                column = before
            } while column != 0
        }

        var result = [Int?](repeating: nil, count: cost.count)
        for column in 1...n {
            let row = rowOfColumn[column] - 1
            if row >= 0, row < cost.count, column <= columns, cost[row][column - 1] != nil { result[row] = column - 1 }
        }
        return result
    }
}
