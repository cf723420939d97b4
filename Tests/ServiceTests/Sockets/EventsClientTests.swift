import Events
import Foundation
import Service
import Synchronization
import Testing

@Suite("The reader that connects again", .timeLimit(.minutes(1)))
struct EventsClientTests {
    private struct Enough: Error {}

    @Test("across restarts of the server every line comes once")
    func restarts() async throws {
        let bus = EventBus(instanceID: "one", store: MemoryStore())
        let folder = try SocketsFolder()
        var wish = EventsClient.Wish()
        wish.since = "oldest"
        let client = EventsClient(path: folder("events.sock"), wish: wish)
        let updates = AsyncStream<Int?>.makeStream()
        let first = try await EventsFixture(bus: bus, folder: folder) { $0.stopGrace = .zero }
        let reading = Task {
            try await client.run { update in
                switch update {
                case .connected: break
                case .line(let bytes): updates.continuation.yield(try EventDecoder().event(bytes).envelope.seq)
                case .disconnected: updates.continuation.yield(nil)
                }
            }
        }
        var seqs: [Int] = []
        var losses = 0
        var fixture = first
        var iterator = updates.stream.makeAsyncIterator()
        for round in 0..<5 {
            try fixture.publish((round * 50 + 1)...(round * 50 + 50))
            while seqs.count < (round + 1) * 50 - (round == 4 ? 0 : 10), let update = await iterator.next() {
                if let update { seqs.append(update) } else { losses += 1 }
            }
            guard round < 4 else { break }
            await fixture.server.stop()
            fixture = try await EventsFixture(bus: bus, folder: folder) { $0.stopGrace = .zero }
        }
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        #expect(seqs == Array(1...250) && losses >= 4)
        await fixture.finish()
    }

    @Test("nobody there is an error at first, unless the reader waits")
    func absent() async throws {
        let folder = try SocketsFolder()
        let path = folder("events.sock")
        let error = await #expect(throws: SocketError.self) { try await EventsClient(path: path).run { _ in } }
        #expect(error?.kind == .noDaemon && error?.remedy.contains("facellmd") == true)
        await #expect(throws: Enough.self) {
            try await EventsClient(path: path, waitsForDaemon: true).run { update in
                if case .disconnected(let error, _) = update, error.kind == .noDaemon { throw Enough() }
            }
        }
    }

    @Test("a refusal ends it with the daemon's words")
    func refused() async throws {
        let fixture = try await EventsFixture { $0.admits = { _ in false } }
        let error = await #expect(throws: SocketError.self) { try await EventsClient(path: fixture.path).run { _ in } }
        #expect(error?.kind == .refused)
        await fixture.finish()
        var wish = EventsClient.Wish()
        wish.minimumConfidence = 7
        let open = try await EventsFixture()
        let path = open.path
        let client = EventsClient(path: path, wish: wish)
        let bad = await #expect(throws: SocketError.self) { try await client.run { _ in } }
        #expect(bad?.detail.contains("min_confidence") == true)
        await open.finish()
    }
}
