import Events
import Testing

@Suite("Making events")
struct FactoryTests {
    @Test("seq counts from 1 without holes, cursors differ, the summary counts itself")
    func numbering() {
        let events = Samples.events()
        #expect(events.map(\.envelope.seq) == Array(1...events.count))
        #expect(Set(events.compactMap(\.envelope.cursor)).count == events.count)
        guard case .runSummary(let summary) = events.last?.payload else {
            Issue.record("the last event is no run.summary")
            return
        }
        #expect(summary.ledger.eventsPublished == events.count)
    }

    @Test("two runs with the same settings give the same stable lines")
    func stable() throws {
        #expect(try Samples.lines(stable: true, clock: 0) == Samples.lines(stable: true, clock: 86_400_000))
        #expect(try Samples.lines(clock: 0) != Samples.lines(clock: 0))
    }

    @Test("stable lines have no ids of the instance, clocks and durations", arguments: try Samples.lines(stable: true))
    func left(line: EventLine) {
        let fields = [
            "instance_id", "cursor", "published_at", "queue_ms", "duration_ms", "elapsed_s", "time", "time_source",
        ]
        for field in fields {
            #expect(!line.description.contains("\"\(field)\""))
        }
    }

    @Test("a stable line keeps a time that belongs to the file")
    func containerTime() {
        var factory = EventFactory(source: "clip.mp4", stable: true)
        let time = EventTime(Timestamp(millisecondsSince1970: 0), source: .container)
        let event = factory.make(Samples.run[0], time: time)
        #expect(event.envelope.time == time.timestamp && event.envelope.timeSource == .container)
    }

    @Test("one instance numbers the events of several sources")
    func sources() {
        var factory = EventFactory(instanceID: "i", source: nil, now: { Timestamp(millisecondsSince1970: 7) })
        let first = factory.make(Samples.run[0], source: "door")
        let second = factory.make(Samples.run[0], epoch: 3, source: "hall")
        #expect(first.envelope.source == "door" && second.envelope.source == "hall")
        #expect(second.envelope.seq == 2 && second.envelope.cursor == "i-2" && second.envelope.epoch == 3)
        #expect(second.envelope.publishedAt == Timestamp(millisecondsSince1970: 7))
    }

    @Test("lines for one connection have no number")
    func unnumbered() {
        var factory = EventFactory(source: "door")
        let gap = factory.makeUnnumbered(.gap(.delivery(reason: "slow_consumer", fromSeq: 2, toSeq: 4, lost: 3)))
        #expect(gap.envelope.seq == nil && gap.envelope.cursor == nil)
        #expect(factory.make(Samples.run[0]).envelope.seq == 1)
    }

    @Test("random instance ids are sixteen hexadecimal digits and differ")
    func instanceIDs() {
        let ids = (0..<100).map { _ in EventFactory.randomInstanceID() }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.count == 16 && $0.allSatisfy(\.isHexDigit) })
    }
}
