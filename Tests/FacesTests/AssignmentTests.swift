import Testing

@testable import Faces

@Suite struct AssignmentTests {
    @Test func smallestTotalWins() {
        // Greedy would take (0, 0) = 1 and be left with 10.
        #expect(Assignment.solve([[1, 2], [2, 10]]) == [1, 0])
    }

    @Test func forbiddenPairsStayFree() {
        #expect(Assignment.solve([[nil, 3], [nil, 1]]) == [nil, 1])
        #expect(Assignment.solve([[nil]]) == [nil])
        #expect(Assignment.solve([]) == [])
        #expect(Assignment.solve([[], []]) == [nil, nil])
    }

    @Test func unequalSides() {
        #expect(Assignment.solve([[5], [1], [3]]) == [nil, 0, nil])
        #expect(Assignment.solve([[5, 1, 3]]) == [1])
    }

    /// Against all permutations.
    @Test func equalsExhaustiveSearch() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let n = Int.random(in: 1...5, using: &generator)
            let cost = (0..<n).map { _ in (0..<n).map { _ in Float(Int.random(in: 0...20, using: &generator)) } }
            let found = Assignment.solve(cost.map { $0.map { Optional($0) } })
            let total = found.enumerated().reduce(Float(0)) { $0 + cost[$1.offset][$1.element ?? 0] }
            #expect(Set(found).count == n, "\(cost)")
            #expect(total == best(cost), "\(cost)")
        }
    }

    private func best(_ cost: [[Float]]) -> Float {
        func search(_ row: Int, _ used: Set<Int>) -> Float {
            guard row < cost.count else { return 0 }
            return cost.indices.filter { !used.contains($0) }
                .map { cost[row][$0] + search(row + 1, used.union([$0])) }.min() ?? 0
        }
        return search(0, [])
    }
}
