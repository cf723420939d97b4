import Events
import Report
import TestSupport
import Testing

@Suite("Files of events")
struct EventReadingTests {
    private func read(_ bytes: [UInt8], pieces: Int = 1 << 16) -> (events: [Event], counts: EventReading.Counts) {
        var reading = EventReading()
        var events: [Event] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieces)
            reading.append(bytes[start..<end]) { events.append($0) }
            start = end
        }
        reading.finish { events.append($0) }
        return (events, reading.counts)
    }

    private func file() throws -> Lines {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 1, 2])
        lines.addSummary()
        return lines
    }

    @Test("the size of the pieces that a file comes in changes nothing", arguments: [1, 7, 64, 4096])
    func pieces(size: Int) throws {
        let lines = try file()
        let (events, counts) = read(try lines.bytes(), pieces: size)
        #expect(events == lines.events)
        #expect(counts.events == 5 && counts.lines == 5 && counts.damaged == 0 && !counts.isCut)
    }

    @Test("a last line that is cut off is damaged; one that lacks its line break alone is not")
    func cut() throws {
        let bytes = try file().bytes()
        let (_, whole) = read(bytes.dropLast())
        #expect(whole.events == 5 && !whole.isCut)
        let (events, counts) = read(bytes.dropLast(20))
        #expect(events.count == 4)
        #expect(counts.damaged == 1 && counts.isCut)
        #expect(counts.examples.map(\.line) == [5])
    }

    @Test("damaged lines, unknown types and lines of a connection are each counted once, and the rest is read")
    func lenient() throws {
        let lines = try file()
        var bytes = Array("no JSON\n\n{\"schema\":\"other/2\",\"type\":\"gap\"}\n".utf8)
        bytes += try lines.bytes()
        bytes += Array("{\"schema\":\"facellm.events/1\",\"type\":\"track.praised\",\"seq\":9}\n".utf8)
        bytes += Array("{\"schema\":\"facellm.events/1\",\"type\":\"heartbeat\"}\n".utf8)
        bytes += [UInt8](repeating: 0x41, count: 200_000) + [0x0a]
        bytes += Array("{\"schema\":\"facellm.events/1\",\"type\":\"track.started\",\"track_id\":7}\n".utf8)
        let (events, counts) = read(bytes)
        #expect(events == lines.events)
        #expect(counts.events == 5)
        #expect(counts.unknown == ["track.praised": 1])
        #expect(counts.connection == 1)
        #expect(counts.damaged == 4)
        #expect(counts.lines == 11)
        #expect(counts.examples.map(\.line) == [1, 3, 11, 12])
    }

    @Test("an empty file has no lines")
    func empty() {
        let (events, counts) = read([])
        #expect(events.isEmpty && counts == EventReading.Counts())
    }

    @Test("whatever bytes come, every line is in one counter", arguments: 0..<40)
    func mutated(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bytes = try file().bytes()
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        let (events, counts) = read(bytes)
        #expect(events.count == counts.events)
        let blank = bytes.split(separator: 0x0a, omittingEmptySubsequences: true).count {
            $0.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
        }
        #expect(
            counts.lines == bytes.split(separator: 0x0a, omittingEmptySubsequences: true).count - blank,
            "seed \(seed)"
        )
        var story = ReportStory()
        for event in events { story.see(event) }
        #expect(ReportPage(story, counts: counts).html.hasSuffix("</html>\n"))
        #expect(TrackTable.rows(story).count == 1 + story.tracks)
    }
}
