import Events
import TestSupport
import Testing

/// A line whose length hardly depends on its number.
func number(_ number: Int, padding: Int = 0) -> Event.Payload {
    .error(
        ErrorRecord(
            code: "number",
            message: "\(number)" + String(repeating: " ", count: padding),
            retryable: false
        )
    )
}

@Suite("The bus", .timeLimit(.minutes(2)))
struct EventBusTests {
    private func drain(_ subscription: Subscription) async throws -> Tally {
        var tally = Tally()
        while let deliveries = await subscription.next() { try tally.take(deliveries) }
        return tally
    }

    @Test("all subscribers get the same lines in the order of their numbers")
    func fanOut() async throws {
        let bus = EventBus(instanceID: "one")
        let subscriptions = (0..<3).map { _ in bus.subscribe() }
        let door = bus.publisher(source: "door")
        for index in 1...100 { #expect(try door.publish(number(index), epoch: 2).seq == index) }
        bus.finish()
        for subscription in subscriptions {
            let tally = try await drain(subscription)
            #expect(tally.seqs == Array(1...100) && tally.gaps.isEmpty)
            #expect(subscription.counters.linesDelivered == 100)
        }
        #expect(bus.subscriberCount == 0)
    }

    @Test("a line carries the envelope of its instance and source")
    func envelope() async throws {
        let time = Timestamp(millisecondsSince1970: 1_772_357_400_250)
        let bus = EventBus(instanceID: "one", now: { time })
        let subscription = bus.subscribe()
        try bus.publisher(source: "door").publish(number(1), epoch: 3, time: EventTime(time, source: .arrival))
        let line = try #require(await subscription.next()?.first)
        let envelope = try EventDecoder().event(line.line.bytes).envelope
        #expect(envelope.instanceID == "one" && envelope.seq == 1 && envelope.cursor == "one-1")
        #expect(envelope.source == "door" && envelope.epoch == 3 && envelope.publishedAt == time)
    }

    @Test("a line that cannot be encoded uses up no number")
    func noHole() throws {
        let bus = EventBus()
        #expect(throws: EventError.self) { try bus.publish(number(1, padding: 70_000), source: "door") }
        #expect(try bus.publish(number(1), source: "door").seq == 1)
    }

    @Test("concurrent sources are numbered without holes, and every subscriber sees that order")
    func concurrent() async throws {
        let bus = EventBus(store: MemoryStore())
        let live = bus.subscribe()
        let replaying = bus.subscribe(SubscribeRequest(start: .oldest))
        async let first = drain(live)
        async let second = drain(replaying)
        await withTaskGroup { group in
            for source in 0..<4 {
                group.addTask {
                    for index in 0..<500 { _ = try? bus.publish(number(index), source: "s\(source)") }
                }
            }
        }
        bus.finish()
        #expect(try await first.seqs == Array(1...2000))
        #expect(try await second.seqs == Array(1...2000))
    }

    @Test("who comes later gets what is published from then on, or what it asks for")
    func starts() async throws {
        let bus = EventBus(instanceID: "one", store: MemoryStore())
        for index in 1...10 { try bus.publish(number(index), source: "door") }
        let subscriptions = [
            bus.subscribe(), bus.subscribe(SubscribeRequest(start: .oldest)),
            bus.subscribe(SubscribeRequest(start: .after(Cursor(instanceID: "one", seq: 7)))),
            bus.subscribe(SubscribeRequest(start: .unknownCursor)),
        ]
        for index in 11...12 { try bus.publish(number(index), source: "door") }
        bus.finish()
        let tallies = try await [0, 1, 2, 3].asyncMap { try await drain(subscriptions[$0]) }
        #expect(tallies.map(\.seqs) == [[11, 12], Array(1...12), Array(8...12), Array(1...12)])
        #expect(tallies.map(\.gaps) == [[], [], [], [LostLines(.cursorUnknown).gap]])
    }

    @Test("without a store a resumed subscriber is told how many lines it missed")
    func withoutStore() async throws {
        let bus = EventBus(instanceID: "one")
        for index in 1...10 { try bus.publish(number(index), source: "door") }
        let known = bus.subscribe(SubscribeRequest(start: .after(Cursor(instanceID: "one", seq: 7))))
        let foreign = bus.subscribe(SubscribeRequest(start: .after(Cursor(instanceID: "two", seq: 7))))
        bus.finish()
        #expect(try await drain(known).gaps == [LostLines(.notInJournal, 8...10).gap])
        #expect(try await drain(foreign).gaps == [LostLines(.cursorUnknown).gap])
    }

    @Test("a full queue loses its oldest lines and says which")
    func dropOldest() async throws {
        let bus = EventBus()
        let slow = bus.subscribe(maximumQueueBytes: 4000)
        let quick = bus.subscribe()
        for index in 1...100 { try bus.publish(number(index, padding: 100), source: "door") }
        bus.finish()
        let tally = try await drain(slow)
        #expect(tally.covers(1...100) && tally.gaps.count == 1 && tally.lost > 80)
        #expect(tally.gaps.first?.reason == "slow_consumer" && tally.seqs.last == 100)
        #expect(slow.counters.linesLost == tally.lost)
        #expect(try await drain(quick).seqs == Array(1...100))
    }

    @Test("a full queue ends a subscription that asked for it, with a last error")
    func disconnect() async throws {
        let bus = EventBus()
        let slow = bus.subscribe(SubscribeRequest(onOverflow: .disconnect), maximumQueueBytes: 4000)
        for index in 1...100 { try bus.publish(number(index, padding: 100), source: "door") }
        #expect(slow.counters.queuedBytes == 0)
        let tally = try await drain(slow)
        #expect(tally.seqs.isEmpty && tally.errors.map(\.code) == ["slow_consumer"])
        #expect(await slow.next() == nil)
    }

    @Test("only what the filter admits is delivered and counted as lost")
    func filtered() async throws {
        let bus = EventBus()
        let door = SubscribeRequest(filter: EventFilter(sources: ["door"]))
        let ample = bus.subscribe(door)
        let slow = bus.subscribe(door, maximumQueueBytes: 4000)
        for index in 1...100 { try bus.publish(number(index, padding: 100), source: index % 2 == 0 ? "door" : "yard") }
        bus.finish()
        #expect(try await drain(ample).seqs == Array(stride(from: 2, through: 100, by: 2)))
        let tally = try await drain(slow)
        #expect(tally.seqs.count + tally.lost == 50)
    }

    @Test("a reader that waits is woken by a line, an end and a cancellation")
    func waking() async throws {
        let bus = EventBus()
        let subscription = bus.subscribe()
        async let line = subscription.next()
        try bus.publish(number(1), source: "door")
        #expect(await line?.count == 1)
        let cancelled = Task { await subscription.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        let ended = Task { await subscription.next() }
        subscription.cancel()
        #expect(await ended.value == nil)
        #expect(bus.subscriberCount == 0)
    }

    @Test("a subscription that is let go of leaves the bus, and one on a finished bus is over")
    func leaving() async throws {
        let bus = EventBus()
        do {
            let subscription = bus.subscribe()
            #expect(bus.subscriberCount == 1)
            _ = subscription
        }
        #expect(bus.subscriberCount == 0)
        bus.finish(with: ErrorRecord(code: "shutting_down", message: "the daemon stops", retryable: true))
        #expect(await bus.subscribe().next() == nil)
    }

    @Test("a subscription is told at last why it ends")
    func finalError() async throws {
        let bus = EventBus()
        let subscription = bus.subscribe()
        try bus.publish(number(1), source: "door")
        bus.finish(with: ErrorRecord(code: "shutting_down", message: "the daemon stops", retryable: true))
        let tally = try await drain(subscription)
        #expect(tally.seqs == [1] && tally.errors.map(\.code) == ["shutting_down"])
    }

    /// Publishing, reading, overflow, forgetting and resuming in random order.
    @Test("lines and gaps together are every number once, whatever happens", arguments: UInt64(1)...200)
    func property(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let store = MemoryStore(seed: seed)
        let bus = EventBus(instanceID: "one", store: store)
        var tally = Tally()
        var subscription = bus.subscribe(maximumQueueBytes: Int.random(in: 400...4000, using: &random))
        var published = 0
        var unread = false
        for _ in 0..<60 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...5:
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    published += 1
                    try bus.publish(number(published), source: "door")
                }
                unread = true
            case 6, 7:
                // A reader may only wait where something is certain to come.
                guard unread, let deliveries = await subscription.next(maximumBytes: 600) else { break }
                try tally.take(deliveries)
                unread = tally.seqs.last != published
            case 8:
                // The connection breaks, and what follows the last line is asked for.
                guard let cursor = tally.cursor else { break }
                subscription.cancel()
                tally.resume()
                subscription = bus.subscribe(
                    SubscribeRequest(start: .after(cursor)),
                    maximumQueueBytes: Int.random(in: 400...4000, using: &random)
                )
                unread = cursor.seq != published
            default:
                let bound = Int.random(in: 0...published, using: &random)
                let every = Int.random(in: 2...5, using: &random)
                store.forget { $0 < bound && $0 % every == 0 }
            }
        }
        bus.finish()
        while let deliveries = await subscription.next(maximumBytes: 600) { try tally.take(deliveries) }
        #expect(published == 0 || tally.covers(1...published), "seed \(seed): \(tally)")
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
