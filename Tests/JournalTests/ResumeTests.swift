import Events
import Journal
import TestSupport
import Testing

/// What a client can check over any number of connections and daemons: each line once, the rest in gaps.
private struct Client {
    private(set) var cursor: Cursor?
    private(set) var lines = 0
    /// Lines of gaps told behind the last line; they are told again after a break of the connection.
    private var unconfirmed = 0
    private var lost = 0
    private(set) var isInOrder = true
    private(set) var isExact = true

    var total: Int { lines + lost + unconfirmed }

    /// - Parameter order: the instances in the order of their starts.
    mutating func take(_ delivery: Subscription.Delivery, order: [String]) throws {
        guard let next = delivery.cursor else {
            guard case .gap(let gap) = try EventDecoder().event(delivery.line.bytes).payload, let count = gap.lost
            else {
                isExact = false
                return
            }
            unconfirmed += count
            return
        }
        if let cursor {
            let before = (order.firstIndex(of: cursor.instanceID) ?? -1, cursor.seq)
            let now = (order.firstIndex(of: next.instanceID) ?? -1, next.seq)
            isInOrder = isInOrder && before < now
        }
        cursor = next
        lines += 1
        lost += unconfirmed
        unconfirmed = 0
    }

    mutating func breakConnection() { unconfirmed = 0 }
}

@Suite("Resuming", .timeLimit(.minutes(5)))
struct ResumeTests {
    /// Publishing, reading, overflow, retention, breaks of the connection and restarts in random order.
    @Test("lines and gaps together are every line once, whatever happens", arguments: UInt64(1)...40)
    func property(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let directory = try StateDirectory()
        let clock = SetClock()
        var settings = JournalSettings.test
        settings.maximumAge = .seconds(10)
        settings.maximumPendingBytes = Int.random(in: 2000...100_000, using: &random)
        var order = ["run0"]
        var earlier = 0
        var daemon = try Daemon(directory, id: "run0", settings: settings, clock: clock)
        var client = Client()
        var subscription = daemon.bus.subscribe(maximumQueueBytes: Int.random(in: 1000...50_000, using: &random))

        for _ in 0..<60 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0...4:
                try daemon.publish(Int.random(in: 1...40, using: &random))
                clock.milliseconds += Int64.random(in: 0...1500, using: &random)
            case 5...7:
                // A reader may only wait where something is certain to come.
                guard client.total < earlier + daemon.bus.lastSeq,
                    let deliveries = await subscription.next(maximumBytes: Int.random(in: 1...3000, using: &random))
                else { break }
                for delivery in deliveries { try client.take(delivery, order: order) }
            case 8: await daemon.journal.flush()
            case 9: await daemon.journal.maintain()
            case 10:
                guard let cursor = client.cursor else { break }
                client.breakConnection()
                subscription = daemon.bus.subscribe(
                    SubscribeRequest(start: .after(cursor)),
                    maximumQueueBytes: Int.random(in: 1000...50_000, using: &random)
                )
            default:
                guard let cursor = client.cursor else { break }
                await daemon.journal.close()
                earlier += daemon.bus.lastSeq
                let id = "run\(order.count)"
                order.append(id)
                daemon = try Daemon(directory, id: id, settings: settings, clock: clock)
                client.breakConnection()
                subscription = daemon.bus.subscribe(SubscribeRequest(start: .after(cursor)))
            }
        }
        daemon.bus.finish()
        while let deliveries = await subscription.next() {
            for delivery in deliveries { try client.take(delivery, order: order) }
        }
        #expect(client.isInOrder && client.isExact, "seed \(seed)")
        #expect(client.total == earlier + daemon.bus.lastSeq, "seed \(seed): \(client)")
        await daemon.journal.close()
    }

    @Test("a client that breaks off a hundred times while lines are published misses none and sees none twice")
    func hundredBreaks() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        let bus = daemon.bus
        var client = Client()
        var random = SeededGenerator(seed: 7)
        var request = SubscribeRequest(start: .oldest)
        let publisher = Task.detached {
            while !Task.isCancelled, bus.lastSeq < 20_000 {
                _ = try? bus.publish(
                    .error(ErrorRecord(code: "test", message: "x", retryable: false)),
                    source: "door"
                )
                await Task.yield()
            }
        }
        for _ in 0..<100 {
            let subscription = bus.subscribe(request)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let deliveries = try #require(await subscription.next(maximumBytes: 2000))
                // The connection breaks within what was sent.
                for delivery in deliveries.prefix(Int.random(in: 0...deliveries.count, using: &random)) {
                    try client.take(delivery, order: ["one"])
                }
                if client.cursor?.seq != deliveries.last?.cursor?.seq { break }
            }
            request = SubscribeRequest(start: client.cursor.map { .after($0) } ?? .oldest)
        }
        publisher.cancel()
        await publisher.value
        bus.finish()
        // On a bus that is over, the journal's lines are still to be had.
        let last = bus.subscribe(request)
        while let deliveries = await last.next() {
            for delivery in deliveries { try client.take(delivery, order: ["one"]) }
        }
        #expect(client.isInOrder && client.isExact)
        #expect(client.lines == bus.lastSeq && client.total == client.lines)
        await daemon.journal.close()
    }

    @Test("slow and quick subscribers of one busy bus are told the truth each")
    func manySubscribers() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        let bus = daemon.bus
        try daemon.publish(500)
        try await withThrowingTaskGroup { group in
            for index in 0..<6 {
                let request = SubscribeRequest(
                    start: index % 2 == 0 ? .oldest : .after(Cursor(instanceID: "one", seq: 100))
                )
                let subscription = bus.subscribe(request, maximumQueueBytes: index < 3 ? 1500 : 4 << 20)
                group.addTask {
                    var client = Client()
                    while let deliveries = await subscription.next(maximumBytes: 500) {
                        for delivery in deliveries { try client.take(delivery, order: ["one"]) }
                    }
                    #expect(client.isInOrder && client.isExact)
                    #expect(client.total == (index % 2 == 0 ? 4500 : 4400))
                    #expect(index < 3 || client.lines == client.total)
                }
            }
            await withTaskGroup { publishers in
                for source in 0..<4 {
                    publishers.addTask {
                        for _ in 0..<1000 {
                            _ = try? bus.publish(
                                .error(ErrorRecord(code: "test", message: "x", retryable: false)),
                                source: "s\(source)"
                            )
                        }
                    }
                }
            }
            bus.finish()
            try await group.waitForAll()
        }
        await daemon.journal.close()
    }
}
