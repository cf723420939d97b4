import Foundation
import Synchronization
import Testing
import Video

@Suite("Hand-off between a thread and a task", .timeLimit(.minutes(1)))
struct HandOffTests {
    @Test("back-pressure loses nothing and holds no more than its depth")
    func backPressure() async throws {
        let channel = HandOff<Int>(depth: 3, policy: .backPressure)
        let sent = Mutex(0)
        Thread {
            for number in 0..<1000 {
                _ = channel.send(number)
                sent.withLock { $0 = number + 1 }
            }
            channel.finish()
        }.start()
        var received = 0
        while let number = try await channel.next() {
            #expect(number == received)
            received += 1
            #expect(sent.withLock { $0 } <= received + 4)
        }
        #expect(received == 1000)
    }

    @Test("the oldest goes, what must stay stays")
    func dropOldest() async throws {
        let channel = HandOff<Int>(depth: 2, policy: .dropOldest) { $0 >= 0 }
        var dropped: [Int] = []
        for number in [1, -1, 2, 3, 4] {
            if case .dropped(let old) = channel.send(number) { dropped.append(old) }
        }
        channel.finish()
        var received: [Int] = []
        while let number = try await channel.next() { received.append(number) }
        #expect(dropped == [1, 2, 3])
        #expect(received == [-1, 4])
    }

    @Test("an error comes behind what waits, once")
    func failure() async throws {
        let channel = HandOff<Int>(depth: 2, policy: .backPressure)
        _ = channel.send(1)
        channel.finish(throwing: VideoError(.read, .timedOut, source: "x"))
        #expect(try await channel.next() == 1)
        await #expect(throws: VideoError.self) { try await channel.next() }
        #expect(try await channel.next() == nil)
    }

    @Test("cancelling frees a producer that waits, and gives back what nobody took")
    func cancelProducer() async throws {
        let channel = HandOff<Int>(depth: 1, policy: .backPressure)
        let done = AsyncStream<Bool> { continuation in
            Thread {
                _ = channel.send(1)
                guard case .closed = channel.send(2) else {
                    continuation.yield(false)
                    return continuation.finish()
                }
                continuation.yield(true)
                continuation.finish()
            }.start()
        }
        var left = channel.cancel()
        // The thread may not have sent anything yet.
        if left.isEmpty { left = [1] }
        #expect(left == [1])
        for await wasClosed in done { #expect(wasClosed) }
        #expect(try await channel.next() == nil)
    }

    @Test("a cancelled task stops waiting, and the channel works on")
    func cancelConsumer() async throws {
        let channel = HandOff<Int>(depth: 1, policy: .backPressure)
        for _ in 0..<100 {
            let task = Task { try await channel.next() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        _ = channel.send(7)
        #expect(try await channel.next() == 7)
    }
}
