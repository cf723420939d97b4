import Benchmarking
import Foundation
import Testing

@Suite struct ProcessTimesTests {
    private static let line =
        "4711 (a (b) c) S 1 4711 4711 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 9 0 12345 6789 10 18446744073709551615 1 1"

    @Test("names with blanks and brackets, time in ticks") func stat() {
        let thread = ProcessTimes.thread(stat: Self.line, ticksPerSecond: 100)
        #expect(thread == .init(name: "a (b) c", seconds: 3))
    }

    @Test(arguments: ["", "1", "1 (x", "1 )x(", "1 (x) S 1 2 3", line.replacing("250", with: "x")])
    func refusesOthers(line: String) {
        #expect(ProcessTimes.thread(stat: line, ticksPerSecond: 100) == nil)
    }

    @Test("by name, without what was before, of another thread with the same number nothing is taken away")
    func differences() {
        let before = ProcessTimes(
            seconds: 10,
            threads: [
                1: .init(name: "decode", seconds: 2), 2: .init(name: "decode", seconds: 3),
                3: .init(name: "x", seconds: 5),
            ]
        )
        let after = ProcessTimes(
            seconds: 20,
            threads: [
                1: .init(name: "decode", seconds: 2.5), 2: .init(name: "decode", seconds: 4),
                3: .init(name: "new", seconds: 1),
            ]
        )
        #expect(after.byThread(since: before) == ["decode": 1.5, "new": 1])
    }

    @Test("this process is found with its threads, another is not") func own() throws {
        let own = try #require(ProcessTimes(of: getpid()))
        #expect(own.threads[Int(getpid())] != nil)
        #expect(own.seconds >= 0)
        #expect(ProcessTimes(of: -1) == nil)
    }

    @Test("the machine's processors") func machine() throws {
        let times = try #require(
            MachineTimes(stat: "cpu  100 20 30 400 50 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8\n", ticksPerSecond: 100)
        )
        #expect(times == MachineTimes(busy: 1.63, idle: 4.5, stolen: 0.08))
        #expect(MachineTimes(stat: "intr 1 2 3 4 5 6 7 8 9", ticksPerSecond: 100) == nil)
        #expect(MachineTimes(stat: "", ticksPerSecond: 100) == nil)
        #expect(MachineTimes.current != nil)
    }
}

@Suite struct QuantilesTests {
    @Test func nearestRank() throws {
        let hundred = try #require(Quantiles((1...100).map(Double.init).shuffled()))
        #expect([1, 50, 99, 100].map(hundred.percentile) == [1, 50, 99, 100])
        #expect(hundred.maximum == 100 && hundred.count == 100)
        let one = try #require(Quantiles([7]))
        #expect([0, 1, 50, 99, 100, 200].map(one.percentile) == [7, 7, 7, 7, 7, 7])
        let twenty = try #require(Quantiles((1...20).map(Double.init)))
        #expect(twenty.percentile(95) == 19)
    }

    @Test(arguments: [[], [1, .nan]] as [[Double]]) func refusesOthers(samples: [Double]) {
        #expect(Quantiles(samples) == nil)
    }
}
