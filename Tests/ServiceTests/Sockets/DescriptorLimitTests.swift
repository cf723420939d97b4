import Glibc
import Service
import TestSupport
import Testing

/// In a process of its own, for the limit is that of the process.
@Suite("No descriptors left", .timeLimit(.minutes(1)))
struct DescriptorLimitTests {
    @Test("whoever connects when no file can be opened is served as soon as one can")
    func recovers() async throws {
        await #expect(processExitsWith: .success) {
            let fixture = try await EventsFixture()
            let first = try await fixture.client()
            var limit = rlimit(rlim_cur: 128, rlim_max: 128)
            guard setrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(2) }
            var spare: [Int32] = []
            while true {
                let descriptor = dup(STDIN_FILENO)
                if descriptor < 0 { break }
                spare.append(descriptor)
            }
            // One is left for the client and none for the server.
            guard let last = spare.popLast() else { exit(3) }
            close(last)
            let second = try RawClient(fixture.path)
            // Who is connected gets its lines all the same.
            try fixture.publish(1...3)
            for number in 1...3 {
                guard seq(of: try await first.line()) == number else { exit(4) }
            }
            for descriptor in spare { close(descriptor) }
            guard type(of: try await second.line()) == "hello" else { exit(5) }
            await fixture.finish()
            exit(0)
        }
    }
}
