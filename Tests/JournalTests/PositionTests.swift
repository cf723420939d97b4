import Events
import Journal
import Testing

@Suite("Lines by their time")
struct PositionTests {
    /// The lines from the first one that is not older than `time`, as the clock of the test shows it.
    private func names(_ daemon: Daemon, since time: Int64) async -> [String] {
        let position = await daemon.journal.position(before: Timestamp(millisecondsSince1970: time))
        return await daemon.read(from: position).names
    }

    @Test("reading begins with the first line made since a time, over several starts of the daemon")
    func position() async throws {
        let directory = try StateDirectory()
        let clock = SetClock(1_000_000)
        let empty = try Daemon(directory, id: "zero", clock: clock)
        #expect(await empty.journal.position(before: Timestamp(millisecondsSince1970: 5_000_000)) == .oldest)
        await empty.journal.close()

        // One line at each full second: 1000, 1001, … as a, then 1060 … as b.
        for (id, start) in [("a", Int64(1_000_000)), ("b", 1_060_000)] {
            let daemon = try Daemon(directory, id: id, clock: clock)
            for index in 0..<50 {
                clock.milliseconds = start + Int64(index) * 1000
                try daemon.publish(1)
            }
            await daemon.journal.close()
        }
        let daemon = try Daemon(directory, id: "c", clock: clock)
        clock.milliseconds = 2_000_000
        try daemon.publish(2)
        let a = lineNames("a", 1...50), b = lineNames("b", 1...50), c = lineNames("c", 1...2)
        for (time, expected) in [
            (0, a + b + c), (1_000_000, a + b + c), (1_000_001, a[1...] + b + c), (1_020_000, a[20...] + b + c),
            (1_049_001, b + c), (1_060_000, b + c), (1_090_500, b[31...] + c), (1_999_999, c), (2_000_000, c),
            (2_000_001, []),
        ] as [(Int64, [String])] {
            #expect(await names(daemon, since: time) == expected, "since \(time)")
        }
        await daemon.journal.close()
    }
}

/// The test's own method hides the function of that name.
private func lineNames(_ id: String, _ range: ClosedRange<Int>) -> [String] { names(id, range) }
