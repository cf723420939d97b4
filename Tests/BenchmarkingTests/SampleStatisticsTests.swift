import Benchmarking
import Testing

@Suite struct SampleStatisticsTests {
    @Test func nothingHasNoStatistics() {
        #expect(SampleStatistics([]) == nil)
        #expect(SampleStatistics([1, .nan, 2]) == nil)
    }

    @Test func oneSampleIsAll() throws {
        let one = try #require(SampleStatistics([7]))
        #expect((one.count, one.minimum, one.median, one.p95) == (1, 7, 7, 7))
    }

    @Test func orderDoesNotMatter() {
        #expect(SampleStatistics([3, 1, 2]) == SampleStatistics([1, 2, 3]))
    }

    @Test func medianOfEvenNumber() throws {
        #expect(try #require(SampleStatistics([10, 1, 2, 4])).median == 3)
        #expect(try #require(SampleStatistics([10, 1, 2])).median == 2)
    }

    /// Nearest rank: of 20 samples the 19th, of 21 the 20th, of 100 the 95th.
    @Test(arguments: [(1, 1), (2, 2), (5, 5), (19, 19), (20, 19), (21, 20), (100, 95), (101, 96)])
    func nearestRank(count: Int, rank: Int) throws {
        let statistics = try #require(SampleStatistics((1...count).reversed().map(Double.init)))
        #expect(statistics.p95 == Double(rank))
    }
}
