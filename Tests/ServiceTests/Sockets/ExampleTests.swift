import Events
import Foundation
import Service
import Testing

@Suite("The clients in the documentation", .timeLimit(.minutes(1)))
struct ExampleTests {
    @Test("subscribe.py prints what follows a cursor")
    func subscribeScript() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Documentation/examples/subscribe.py").standardized.path
        let fixture = try await EventsFixture()
        try fixture.publish(1...5)
        async let text = python([script, fixture.path, "one-2"])
        // Ends the stream only when the reader is there.
        while fixture.server.subscribers.first?.linesDelivered != 3 { await Task.yield() }
        await fixture.finish()
        #expect(try await text == "one-3 door error \none-4 door error \none-5 door error \n")
    }
}
